"""Where gateways send their messages: no session and no user, only a signature."""

import logging
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from common import clock
from payments.selectors.payments import addressed_provider_id
from payments.services.webhooks import (
    GatewayUnknown,
    WebhookForged,
    WebhookNotUnderstood,
    receive_webhook,
)
from tenancy.row_security import acting_for

# Gateways send a few kilobytes; nobody else needs to be read to the end.
MAX_BODY_BYTES = 64 * 1024

logger = logging.getLogger(__name__)


@csrf_exempt
@require_POST
def receive(request: HttpRequest, gateway: str, provider_slug: str) -> HttpResponse:
    """Keep a signed message and answer at once; what is not signed leaves only a line in the log.

    The signature takes the place of a session: it decides that rows of this provider are written.
    """
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        return HttpResponse(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    provider_id = addressed_provider_id(provider_slug)
    if provider_id is None:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    try:
        with acting_for(provider_id=provider_id, user_id=None):
            receive_webhook(
                provider_id=provider_id,
                gateway=gateway,
                headers=request.headers,
                body=body,
                at=clock.now(),
            )
    except GatewayUnknown:
        return HttpResponse(status=HTTPStatus.NOT_FOUND)
    except (WebhookForged, WebhookNotUnderstood) as refusal:
        logger.warning("Webhook of %s for %s refused: %s", gateway, provider_slug, refusal)
        return HttpResponse(status=HTTPStatus.BAD_REQUEST)
    return HttpResponse(status=HTTPStatus.OK)
