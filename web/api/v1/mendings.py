"""What is done about suspense: asked for, watched while a worker is at it, and its result."""

from http import HTTPStatus
from typing import Any

from django.urls import path, reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cdr.models import Mending
from cdr.rules.mending import Change, ChangeKind, Choice
from cdr.selectors.suspense import mendings
from cdr.services.mending import (
    ChoiceChanged,
    MendingNotFailed,
    NotTakenBack,
    ask_for_mending,
    start_mending_again,
    take_back,
)
from cdr.services.mending_previews import preview_change
from common import clock
from web.api.endpoint import Endpoint
from web.api.pages import NothingIn, PageIn, StrictIn, page_response, read_nothing, read_query
from web.api.problems import Refused
from web.api.v1.legs import instant_out
from web.api.v1.suspense_choices import (
    LARGEST_ID,
    ChangeIn,
    ChangeOut,
    ChoiceIn,
    ChoiceOut,
    change_asked_for,
    change_out,
    choice_asked_for,
    choice_out,
)

Kind = Mending.Kind
KINDS = [kind.lower() for kind in Kind.values]
STATES = [state.lower() for state in Mending.State.values]
ASKED_FOR = [kind for kind in KINDS if kind != Kind.REOPEN.lower()]


class StatedIn(StrictIn):
    """What whoever agrees to it was told."""

    row_count = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_ID,
        help_text="It is refused, with 409, if other rows are chosen by now than so many.",
    )


