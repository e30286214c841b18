"""A mail server of one's own on the loopback: it takes every message and keeps it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage


@dataclass
class MailServer:
    """Where it listens, and what it was given: (recipients, message)."""

    port: int
    refuses: bool = False
    received: list[tuple[list[str], EmailMessage]] = field(default_factory=list)


@contextmanager
def mail_server(*, refuses: bool = False) -> Iterator[MailServer]:
    """Speaks as much SMTP (RFC 5321) as a client needs; `refuses` turns every recipient away."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Conversation) as server:
        server.daemon_threads = True
        kept = MailServer(server.server_address[1], refuses)
        server.kept = kept  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield kept
        finally:
            server.shutdown()
            thread.join()


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.recipients: list[str] = []
        self._say("220 loopback")
        while line := self.rfile.readline():
            verb, _, rest = line.decode().strip().partition(" ")
            if verb.upper() == "QUIT":
                self._say("221 bye")
                return
            self._answer(verb.upper(), rest)

    def _answer(self, verb: str, rest: str) -> None:
        kept: MailServer = self.server.kept  # type: ignore[attr-defined]
        if verb == "RCPT" and kept.refuses:
            self._say("550 no such mailbox")
        elif verb == "DATA":
            self._say("354 go on")
            message = message_from_bytes(self._body(), policy=policy.default)
            assert isinstance(message, EmailMessage)
            kept.received.append((self.recipients, message))
            self._say("250 taken")
        else:
            if verb == "RCPT":
                self.recipients.append(rest.partition("<")[2].partition(">")[0])
            self._say("250 ok")

    def _body(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())
