"""Text of compressed files, and what is sent to fill a disk."""

import gzip
import io
import zipfile
from io import BytesIO

import pytest

from cdr.importers import unpacking
from cdr.importers.chunks import FileTooLarge, FileUnreadable
from cdr.importers.fingerprints import Fingerprint
from cdr.importers.unpacking import ArchiveRefused, FileExpandsTooMuch, copy_text
from common.errors import DomainError

TEXT = b"first\nsecond\n"


def archive(*members: tuple[str, bytes]) -> bytes:
    content = BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as target:
        for name, text in members:
            target.writestr(name, text)
    return content.getvalue()


def unpacked(content: bytes, max_bytes: int = 10**9) -> tuple[bytes, Fingerprint]:
    received, target = Fingerprint(BytesIO(content)), io.BytesIO()
    size = copy_text(received, target, name="calls", max_bytes=max_bytes)
    assert size == len(target.getvalue())
    return target.getvalue(), received


class TestCopyText:
    @pytest.mark.parametrize(
        "content",
        [TEXT, gzip.compress(TEXT), archive(("calls.csv", TEXT)), archive(("a/calls.csv", TEXT))],
        ids=["text", "gzip", "zip", "zip with a folder"],
    )
    def test_gives_the_text_and_hashes_what_was_received(self, content: bytes) -> None:
        text, received = unpacked(content)

        assert text == TEXT
        assert received.size_bytes == len(content)

    def test_passes_over_what_a_mac_adds(self) -> None:
        content = archive(("calls.csv", TEXT), ("__MACOSX/._calls.csv", b"x"), ("folder/", b""))

        assert unpacked(content)[0] == TEXT

    @pytest.mark.parametrize("members", [[], [("a", TEXT), ("b", TEXT)]])
    def test_takes_an_archive_of_one_file(self, members: list[tuple[str, bytes]]) -> None:
        content = archive(*members)
        if not members:
            content = archive(("__MACOSX/x", b"x"))

        with pytest.raises(ArchiveRefused, match=f"holds {len(members)} files"):
            unpacked(content)

    @pytest.mark.parametrize(
        ("content", "refusal"),
        [
            (archive(("calls", TEXT * 50))[:-30], FileUnreadable),
            (archive(("calls", TEXT * 50))[:40], FileUnreadable),
            (gzip.compress(TEXT)[:-9], FileUnreadable),
            (gzip.compress(archive(("calls", TEXT))), FileUnreadable),
            (archive(("calls", gzip.compress(TEXT))), FileUnreadable),
            (b"PK\x03\x04" + b"x" * 100, FileUnreadable),
        ],
        # Not by their bytes, which hold the time when they were packed.
        ids=["zip cut", "zip cut early", "gzip cut", "zip in gzip", "gzip in zip", "no zip"],
    )
    def test_refuses_what_is_damaged_or_packed_twice(
        self, content: bytes, refusal: type[DomainError]
    ) -> None:
        with pytest.raises(refusal):
            unpacked(content)

    def test_refuses_an_encrypted_file(self) -> None:
        content = bytearray(archive(("calls", TEXT)))
        central = content.index(b"PK\x01\x02")
        content[6] |= 1
        content[central + 8] |= 1

        with pytest.raises(ArchiveRefused, match="encrypted"):
            unpacked(bytes(content))

    @pytest.mark.parametrize("way", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_refuses_ways_of_packing_that_unfold_at_once(self, way: int) -> None:
        content = BytesIO()
        with zipfile.ZipFile(content, "w", way) as target:
            target.writestr("calls", TEXT)

        with pytest.raises(ArchiveRefused, match="unusual way"):
            unpacked(content.getvalue())

    def test_refuses_a_name_that_is_no_text(self) -> None:
        content = archive(("caf\u00e9", TEXT)).replace("caf\u00e9".encode(), b"caf\xff\xff")

        with pytest.raises(FileUnreadable):
            unpacked(content)

    @pytest.mark.parametrize("pack", [gzip.compress, lambda text: archive(("calls", text))])
    def test_stops_at_the_most_text(self, pack: object) -> None:
        assert callable(pack)

        with pytest.raises(FileTooLarge, match="more than 100 bytes of text"):
            unpacked(pack(b"\n" * 101), max_bytes=100)

    @pytest.mark.parametrize("pack", [gzip.compress, lambda text: archive(("calls", text))])
    def test_stops_what_expands_as_no_usage_does(
        self, pack: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert callable(pack)
        monkeypatch.setattr(unpacking, "_EXPANSION_SEEN_FROM", 1_000_000)
        bomb = pack(b"0" * 8_000_000)

        with pytest.raises(FileExpandsTooMuch, match="more than 200 bytes of text for each byte"):
            unpacked(bomb)

    def test_refuses_an_archive_that_lists_very_many_files(self) -> None:
        content = archive(*((f"{number:04}", b"") for number in range(2000)))

        with pytest.raises(ArchiveRefused, match="lists too many files"):
            unpacked(content)