class MendingIn(StatedIn):
    """What is to be done about chosen suspense."""

    kind = serializers.ChoiceField(
        choices=ASKED_FOR,
        help_text="accept: what is too old or in the future is rated nevertheless.",
    )
    choice = ChoiceIn()
    change = ChangeIn(required=False, help_text="For correct.")
    note = serializers.CharField(
        required=False, max_length=300, help_text="Why: needed to accept and to discard."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Whoever corrects says what, and nobody else does.

        :raises ValidationError: of `change`.
        """
        if (attrs["kind"] == Kind.CORRECT.lower()) != ("change" in attrs):
            why = "Say what is to be read otherwise, and correct, or neither."
            raise serializers.ValidationError({"change": [why]})
        return attrs


class WaitingCountOut(serializers.Serializer[Any]):
    """How many rows wait on for a reason."""

    reason = serializers.CharField()
    row_count = serializers.IntegerField()


class MendingOut(serializers.Serializer[Any]):
    """What was asked for, how far it is, and what came of it so far."""

    id = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=KINDS)
    state = serializers.ChoiceField(
        choices=STATES, help_text="failed: given up, until it is started again."
    )
    error = serializers.CharField(help_text="Why it was given up; empty: it was not.")
    choice = ChoiceOut()
    change = ChangeOut(allow_null=True)
    note = serializers.CharField()
    undone = serializers.IntegerField(allow_null=True, help_text="What it takes back.")
    row_count = serializers.IntegerField()
    done_count = serializers.IntegerField(help_text="The three counts below together.")
    freed_count = serializers.IntegerField(help_text="Wait no more.")
    waiting_count = serializers.IntegerField(help_text="Wait on.")
    left_count = serializers.IntegerField(help_text="It did not concern them.")
    waiting = WaitingCountOut(many=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class MendingPageOut(serializers.Serializer[Any]):
    results = MendingOut(many=True)
    next = serializers.CharField(allow_null=True, help_text="Address of the next page.")


class MendingsIn(PageIn):
    """Which of them; without any, all, the latest first."""

    kind = serializers.ChoiceField(choices=KINDS, required=False)
    state = serializers.ChoiceField(choices=STATES, required=False)


class Mendings(Endpoint):
    """What was done, and the door for more."""

    needs = {"GET": "xdrs:read", "POST": "xdrs:write"}

    @extend_schema(operation_id="list_mendings", parameters=[MendingsIn], responses=MendingPageOut)
    def get(self, request: Request) -> Response:
        """What was done about suspense, the latest first."""
        asked = read_query(MendingsIn, request)
        rows = mendings(self.scope)
        for name in ("kind", "state"):
            if name in asked:
                rows = rows.filter(**{name: asked[name].upper()})
        return page_response(request, rows, asked, lambda page: [_mending_out(row) for row in page])

    @extend_schema(operation_id="create_mending", request=MendingIn, responses={202: MendingOut})
    def post(self, request: Request) -> Response:
        """Have chosen suspense tried again, corrected, accepted or discarded by a worker.

        202: a worker is at it; look at it again until its state is done or failed.
        """
        read_query(NothingIn, request)
        asked = MendingIn(data=request.data)
        asked.is_valid(raise_exception=True)
        return _accepted(self._ask(asked.validated_data))

    def _ask(self, said: dict[str, Any]) -> Mending:
        choice = choice_asked_for(self.scope, said["choice"])
        change = change_asked_for(said["change"], choice) if "change" in said else None
        if change is not None:
            self._refuse_unreadable(choice, change)
        try:
            return ask_for_mending(
                provider_id=self.scope.provider_id,
                kind=Kind(said["kind"].upper()),
                choice=choice,
                change=change,
                note=said.get("note", ""),
                stated_count=said.get("row_count"),
                at=clock.now(),
                actor_id=self.scope.user_id,
            )
        except ChoiceChanged as conflict:
            raise _conflict(conflict) from conflict

    def _refuse_unreadable(self, choice: Choice, change: Change) -> None:
        """A line that cannot be read as corrected either is refused while somebody looks."""
        if change.kind is ChangeKind.LINE:
            preview_change(self.scope, choice, change, clock.now())


class OneMending(Endpoint):
    """One of them, to be asked for until it has ended."""

    needs = {"GET": "xdrs:read"}

    @extend_schema(operation_id="get_mending", responses=MendingOut)
    def get(self, request: Request, mending_id: int) -> Response:
        """How far it is, and what came of the rows."""
        read_query(NothingIn, request)
        return Response(_mending_out(mendings(self.scope).get(pk=mending_id)))


class TakingBack(Endpoint):
    """What was discarded waits again."""

    needs = {"POST": "xdrs:write"}

    @extend_schema(operation_id="take_back_mending", request=StatedIn, responses={202: MendingOut})
    def post(self, request: Request, mending_id: int) -> Response:
        """Have what a mending discarded wait again, for what it waited for.

        202: a worker is at it, as another mending.
        """
        read_query(NothingIn, request)
        asked = StatedIn(data=request.data)
        asked.is_valid(raise_exception=True)
        undone = mendings(self.scope).get(pk=mending_id)
        try:
            back = take_back(
                mending_id=undone.pk,
                stated_count=asked.validated_data.get("row_count"),
                at=clock.now(),
                actor_id=self.scope.user_id,
            )
        except (ChoiceChanged, NotTakenBack) as conflict:
            raise _conflict(conflict) from conflict
        return _accepted(back)


class StartingAgain(Endpoint):
    """What was given up goes on."""

    needs = {"POST": "xdrs:write"}

    @extend_schema(operation_id="start_mending_again", request=None, responses={202: MendingOut})
    def post(self, request: Request, mending_id: int) -> Response:
        """Have a failed mending go on where it failed; what it did stays.

        202: a worker is at it again, tried anew. 409: it has not failed.
        """
        read_nothing(request)
        failed = mendings(self.scope).get(pk=mending_id)
        try:
            start_mending_again(mending_id=failed.pk, at=clock.now(), actor_id=self.scope.user_id)
        except MendingNotFailed as conflict:
            raise _conflict(conflict) from conflict
        return _accepted(mendings(self.scope).get(pk=failed.pk))


def _conflict(error: ChoiceChanged | NotTakenBack | MendingNotFailed) -> Refused:
    return Refused(HTTPStatus.CONFLICT, error.code, str(error))


def _accepted(mending: Mending) -> Response:
    url = reverse("api_mending", kwargs={"mending_id": mending.pk})
    body = _mending_out(mending)
    return Response(body, status=HTTPStatus.ACCEPTED, headers={"Location": url})


def _mending_out(mending: Mending) -> dict[str, Any]:
    counts = ("row_count", "done_count", "freed_count", "waiting_count", "left_count")
    waiting = sorted(mending.waiting_counts.items(), key=lambda each: (-each[1], each[0]))
    return {
        "id": mending.pk,
        "kind": mending.kind.lower(),
        "state": mending.state.lower(),
        "error": mending.try_error if mending.state == Mending.State.FAILED else "",
        "choice": choice_out(mending.choice, mending.source.slug if mending.source else None),
        "change": change_out(mending.correction),
        "note": mending.note,
        "undone": mending.undone_id,
        **{name: getattr(mending, name) for name in counts},
        "waiting": [{"reason": reason, "row_count": count} for reason, count in waiting],
        "created_at": instant_out(mending.created_at),
        "finished_at": mending.finished_at and instant_out(mending.finished_at),
    }


urls = [
    path("mendings", Mendings.as_view(), name="api_mendings"),
    path("mendings/<int:mending_id>", OneMending.as_view(), name="api_mending"),
    path("mendings/<int:mending_id>/take-back", TakingBack.as_view(), name="api_mending_take_back"),
    path(
        "mendings/<int:mending_id>/start-again",
        StartingAgain.as_view(),
        name="api_mending_start_again",
    ),
]
