"""The second tenancy lock: what the database lets a web request see.

Everything here is local to the transaction. A web request runs under the role `tollgate_web`,
which owns nothing and cannot bypass row-level security; before its user is known it is in the
`sign_in` phase, where only people and the user's own memberships are visible.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain

from django.db import connection, transaction

from common.postgres import METRICS_ROLE, WEB_ROLE

METRICS_TIMEOUT = "5s"

_NOBODY: dict[str, object] = {
    "phase": "",
    "provider_id": "",
    "user_id": "",
    "reseller_id": "",
    "token_id": "",
}
_SIGN_IN = _NOBODY | {"phase": "sign_in"}


@contextmanager
def web_role() -> Iterator[None]:
    """A transaction under the web role, in the sign-in phase."""
    with _under_web_role(_SIGN_IN):
        yield


@contextmanager
def web_role_for(*, provider_id: int, user_id: int | None) -> Iterator[None]:
    """A transaction under the web role in which only rows of one provider are visible."""
    with _under_web_role(_NOBODY | {"provider_id": provider_id, "user_id": user_id or ""}):
        yield


@contextmanager
def _under_web_role(seen: Mapping[str, object]) -> Iterator[None]:
    """Role and variables end with the transaction by themselves, but not with a savepoint."""
    is_inside_another = connection.in_atomic_block
    with transaction.atomic():
        _set(seen, role=WEB_ROLE)
        yield
        if is_inside_another and not connection.needs_rollback:
            _set(_NOBODY, role="none")


@contextmanager
def metrics_role() -> Iterator[None]:
    """A transaction that sees what is counted of every provider, and writes nothing.

    It gives up early: whoever collects metrics asks again.
    """
    with transaction.atomic():
        _execute(f"SET LOCAL ROLE {METRICS_ROLE}")
        _execute("SET LOCAL transaction_read_only = on")
        _execute("SELECT set_config('statement_timeout', %s, true)", METRICS_TIMEOUT)
        yield
        if not connection.needs_rollback:
            _execute("SET LOCAL ROLE NONE")
            _execute("SET LOCAL statement_timeout TO DEFAULT")


@contextmanager
def acting_for(
    *,
    provider_id: int,
    user_id: int | None,
    reseller_id: int | None = None,
    read_only: bool = False,
) -> Iterator[None]:
    """A savepoint in which only rows of one provider are visible, and none writable on wish.

    With `reseller_id`, only what the tables show to that reseller.
    """
    with transaction.atomic():
        seen = _NOBODY | {"provider_id": provider_id, "user_id": user_id or ""}
        _set(seen | {"reseller_id": reseller_id or ""})
        if read_only:
            _execute("SET LOCAL transaction_read_only = on")
        yield
        if not connection.needs_rollback:
            _set(_SIGN_IN | {"user_id": user_id or ""})


def introduce_program(*, provider_id: int, user_id: int | None, token_id: int) -> None:
    """Show the rest of the transaction only the rows of one provider.

    `token_id` is the API token that is put down with whatever is recorded. No savepoint ends it, as
    programs have no session to be looked after afterwards.
    """
    seen = {"provider_id": provider_id, "user_id": user_id or "", "token_id": token_id}
    _set(_NOBODY | seen)


@contextmanager
def among_everybody() -> Iterator[None]:
    """A savepoint that sees all people who can sign in, whose e-mails are unique among them all.

    A person just added is a member of nothing yet, hence else invisible to who adds them.
    """
    with transaction.atomic():
        phase = _setting("app.phase")
        _set_local(phase="sign_in")
        yield
        if not connection.needs_rollback:
            _set_local(phase=phase)


def introduce(user_id: int) -> None:
    """Show the rest of the transaction the memberships of the user who has signed in."""
    _set_local(user_id=user_id)


def _setting(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [name])
        row: tuple[str] = cursor.fetchone()
    return row[0]


def _set_local(**values: object) -> None:
    _set(values)


def _set(values: Mapping[str, object], *, role: str | None = None) -> None:
    """Set variables of ours and, by the same statement, the role."""
    pairs = [] if role is None else [("role", role)]
    pairs += [(f"app.{name}", str(value)) for name, value in values.items()]
    calls = ", ".join("set_config(%s, %s, true)" for _ in pairs)
    _execute(f"SELECT {calls}", *chain.from_iterable(pairs))


def _execute(sql: str, *parameters: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters or None)
