"""The resellers below the one that looks, each with how many customers it brought."""

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import path, reverse

from common.scope import Scope
from customers.selectors import resellers_with_customers
from resellers.models import Reseller
from resellers.rules.openings import BRANCH
from resellers.rules.tree import ResellerTree
from resellers.selectors import reseller_tree
from web.access import SurfaceRequest
from web.reseller_portal.opened import opened_page


@opened_page(BRANCH)
def sub_resellers(request: SurfaceRequest) -> HttpResponse:
    scope: Scope = request.scope
    rows = {row.pk: row for row in resellers_with_customers(scope)}
    context = {
        "branches": _branches(reseller_tree(scope), rows, scope.reseller_id),
        "customers_url": reverse("reseller_portal_customers"),
    }
    return render(request, "reseller_portal/resellers/sub_resellers.html", context)


def _branches(
    tree: ResellerTree, rows: dict[int, Reseller], parent_id: int | None
) -> list[dict[str, object]]:
    """Those directly below, by number, each with its own branch."""
    below = sorted(tree.children(parent_id), key=lambda pk: rows[pk].number)
    return [{"reseller": rows[pk], "below": _branches(tree, rows, pk)} for pk in below]


urls = [path("sub-resellers/", sub_resellers, name="reseller_portal_sub_resellers")]
