"""A ZIP file, read as a chain of bounded parts: counts and sizes first, then every checksum.

Office programs, virus scanners and unpackers read a ZIP in different ways. A file that they could
read differently (names twice, parts that overlap, bytes that belong to no part) is refused.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from careers.inspection import signatures
from careers.inspection.verdicts import Refused, Verdict

#: Parts of one file with all files inside it; bytes that they unpack to; the longest name.
ENTRIES, UNPACKED, NAME = 2000, 200 * 1024 * 1024, 512
#: How often a part may unpack to its own size. Deflate reaches 1032; tables of XML reach 100.
RATIO, RATIO_FROM = 200, 4 * 1024 * 1024
#: Bytes that are read of a part that has to be understood.
PART = 32 * 1024 * 1024
#: Bytes of each part that are kept to recognise it.
START = 4096

_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1 | 0x40
_UNSAFE_NAME = re.compile(r"^[/\\]|^[A-Za-z]:|(^|[/\\])\.\.([/\\]|$)|[\x00-\x1f]")
#: How the two copies of a name may be written; programs disagree on when to say UTF-8.
_CHARSETS = ("utf-8", "cp437")
_LOCAL = b"PK\x03\x04"


class Budget:
    """What a file and all files inside it may unpack to, together."""

    def __init__(self, entries: int = ENTRIES, unpacked: int = UNPACKED) -> None:
        self.entries, self.unpacked = entries, unpacked

    def spend(self, entries: int, unpacked: int) -> None:
        """Raises Refused when nothing is left."""
        self.entries -= entries
        self.unpacked -= unpacked
        if self.entries < 0 or self.unpacked < 0:
            raise Refused(Verdict.TOO_COMPLEX)


@dataclass(frozen=True)
class Part:
    """A part of a ZIP file: its name, its size in bytes, and its first bytes."""

    name: str
    size: int
    start: bytes


class Package:
    """An open ZIP file whose structure is sound.

    Args:
        content: the bytes of the file.
        budget: what it may unpack to.

    Raises:
        Refused: it is damaged, locked or ambiguous, or exceeds a limit.
    """

    def __init__(self, content: bytes, budget: Budget) -> None:
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(content))
            entries = self._zip.infolist()
        except (MemoryError, Refused):
            raise
        except Exception:  # a parser may fail in any way on such bytes
            raise Refused(Verdict.DAMAGED) from None
        budget.spend(len(entries), sum(entry.file_size for entry in entries))
        self._check_entries(entries)
        self._check_places(content, entries)
        #: Part names differ in more than capitals (ECMA-376 part 2, 6.2.2).
        self._by_name = {entry.filename.lower(): entry for entry in entries}

    def _check_entries(self, entries: list[zipfile.ZipInfo]) -> None:
        seen = set()
        for entry in entries:
            name = entry.filename
            if entry.flag_bits & _ENCRYPTED:
                raise Refused(Verdict.LOCKED)
            if (
                entry.compress_type not in _METHODS
                or not name
                or len(name) > NAME
                or _UNSAFE_NAME.search(name)
                # zipfile cuts a name at its first NUL; other programs may not.
                or entry.orig_filename != name
                or name.lower() in seen
            ):
                raise Refused(Verdict.DAMAGED)
            seen.add(name.lower())
            if entry.file_size > max(RATIO_FROM, entry.compress_size * RATIO):
                raise Refused(Verdict.TOO_COMPLEX)

    def _check_places(self, content: bytes, entries: list[zipfile.ZipInfo]) -> None:
        """Each part must lie where the table of contents says, and share no byte with another."""
        end = 0
        for entry in sorted(entries, key=lambda entry: entry.header_offset):
            at = entry.header_offset
            head = content[at : at + 30]
            if at < end or len(head) < 30 or not head.startswith(_LOCAL):
                raise Refused(Verdict.DAMAGED)
            name_length = int.from_bytes(head[26:28], "little")
            extra_length = int.from_bytes(head[28:30], "little")
            raw_name = content[at + 30 : at + 30 + name_length]
            if entry.orig_filename not in (raw_name.decode(c, "replace") for c in _CHARSETS):
                raise Refused(Verdict.DAMAGED)
            end = at + 30 + name_length + extra_length + entry.compress_size
        first = min((entry.header_offset for entry in entries), default=0)
        if end > self._zip.start_dir or first:
            raise Refused(Verdict.DAMAGED)

    def has(self, name: str) -> bool:
        """Whether there is such a part; capitals do not matter."""
        return name.lower() in self._by_name

    def names(self) -> list[str]:
        """The names of all parts, as they are written."""
        return [entry.filename for entry in self._by_name.values()]

    def read(self, name: str, limit: int = PART) -> bytes:
        """The bytes of a part that has to be understood; b"" when there is none.

        Raises:
            Refused: it is larger than ``limit`` bytes, or damaged.
        """
        entry = self._by_name.get(name.lower())
        if entry is None:
            return b""
        if entry.file_size > limit:
            raise Refused(Verdict.TOO_COMPLEX)
        return b"".join(self._chunks(entry))

    def verified(self) -> Iterator[Part]:
        """Every part, unpacked once so that its checksum is known to be right.

        Raises:
            Refused: a part is damaged.
        """
        for entry in self._by_name.values():
            start = b""
            for chunk in self._chunks(entry):
                if len(start) < START:
                    start += chunk[: START - len(start)]
            yield Part(entry.filename, entry.file_size, start)

    def _chunks(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        """The bytes of a part. zipfile compares the checksum at the end."""
        left = entry.file_size
        try:
            with self._zip.open(entry) as part:
                while chunk := part.read(1024 * 1024):
                    left -= len(chunk)
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError):
            raise Refused(Verdict.DAMAGED) from None
        except NotImplementedError:
            raise Refused(Verdict.DAMAGED) from None
        if left:
            raise Refused(Verdict.DAMAGED)


def is_package(start: bytes) -> bool:
    """Whether a part is a ZIP file itself."""
    return start.startswith(signatures.ZIP)
