"""A new bill run in the console: of a month, for everybody or for chosen customers."""

import re
from typing import Any

from django import forms
from django.http import HttpResponse
from django.urls import path, reverse

from billing.selectors.preflight import billable_customers
from billing.services.bill_runs import (
    CustomersNotBillable,
    PeriodNotOver,
    create_bill_run,
    create_partial_run,
)
from common import clock
from common.errors import DomainError
from common.periods import PeriodNotUnderstood, parse_month
from common.scope import Scope, Surface
from customers.selectors import customers
from resellers.models import Reseller
from resellers.selectors import resellers
from web.access import FORM_METHODS, SurfaceRequest, page_of
from web.console.bill_runs import run_url
from web.shared.form_fields import Form
from web.shared.form_pages import FormPage, form_page


class RunForm(Form):
    groups = (("", ("month",)), ("Only some customers", ("numbers", "reseller")))

    month = forms.CharField(
        max_length=7,
        help_text="Such as 2026-10. A month is billed once it is over.",
        widget=forms.TextInput(attrs={"class": "code", "placeholder": "2026-10"}),
    )
    numbers = forms.CharField(
        label="Customer numbers",
        required=False,
        max_length=5000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="Apart by blanks or commas. Empty: everybody, and resellers in billing mode.",
    )
    reseller = forms.ModelChoiceField(
        label="Customers of a reseller",
        queryset=Reseller.objects.none(),
        required=False,
        empty_label="Any",
    )

    def __init__(self, *args: Any, scope: Scope, **options: Any) -> None:
        super().__init__(*args, **options)
        self.scope = scope
        self.fields["reseller"].queryset = resellers(scope)  # type: ignore[attr-defined]

    def clean_numbers(self) -> set[int]:
        """The ids of the customers with these numbers."""
        words = set(re.split(r"[\s,;]+", self.cleaned_data["numbers"].strip())) - {""}
        wrong = sorted(word for word in words if not re.fullmatch(r"[0-9]{1,9}", word))
        if wrong:
            raise forms.ValidationError(f"These are no customer numbers: {', '.join(wrong)}.")
        found = dict(customers(self.scope).filter(number__in=words).values_list("number", "pk"))
        if unknown := sorted({int(word) for word in words} - found.keys()):
            raise forms.ValidationError(
                f"There is no customer {', '.join(map(str, unknown))}; correct the numbers."
            )
        return set(found.values())

    @property
    def customer_ids(self) -> set[int] | None:
        """Who is chosen; None: everybody."""
        numbered, reseller = self.cleaned_data["numbers"], self.cleaned_data["reseller"]
        if reseller is None:
            return numbered or None
        tagged = billable_customers(self.scope).filter(reseller=reseller)
        of_reseller = set(tagged.values_list("pk", flat=True))
        return numbered & of_reseller if numbered else of_reseller


@page_of(Surface.CONSOLE, "money.write", FORM_METHODS)
def run_create(request: SurfaceRequest) -> HttpResponse:
    def save(form: RunForm) -> str:
        period = parse_month(form.cleaned_data["month"])
        at, actor_id = clock.now(), request.scope.user_id
        if form.customer_ids is None:
            return run_url(
                create_bill_run(provider=request.provider, period=period, at=at, actor_id=actor_id)
            )
        run = create_partial_run(
            provider=request.provider,
            period=period,
            customer_ids=form.customer_ids,
            at=at,
            actor_id=actor_id,
        )
        return run_url(run)

    page = FormPage(
        "New bill run",
        submit="Continue",
        cancel_url=reverse("console_bill_runs"),
        lead="Nothing is calculated yet; you see first what is missing.",
    )
    fields: dict[type[DomainError], str] = {
        PeriodNotUnderstood: "month",
        PeriodNotOver: "month",
        CustomersNotBillable: "numbers",
    }
    return form_page(
        request,
        page,
        form=RunForm,
        save=save,
        fields_of=fields,
        initial={"numbers": request.GET.get("customers", "")},
        scope=request.scope,
    )


urls = [path("billing/runs/new/", run_create, name="console_bill_run_create")]
