"""What identifies the bytes of a received file."""

import hashlib
from io import RawIOBase
from typing import BinaryIO


class Fingerprint(RawIOBase):
    """Passes a stream on, counting and hashing what goes by."""

    def __init__(self, content: BinaryIO) -> None:
        self.content = content
        self.size_bytes = 0
        self._hash = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        part = self.content.read(len(buffer))
        buffer[: len(part)] = part
        self._hash.update(part)
        self.size_bytes += len(part)
        return len(part)

    def hexdigest(self) -> str:
        """The SHA-256 of all bytes that went by."""
        return self._hash.hexdigest()
