"""How long a processor is at each page about suspense, here and in its database connection."""

from http import HTTPStatus
from urllib.parse import urlencode

from django.conf import settings
from django.test import Client

from benchmarks.lists.measure import busy_milliseconds
from cdr.models import Suspense
from tenancy.models import Provider
from tests.factories import make_staff

AT = "/console/usage/suspense/"
TIMES = 5


def measure_pages(provider: Provider) -> dict[str, float]:
    """Milliseconds of a request to each page, on average, once it has been asked for."""
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(make_staff(provider))
    row = Suspense.objects.filter(provider=provider, state=Suspense.State.OPEN).earliest("pk")
    reason = f"reason={row.reason}"
    group = urlencode({"source": row.source_id, "named_by": row.named_by, "subject": row.subject})
    addresses = {
        "groups": AT,
        "groups of a reason": f"{AT}?{reason}",
        "rows": f"{AT}rows/",
        "rows of a reason": f"{AT}rows/?{reason}",
        "rows of a group": f"{AT}rows/?{reason}&{group}",
        "rows of a file": f"{AT}rows/?file={row.chunk.file_id}",
        "rows that wait for nothing named": f"{AT}rows/?nameless=1",
        "rows discarded": f"{AT}rows/?state=DISCARDED",
        "review of trying all again": f"{AT}try-again/",
        "review of trying a group again": f"{AT}try-again/?{reason}&{group}",
    }
    taken = {name: _milliseconds(client, address) for name, address in addresses.items()}
    sent = {"field": "account_code", "kind": "SET", "new_text": "acc00000"}
    preview = f"{AT}correct/?{reason}&{group}"
    return {**taken, "preview of a correction": _milliseconds(client, preview, sent)}


def _milliseconds(client: Client, address: str, sent: dict[str, str] | None = None) -> float:
    busy = 0.0
    for time in range(TIMES + 1):
        if time == 1:
            busy = busy_milliseconds()
        answer = client.get(address) if sent is None else client.post(address, sent)
        assert answer.status_code == HTTPStatus.OK, f"{address}: {answer.status_code}"
    return round((busy_milliseconds() - busy) / TIMES, 1)
