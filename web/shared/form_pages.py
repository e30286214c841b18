"""Every form: shown, checked, reviewed where money moves, and saved by one call of a service."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import uuid4

from django.core.cache import cache
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render

from common.errors import DomainError
from web.access import SurfaceRequest
from web.shared.form_fields import Form

FormT = TypeVar("FormT", bound=Form)
# The buttons of the review: their names must be no field's.
CONFIRMED, BACK = "_confirmed", "_back"
# What the review said, as its page sends it back; a program that saw no page sends none.
STATED = "_stated"
# Names one showing of a review, which can be agreed to once: a double click sends it twice.
ONCE = "_once"
_ONCE_SECONDS = 24 * 60 * 60


@dataclass(frozen=True)
class Review:
    """What is about to happen, with the amounts, for the user to agree to."""

    title: str
    lead: str = ""
    facts: Sequence[tuple[str, object]] = ()
    headings: Sequence[str] = ()
    rows: Sequence[Sequence[object]] = ()
    submit: str = "Confirm"
    is_dangerous: bool = False

    @property
    def stated(self) -> str:
        """A fingerprint of what is asked and the amounts; `facts` beside them may move on."""
        said = [self.title, *(str(cell) for row in self.rows for cell in row)]
        return hashlib.sha256("\0".join(said).encode()).hexdigest()


@dataclass(frozen=True)
class FormPage:
    """What a form's page says around its fields; `cancel_url` is the page to go back to."""

    title: str
    submit: str
    cancel_url: str
    lead: str = ""
    template: str = "shared/form_page.html"
    context: Mapping[str, object] = field(default_factory=dict)


def form_page(
    request: SurfaceRequest,
    page: FormPage,
    *,
    form: type[FormT],
    save: Callable[[FormT], str],
    review: Callable[[FormT], Review] | None = None,
    fields_of: Mapping[type[DomainError], str] | None = None,
    **form_options: Any,
) -> HttpResponse:
    """Show a form; when it is sent and right, `save` it and go to the address that it returns.

    A refusal (`DomainError`) of `review` or `save` becomes an error of the fields that it names, of
    the one that `fields_of` names for it, or of the form: nothing typed is lost and nothing was
    written. With `review` the user sees first what will happen, and again if that has changed by
    the time they agree, or if they agreed already. `form_options` go to the form: `initial`,
    choices.
    """
    if request.method != "POST":
        return _shown(request, page, form(**form_options))
    sent = form(request.POST, request.FILES, **form_options)
    if BACK in request.POST or not sent.is_valid():
        return _shown(request, page, sent)
    try:
        with transaction.atomic():
            if review is not None and not _is_agreed(request, sent, stated := review(sent)):
                return _reviewed(request, page, sent, stated)
            return HttpResponseRedirect(save(sent))
    except DomainError as refusal:
        _refuse(sent, refusal, fields_of or {})
        return _shown(request, page, sent)


def confirm_page(
    request: SurfaceRequest, review: Review, *, confirm: Callable[[], str], cancel_url: str
) -> HttpResponse:
    """Say what is about to happen; when the user agrees, do it and go where `confirm` says.

    A refusal (`DomainError`) is shown above what was to happen, and nothing was written; so is
    what would happen now, where the user agreed to something else.
    """
    page = FormPage(review.title, review.submit, cancel_url)
    form = Form(request.POST if request.method == "POST" else None)
    if _is_agreed(request, form, review):
        try:
            with transaction.atomic():
                return HttpResponseRedirect(confirm())
        except DomainError as refusal:
            form.add_error(None, str(refusal))
    return _reviewed(request, page, form, review)


def _is_agreed(request: SurfaceRequest, form: Form, review: Review) -> bool:
    """Whether the user agreed to this very review for the first time; else the form says why."""
    if CONFIRMED not in request.POST:
        return False
    if request.POST.get(STATED, review.stated) != review.stated:
        form.add_error(None, "This has changed since you saw it: look again before you agree.")
        return False
    if not _is_first(request):
        form.add_error(None, "You have sent this already. To do it once more, agree again.")
        return False
    return True


def _is_first(request: SurfaceRequest) -> bool:
    """Whether nobody agreed to this showing of the review before, also not at the same instant."""
    once = request.POST.get(ONCE)
    if once is None:
        return True
    key = hashlib.sha256(f"{request.scope.user_id}\0{once}".encode()).hexdigest()
    return bool(cache.add(f"agreed:{key}", value=True, timeout=_ONCE_SECONDS))


def _refuse(form: Form, refusal: DomainError, fields_of: Mapping[type[DomainError], str]) -> None:
    """Put the refusal to the fields that it names, where the form has them all, or to one field."""
    if refusal.by_field and refusal.by_field.keys() <= form.fields.keys():
        for name, text in refusal.by_field.items():
            form.add_error(name, text)
    else:
        form.add_error(fields_of.get(type(refusal)), str(refusal))


def _shown(request: SurfaceRequest, page: FormPage, form: Form) -> HttpResponse:
    context = {"page": page, "form": form, **page.context}
    return render(request, page.template, context, status=_status(form))


def _reviewed(request: SurfaceRequest, page: FormPage, form: Form, review: Review) -> HttpResponse:
    context = {"page": page, "form": form, "review": review, "once": uuid4().hex, **page.context}
    return render(request, "shared/review_page.html", context, status=_status(form))


def _status(form: Form) -> HTTPStatus:
    """Whether what was sent was refused, for programs and tests to see."""
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.errors else HTTPStatus.OK
