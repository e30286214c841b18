"""Who pays whom on a leg."""

from django.db import models

from cdr.rules.parties import Charge, Party


class PartyKind(models.IntegerChoices):
    """Who pays or is paid on a leg; the provider's id is always 0."""

    PROVIDER = Party.PROVIDER.value
    RESELLER = Party.RESELLER.value
    CUSTOMER = Party.CUSTOMER.value
    VENDOR = Party.VENDOR.value


class LegKind(models.IntegerChoices):
    """Which of the three charges of an xDR a leg is."""

    CUSTOMER = Charge.CUSTOMER.value
    RESELLER = Charge.RESELLER.value
    VENDOR = Charge.VENDOR.value
