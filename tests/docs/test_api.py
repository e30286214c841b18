"""The calls of `docs/api.md`, run as they stand there, against a running server."""

import json
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from tests.factories.api import make_token
from tests.web.api.world import World

PAGE = (Path(__file__).resolve().parents[2] / "docs/api.md").read_text()
CALLS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
WRITTEN_AT = datetime(2026, 11, 2, tzinfo=UTC)

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed"),
]


def run(call: str, server: LiveServer, token: str) -> Any:
    environment = {"TOLLGATE": f"{server.url}/api/v1", "TOKEN": token, "PATH": "/usr/bin:/bin"}
    done = subprocess.run(
        ["bash", "-c", call], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


class TestTheCallsOfTheGuide:
    def test_do_what_the_guide_says(self, live_server: LiveServer) -> None:
        world = World()
        world.source.oldest_days = (timezone.now() - WRITTEN_AT).days + 400
        world.source.save(update_fields=["oldest_days"])
        _, token = make_token(world.provider)

        told = [run(call, live_server, token) for call in CALLS]
        one, many, files, xdrs, waits, groups, preview, mending, quote, tables = told

        assert (one["result"], one["waiting"]) == ("rated", [])
        assert [leg["kind"] for leg in one["legs"]] == ["customer", "vendor"]
        assert many["state"] == "received"
        assert files["results"][0]["id"] == many["id"]
        assert [xdr["call_id"] for xdr in xdrs["results"]] == ["4711"]
        assert [each["reason"] for each in waits["waiting"]] == ["unknown_customer"]
        assert [(each["subject"], each["row_count"]) for each in groups["results"]] == [
            ("acc-1", 1)
        ]
        assert (preview["row_count"], preview["freed_count"]) == (1, 1)
        assert (mending["state"], mending["row_count"]) == ("at_work", 1)
        assert [leg["is_due"] for leg in quote["legs"]] == [True, True]
        assert world.table.pk in [table["id"] for table in tables["results"]]
