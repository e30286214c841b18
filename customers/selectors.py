"""Reading customers, their teams, and who brought them."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Case, Count, DateField, Max, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, TruncMonth

from audit.models import Entry
from catalogue.models import (
    Catalogue,
    CatalogueVersion,
    CatalogueVersionItem,
    RateNotice,
    RateTable,
)
from catalogue.selectors import catalogues
from common.scope import Scope
from customers.models import (
    Consent,
    Customer,
    RateNotification,
    SignUpSettings,
    SignUpTerms,
    TeamMember,
)
from resellers.models import Reseller, ResellerCode
from resellers.selectors import billing_modes_by, resellers
from tenancy.owned import ProviderQuerySet


def customers(scope: Scope) -> ProviderQuerySet[Customer]:
    """Customers by number: all for staff, those it onboarded for a reseller, itself for a customer.

    Terminated ones stay listed.
    """
    rows = Customer.objects.visible_to(scope).select_related("reseller", "reseller_code")
    return rows.order_by("number", "pk")


def customer(scope: Scope, customer_id: int) -> Customer:
    """One customer with its reseller, catalogue and seller.

    :raises Customer.DoesNotExist: for one that the scope does not see, as for one that is not.
    """
    rows = customers(scope).select_related("custom_catalogue", "biller_entity", "rate_table")
    return rows.get(pk=customer_id)


def team(scope: Scope, customer: Customer) -> ProviderQuerySet[TeamMember]:
    """The members of a customer's team with their users, by e-mail."""
    rows = TeamMember.objects.visible_to(scope).filter(customer=customer)
    return rows.select_related("user").order_by("user__email", "pk")


@dataclass(frozen=True)
class TeamHistory:
    """Everybody who is or was in a team: their ids as members, and their e-mails."""

    member_ids: frozenset[int]
    emails: frozenset[str]


def team_history(scope: Scope, customer: Customer) -> TeamHistory:
    """Who is in a customer's team, and who was, as far as it was recorded."""
    present = team(scope, customer).values_list("pk", "user__email")
    joined = Entry.objects.filter(
        provider_id=scope.provider_id,
        action="team_member.added",
        after__customer=str(customer.number),
    ).values_list("object_id", "after__email")
    members = [*present, *((int(pk), email) for pk, email in joined)]
    return TeamHistory(
        member_ids=frozenset(pk for pk, _ in members),
        emails=frozenset(email for _, email in members),
    )


def team_member(scope: Scope, member_id: int) -> TeamMember:
    """One member of a team with their user and customer.

    :raises TeamMember.DoesNotExist: for one that the scope does not see, as for one that is not.
    """
    rows = TeamMember.objects.visible_to(scope).select_related("user", "customer")
    return rows.get(pk=member_id)


def sign_up_settings(scope: Scope) -> SignUpSettings:
    """How the provider takes in who signs up; unsaved where it has decided nothing."""
    row = SignUpSettings.objects.visible_to(scope).first()
    return row or SignUpSettings(provider_id=scope.provider_id)


def current_terms(scope: Scope) -> SignUpTerms | None:
    """What who signs up agrees to; None before any terms were published."""
    return SignUpTerms.objects.visible_to(scope).order_by("-version").first()


def consents(scope: Scope, customer: Customer) -> ProviderQuerySet[Consent]:
    """What a customer has agreed to, the latest first."""
    rows = Consent.objects.visible_to(scope).filter(customer=customer)
    return rows.select_related("terms").order_by("-agreed_at", "-pk")


def codes_with_customers(scope: Scope) -> ProviderQuerySet[ResellerCode]:
    """Published codes with `customer_count`, how many customers they brought, alphabetically."""
    brought = Customer.objects.filter(reseller_code=OuterRef("pk")).values("reseller_code")
    rows = ResellerCode.objects.visible_to(scope).filter(published_at__isnull=False)
    count = Subquery(brought.annotate(count=Count("pk")).values("count"))
    return rows.annotate(customer_count=Coalesce(count, 0)).order_by("code", "pk")


def customers_by_state(scope: Scope) -> dict[str, int]:
    """How many customers are in each state that any is in."""
    rows = Customer.objects.visible_to(scope).order_by().values_list("state")
    return dict(rows.annotate(count=Count("pk")))


def customers_by_month(scope: Scope, since: datetime) -> dict[date, int]:
    """How many customers came in each calendar month from an instant on, by its first day.

    Months are those of the zone that `since` is in; without any customer they are left out.
    """
    rows = Customer.objects.visible_to(scope).filter(created_at__gte=since).order_by()
    months = TruncMonth("created_at", tzinfo=since.tzinfo, output_field=DateField())
    return dict(rows.annotate(month=months).values_list("month").annotate(count=Count("pk")))


def resellers_with_customers(scope: Scope) -> ProviderQuerySet[Reseller]:
    """Resellers with `code_names` and, as `customer_count`, how many customers carry their tag."""
    tagged = Customer.objects.filter(reseller=OuterRef("pk"))
    return resellers(scope).annotate(customer_count=_count(tagged, "reseller"))


