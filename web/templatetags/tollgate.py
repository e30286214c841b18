"""What templates write with: `{% load tollgate %}`."""

from collections.abc import Sequence
from decimal import Decimal

from django import template
from django.db.models import Model
from django.utils.html import format_html
from django.utils.safestring import SafeString

from catalogue.models import AllowanceTerms, ItemTerms
from common.scope import Scope
from web.shared import writing
from web.shared.allowances import destinations_text, included_text
from web.shared.badges import badge as badge_html
from web.shared.links import url_of
from web.shared.tiers import tier_lines

register = template.Library()


@register.filter
def money(amount: Decimal | None, currency: str) -> str:
    """`{{ invoice.gross_amount|money:invoice.currency }}`; a dash for none."""
    return writing.NONE if amount is None else writing.money_html(amount, currency)


@register.filter
def price(amount: Decimal | None, currency: str) -> str:
    """`{{ rate.rate|price:table.currency }}`, with all its decimals."""
    return writing.NONE if amount is None else writing.price_html(amount, currency)


@register.filter
def number(value: int | Decimal | None) -> str:
    """`{{ count|number }}` with thousands apart."""
    return writing.NONE if value is None else writing.plain_number(value)


@register.filter
def volume(value: int | None, unit: str) -> str:
    """`{{ allowance.volume|volume:product.volume_unit }}`, exactly: `98 min 50 s`."""
    return writing.NONE if value is None else writing.volume_text(value, unit)


@register.filter
def included(allowance: AllowanceTerms, quantity: int = 1) -> str:
    """`{{ allowance|included:subscription.quantity }}`: `Europe: 100 min of Calls a month`."""
    return included_text(allowance, quantity)


@register.filter
def destinations(prefixes: Sequence[str]) -> str:
    """`{{ allowance.destinations|destinations }}`: `49, 440-442`, or the first few of many."""
    return destinations_text(prefixes)


@register.filter
def tiers(item: ItemTerms) -> list[SafeString]:
    """`{% for line in item|tiers %}`: `beyond 100 GB: 0.05 EUR a GB`, a line each."""
    return tier_lines(item)


@register.filter
def badge(label: str, value: str) -> SafeString:
    """`{{ customer.get_state_display|badge:customer.state }}`."""
    return badge_html(value, label)


@register.simple_tag(takes_context=True)
def link(context: template.RequestContext, row: Model | None, text: object = None) -> SafeString:
    """`{% link customer %}` or `{% link invoice invoice.number %}`: to the row's page, if any."""
    if row is None:
        return format_html("{}", writing.NONE)
    scope: Scope = context.request.scope  # type: ignore[attr-defined]
    url, shown = url_of(scope, row), row if text is None else text
    return format_html('<a href="{}">{}</a>', url, shown) if url else format_html("{}", shown)
