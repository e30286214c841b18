"""What all pages of the account centre share: the customer they are about, and the day."""

from datetime import date

from django.utils.timezone import localdate

from common import clock
from customers import selectors
from customers.models import Customer
from web.access import SurfaceRequest


def own_customer(request: SurfaceRequest) -> Customer:
    """The customer for whom the user has signed in."""
    assert request.scope.customer_id is not None
    return selectors.customer(request.scope, request.scope.customer_id)


def today() -> date:
    """The day it is where the provider is, whose zone the request runs in."""
    return localdate(clock.now())
