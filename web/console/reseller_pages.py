"""What all pages about resellers share: the module's switch, and what stands above one reseller."""

from collections.abc import Callable, Collection
from functools import wraps

from django.http import Http404, HttpResponse
from django.urls import reverse

from common.scope import Scope, Surface
from customers.selectors import resellers_with_customers
from resellers.models import Reseller
from web.access import SAFE_METHODS, SurfaceRequest, page_of
from web.shared.actions import Action, Tab, allowed

TAB = "console/resellers/reseller_list_tab.html"
"""The template of a tab that is a list."""

# Label, URL name, and the permission code without which the tab is not there.
TABS = (
    ("Details", "console_reseller", "resellers.read"),
    ("Customers", "console_reseller_customers", "customers.list"),
    ("Codes", "console_reseller_codes", "resellers.read"),
    ("Billing mode", "console_reseller_billing_modes", "resellers.read"),
    ("Wholesale", "console_reseller_wholesale", "invoices.read"),
    ("Commission", "console_reseller_commission", "payouts.read"),
    ("Payouts", "console_reseller_payouts", "payouts.read"),
    ("Portal", "console_reseller_portal", "resellers.read"),
    ("Users", "console_reseller_users", "resellers.read"),
    ("History", "console_reseller_history", "resellers.read"),
)
_View = Callable[..., HttpResponse]


def reseller_page(
    needs: str, methods: Collection[str] = SAFE_METHODS
) -> Callable[[_View], Callable[..., HttpResponse]]:
    """A page of the console that does not exist while the provider's reseller module is off."""

    def restrict(view: _View) -> Callable[..., HttpResponse]:
        @wraps(view)
        def while_on(request: SurfaceRequest, *args: object, **kwargs: object) -> HttpResponse:
            if not request.scope.has_resellers:
                raise Http404
            return view(request, *args, **kwargs)

        return page_of(Surface.CONSOLE, needs, methods)(while_on)

    return restrict


def address(url_name: str, reseller: Reseller) -> str:
    """A page about one reseller."""
    return reverse(url_name, kwargs={"reseller_id": reseller.pk})


def find(scope: Scope, reseller_id: int) -> Reseller:
    """One reseller with its parent, codes and number of customers.

    :raises Reseller.DoesNotExist: for one that the scope does not see, as for one that is not.
    """
    return resellers_with_customers(scope).get(pk=reseller_id)


def frame(request: SurfaceRequest, reseller: Reseller, *actions: Action) -> dict[str, object]:
    """What stands above every tab of a reseller; `actions` are those of the tab."""
    return {
        "reseller": reseller,
        "actions": allowed(request.scope, actions),
        "tabs": _tabs(request, reseller),
    }


def _tabs(request: SurfaceRequest, reseller: Reseller) -> list[Tab]:
    return [
        Tab(label, url, url == request.path)
        for label, url_name, needs in TABS
        if needs in request.scope.permissions
        for url in [address(url_name, reseller)]
    ]