def customers_of_catalogue(scope: Scope, catalogue: Catalogue) -> ProviderQuerySet[Customer]:
    """Who buys from a catalogue, by number; of the default one everybody without another."""
    rows = customers(scope)
    if catalogue.is_default:
        return rows.filter(custom_catalogue__isnull=True)
    return rows.filter(custom_catalogue=catalogue)


def catalogues_with_customers(scope: Scope) -> ProviderQuerySet[Catalogue]:
    """Catalogues with `customer_count`, who buys from them, and `version_number`, their last."""
    of_it = Customer.objects.filter(custom_catalogue=OuterRef("pk"))
    without = Customer.objects.filter(custom_catalogue__isnull=True, provider=OuterRef("provider"))
    published = CatalogueVersion.objects.filter(catalogue=OuterRef("pk")).values("catalogue")
    return catalogues(scope).annotate(
        customer_count=Case(
            When(is_default=True, then=_count(without, "provider")),
            default=_count(of_it, "custom_catalogue"),
        ),
        version_number=Subquery(published.annotate(last=Max("number")).values("last")),
    )


def _count(rows: QuerySet[Customer], tie: str) -> Coalesce:
    """How many rows an outer row has, which they are tied to by a field."""
    return Coalesce(Subquery(rows.values(tie).annotate(count=Count("pk")).values("count")), 0)


@dataclass(frozen=True)
class RateRecipient:
    """Who pays by a rate table, a customer or a reseller, and the addresses they are told at."""

    customer: Customer | None
    reseller: Reseller | None
    addresses: list[str]


def rate_recipients(scope: Scope, table: RateTable, at: datetime) -> list[RateRecipient]:
    """The customers and resellers who pay by a table at an instant, by name.

    Customers who are served: by a rate table of their own, or by the version of their catalogue in
    effect. Told are the customer's address and its team's billing members. Resellers in billing
    mode by it: theirs, and the users of their portal.
    """
    customers = list(_paying_by(scope, table, at))
    billing: dict[int, list[str]] = {}
    members = TeamMember.objects.visible_to(scope).filter(
        customer__in=customers, role=TeamMember.TeamRole.BILLING, user__is_active=True
    )
    for customer_id, email in members.order_by("pk").values_list("customer_id", "user__email"):
        billing.setdefault(customer_id, []).append(email)
    told = [
        RateRecipient(each, None, _distinct(each.email, *billing.get(each.pk, [])))
        for each in customers
    ]
    modes = billing_modes_by(scope, table, at)
    return told + [
        RateRecipient(None, reseller, _distinct(reseller.email, *emails))
        for reseller, emails in modes
    ]


def _paying_by(scope: Scope, table: RateTable, at: datetime) -> ProviderQuerySet[Customer]:
    in_effect = (
        CatalogueVersion.objects.visible_to(scope)
        .filter(effective_at__lte=at)
        .order_by("catalogue_id", "-effective_at", "-number")
        .distinct("catalogue_id")
    )
    items = CatalogueVersionItem.objects.visible_to(scope).filter(
        version__in=in_effect.values("pk"), rate_table=table
    )
    by_catalogue = Q(pk__in=[])
    for catalogue_id, is_default, currency in items.values_list(
        "version__catalogue_id", "version__catalogue__is_default", "currency"
    ):
        theirs = Q(custom_catalogue=catalogue_id)
        if is_default:
            theirs |= Q(custom_catalogue=None)
        by_catalogue |= theirs & Q(currency=currency)
    served = Customer.objects.visible_to(scope).filter(
        state__in=(Customer.State.ACTIVE, Customer.State.RESTRICTED)
    )
    rows = served.filter(Q(rate_table=table) | Q(rate_table=None) & by_catalogue)
    return rows.order_by("organisation", "last_name", "pk")


def _distinct(*addresses: str) -> list[str]:
    return list({address.lower(): address for address in reversed(addresses)}.values())[::-1]


def rate_notifications(scope: Scope, notice: RateNotice) -> ProviderQuerySet[RateNotification]:
    """To whom a notice goes or went."""
    rows = RateNotification.objects.visible_to(scope).filter(notice=notice)
    rows = rows.select_related("customer", "reseller", "file__notice", "since")
    return rows.defer(*_UNREAD).order_by("pk")


def rate_notifications_to(scope: Scope, customer: Customer) -> ProviderQuerySet[RateNotification]:
    """What a customer was told of rates, the latest first."""
    rows = RateNotification.objects.visible_to(scope).filter(customer=customer)
    rows = rows.exclude(state=RateNotification.State.DRAFT)
    rows = rows.select_related("rate_table", "file__notice")
    return rows.defer(*_UNREAD).order_by("-pk")


def all_rate_notifications(scope: Scope) -> ProviderQuerySet[RateNotification]:
    """What anybody was told of the rates of any table, the latest first."""
    rows = RateNotification.objects.visible_to(scope).exclude(state=RateNotification.State.DRAFT)
    rows = rows.select_related("customer", "reseller", "rate_table", "file__notice")
    return rows.defer(*_UNREAD[:-1]).order_by("-pk")


_UNREAD = ("file__content", "file__examples", "file__notice__snapshot", "since__snapshot")
