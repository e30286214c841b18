"""What stands above every page about one catalogue."""

from django.urls import reverse

from catalogue.models import Catalogue
from common.scope import Scope
from customers.selectors import catalogues_with_customers
from web.access import SurfaceRequest
from web.shared.actions import Action, Tab, allowed

TAB = "console/catalogue/catalogue_list_tab.html"
"""The template of a tab that is a list."""

# Label, URL name, and the permission code without which the tab is not there.
TABS = (
    ("Draft", "console_catalogue", "catalogue.read"),
    ("Versions", "console_catalogue_versions", "catalogue.read"),
    ("Customers", "console_catalogue_customers", "customers.list"),
)


def address(url_name: str, catalogue: Catalogue) -> str:
    """A page about one catalogue."""
    return reverse(url_name, kwargs={"catalogue_id": catalogue.pk})


def find(scope: Scope, catalogue_id: int) -> Catalogue:
    """One catalogue with its number of customers and its last version's number.

    :raises Catalogue.DoesNotExist: for one that the scope does not see, as for one that is not.
    """
    return catalogues_with_customers(scope).get(pk=catalogue_id)


def frame(request: SurfaceRequest, catalogue: Catalogue, *actions: Action) -> dict[str, object]:
    """What stands above every tab of a catalogue; `actions` are those of the tab."""
    return {
        "catalogue": catalogue,
        "actions": allowed(request.scope, actions),
        "tabs": [
            Tab(label, url, url == request.path)
            for label, url_name, needs in TABS
            if needs in request.scope.permissions
            for url in [address(url_name, catalogue)]
        ],
    }
