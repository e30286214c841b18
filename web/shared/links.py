"""Which page shows a row. A model that gets a page gets a line here, and its ids become links."""

from django.db.models import Model
from django.urls import NoReverseMatch, reverse

from billing.models import BillRun, CreditNote, Invoice, Tax
from catalogue.models import (
    Catalogue,
    CatalogueVersion,
    CodeDeck,
    CodeDeckEntry,
    Rate,
    RateBatchEdit,
    RateImport,
    RateTable,
    TimeProfile,
)
from cdr.models import Mending, Rerating, Source, Suspense, WhatIf, Xdr, XdrFile
from common.scope import Scope, Surface
from customers.models import Customer, TeamMember
from payments.models import Payment
from payouts.models import PayoutStatement
from resellers.models import Reseller
from subscriptions.models import Subscription
from tenancy.models import ApiToken, BillerEntity, Membership, Role

# Surface and model -> URL name and the name of its argument, the row's id.
PAGES: dict[tuple[Surface, type[Model]], tuple[str, str]] = {
    (Surface.CONSOLE, Customer): ("console_customer", "customer_id"),
    (Surface.CONSOLE, Reseller): ("console_reseller", "reseller_id"),
    (Surface.CONSOLE, Catalogue): ("console_catalogue", "catalogue_id"),
    (Surface.CONSOLE, CatalogueVersion): ("console_catalogue_version", "version_id"),
    (Surface.CONSOLE, Source): ("console_source_edit", "source_id"),
    (Surface.CONSOLE, XdrFile): ("console_xdr_file", "file_id"),
    (Surface.CONSOLE, RateTable): ("console_rates", "table_id"),
    (Surface.CONSOLE, RateImport): ("console_rate_import", "import_id"),
    (Surface.CONSOLE, Rate): ("console_rate", "rate_id"),
    (Surface.CONSOLE, RateBatchEdit): ("console_rate_batch_edit", "edit_id"),
    (Surface.CONSOLE, CodeDeck): ("console_code_deck", "deck_id"),
    (Surface.CONSOLE, CodeDeckEntry): ("console_code_deck_entry", "entry_id"),
    (Surface.CONSOLE, TimeProfile): ("console_time_profile", "profile_id"),
    (Surface.CONSOLE, Xdr): ("console_xdr", "xdr_key"),
    (Surface.CONSOLE, Rerating): ("console_rerating", "rerating_id"),
    (Surface.CONSOLE, WhatIf): ("console_what_if", "what_if_id"),
    (Surface.CONSOLE, Suspense): ("console_suspense_row", "suspense_id"),
    (Surface.CONSOLE, Mending): ("console_mending", "mending_id"),
    (Surface.CONSOLE, BillRun): ("console_bill_run", "run_id"),
    (Surface.CONSOLE, CreditNote): ("console_credit_note", "credit_note_id"),
    (Surface.CONSOLE, Invoice): ("console_invoice", "invoice_id"),
    (Surface.CONSOLE, Payment): ("console_payment", "payment_id"),
    (Surface.CONSOLE, PayoutStatement): ("console_statement", "statement_id"),
    (Surface.CONSOLE, BillerEntity): ("console_biller_entity", "entity_id"),
    (Surface.CONSOLE, Tax): ("console_tax", "tax_id"),
    (Surface.CONSOLE, Membership): ("console_user", "membership_id"),
    (Surface.CONSOLE, Role): ("console_role", "role_id"),
    (Surface.CONSOLE, ApiToken): ("console_api_token", "token_id"),
    (Surface.ACCOUNT_CENTRE, Invoice): ("account_centre_invoice", "invoice_id"),
    (Surface.ACCOUNT_CENTRE, CreditNote): ("account_centre_credit_note", "credit_note_id"),
    (Surface.ACCOUNT_CENTRE, Payment): ("account_centre_payment", "payment_id"),
    (Surface.RESELLER_PORTAL, Customer): ("reseller_portal_customer", "customer_id"),
    (Surface.RESELLER_PORTAL, Invoice): ("reseller_portal_settlement", "invoice_id"),
    (Surface.RESELLER_PORTAL, PayoutStatement): ("reseller_portal_statement", "statement_id"),
    (Surface.ACCOUNT_CENTRE, Subscription): ("account_centre_service", "subscription_id"),
    (Surface.CONSOLE, TeamMember): ("console_team_member", "member_id"),
    (Surface.ACCOUNT_CENTRE, TeamMember): ("account_centre_team_role", "member_id"),
}


def url_of(scope: Scope, row: Model) -> str:
    """The address of the row's page on the scope's surface; empty where it has none."""
    page = PAGES.get((scope.surface, type(row)))
    if page is None or (isinstance(row, Reseller) and not scope.has_resellers):
        return ""
    url_name, argument = page
    return reverse(url_name, kwargs={argument: row.pk})


def url_of_recorded(surface: Surface, object_type: str, object_id: str) -> str:
    """The address of the page of a row known by its model's label and its id; empty without one."""
    for (of_surface, model), (url_name, argument) in PAGES.items():
        if of_surface is surface and model._meta.label_lower == object_type:
            try:
                return reverse(url_name, kwargs={argument: object_id})
            except NoReverseMatch:  # a key of several columns
                return ""
    return ""


def url_of_document(surface: Surface, document: str) -> str:
    """The address of the page of what a transfer books, such as `credit_note:17`."""
    kind, _, key = document.partition(":")
    for (of_surface, model), (url_name, argument) in PAGES.items():
        if of_surface is surface and model._meta.model_name == kind.replace("_", ""):
            return reverse(url_name, kwargs={argument: key})
    return ""
