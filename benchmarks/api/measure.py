"""Ask a web server of its own for one xDR after another, from many clients at once."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from django.core.management import call_command
from django.db import connection

from benchmarks.imports.measure import postmaster_pid
from benchmarks.imports.workers import cpu_seconds
from benchmarks.imports.world import make_world
from cdr.models import Source
from demo.processes import WEB_ARGUMENTS
from embedded.ports import pick_port
from tests.factories.api import make_token

WARM_UP_CALLS = 300
FIRST_CALLS = 150
"""Paced calls before those that count: enough for each thread's connection to have served one."""
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Round:
    """Milliseconds from when a call was due to its answer; `load` is the machine's before.

    The processor's milliseconds are a call's, of web processes, of PostgreSQL and of the clients,
    which share its cores: what others on the machine do changes them little. `calls_a_second` 0
    stands for no pause between calls.
    """

    calls_a_second: float
    requests: int
    answered_a_second: float
    p50: float
    p95: float
    p99: float
    slowest: float
    load: float
    web_cpu_milliseconds: float
    postgres_cpu_milliseconds: float
    clients_cpu_milliseconds: float


@dataclass(frozen=True)
class Figures:
    """The same clients, once calling when calls are due and once without a pause."""

    clients: int
    paced: Round
    without_pause: Round


@dataclass(frozen=True)
class Answered:
    """One call: when it was due and when its answer was there."""

    due: float
    done: float


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--calls", type=int, default=2_000)
    parser.add_argument("--calls-a-second", type=float, default=50)
    parser.add_argument("--prefixes", type=int, default=5_000)
    parser.add_argument("--customers", type=int, default=2_000)
    print(json.dumps(asdict(measure(parser.parse_args())), indent=2))


def measure(options: argparse.Namespace) -> Figures:
    call_command("migrate", verbosity=0)
    source = make_world(options.prefixes, options.customers)
    source.format = Source.Format.TOLLGATE_JSON
    source.save(update_fields=["format"])
    _, secret = make_token(source.provider, "xdrs:write")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as autovacuum has done long ago where customers were onboarded
    port = pick_port()
    gunicorn = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        [*gunicorn, *WEB_ARGUMENTS], env=os.environ | {"PUBLIC_URL": f"http://127.0.0.1:{port}"}
    )
    try:
        wait_for(port)
        load = Load(port, secret, options.customers)
        asyncio.run(load.run(options.clients, WARM_UP_CALLS, 0))
        asyncio.run(load.run(options.clients, FIRST_CALLS, options.calls_a_second))
        paced = measure_round(load, options, server.pid, options.calls_a_second)
        without_pause = measure_round(load, options, server.pid, 0)
    finally:
        server.terminate()
        server.wait()
    return Figures(options.clients, paced, without_pause)


def measure_round(
    load: "Load", options: argparse.Namespace, web: int, calls_a_second: float
) -> Round:
    before, postgres = os.getloadavg()[0], postmaster_pid()
    web_before, postgres_before = cpu_seconds(web), cpu_seconds(postgres)
    clients_before = time.process_time()
    began = time.perf_counter()
    answered = asyncio.run(load.run(options.clients, options.calls, calls_a_second))
    seconds = time.perf_counter() - began
    clients_cpu = time.process_time() - clients_before
    web_cpu = cpu_seconds(web) - web_before
    postgres_cpu = cpu_seconds(postgres) - postgres_before
    waits = np.array([(each.done - each.due) * 1000 for each in answered])
    p50, p95, p99 = (round(float(np.percentile(waits, share)), 1) for share in (50, 95, 99))
    return Round(
        calls_a_second=calls_a_second,
        requests=len(waits),
        answered_a_second=round(len(waits) / seconds, 1),
        p50=p50,
        p95=p95,
        p99=p99,
        slowest=round(float(waits.max()), 1),
        load=round(before, 2),
        web_cpu_milliseconds=round(web_cpu / len(waits) * 1000, 2),
        postgres_cpu_milliseconds=round(postgres_cpu / len(waits) * 1000, 2),
        clients_cpu_milliseconds=round(clients_cpu / len(waits) * 1000, 2),
    )


def wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the web server did not come up")


class Load:
    """Calls that end now, by customers in turn, each reported by the client whose turn it is."""

    def __init__(self, port: int, secret: str, customers: int) -> None:
        self.port, self.secret, self.customers = port, secret, customers
        self.made = 0

    async def run(self, clients: int, calls: int, calls_a_second: float) -> list[Answered]:
        """The calls as they were answered; all of them, or the first failure is raised."""
        share = calls // clients
        pause = clients / calls_a_second if calls_a_second else 0.0
        start = time.perf_counter() + 0.1
        each = [
            self._client(start + pause * number / clients, pause, share)
            for number in range(clients)
        ]
        return [answered for done in await asyncio.gather(*each) for answered in done]

    async def _client(self, due: float, pause: float, calls: int) -> list[Answered]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        answered = []
        for _ in range(calls):
            now = time.perf_counter()
            if pause and due > now:
                await asyncio.sleep(due - now)
            elif not pause:
                due = now
            writer.write(self._request())
            await writer.drain()
            await self._read(reader)
            answered.append(Answered(due, time.perf_counter()))
            due += pause
        writer.close()
        return answered

    def _request(self) -> bytes:
        self.made += 1
        number = self.made
        started_at = datetime.now(UTC) - timedelta(seconds=number % 300)
        body = json.dumps(
            {
                "started_at": started_at.isoformat(),
                "destination_number": f"+{100 + number % 900}{number:09}",
                "caller_number": "4930100000",
                "account_code": f"acc{number % self.customers:05}",
                "volume": number % 300 + 1,
                "call_id": f"call-{number}",
                "hangup_cause": "NORMAL_CLEARING",
            }
        ).encode()
        head = (
            "POST /api/v1/xdrs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.secret}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def _read(self, reader: asyncio.StreamReader) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.lower().partition("content-length:")[2].partition("\r\n")[0])
        body = await reader.readexactly(length)
        if " 201 " not in head.partition("\r\n")[0] or not json.loads(body)["legs"]:
            raise RuntimeError(f"{head}{body.decode()}")
