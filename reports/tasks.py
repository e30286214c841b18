"""The nightly proof that the books add up."""

import logging

from celery import shared_task

from common.scope import Scope
from reports.selectors.verification import verify
from tenancy.selectors import providers

logger = logging.getLogger(__name__)


@shared_task(name="reports.verify_ledgers")
def verify_ledgers(**_: object) -> None:
    """Log every fault as an error. Safe to repeat: it only reads."""
    for provider in providers():
        result = verify(Scope.system(provider.pk))
        for fault in result.faults:
            logger.error("The books of %s are unsound: %s", provider.slug, fault)
        logger.info("The books of %s were compared: %s", provider.slug, result.compared)
