"""What a child answers: one JSON text, then bytes.

JSON and not pickle: a file may have taken over the child, and a pickle could take over the reader.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from typing import Any

#: The longest JSON text and the most bytes that a reader accepts.
HEAD_LIMIT, BYTES_LIMIT = 4 * 1024 * 1024, 64 * 1024 * 1024
#: The most bytes of what the fork server is asked; they travel in one piece.
ASKED_LIMIT = 16 * 1024
_LENGTH = struct.Struct("!I")
_CHUNK = 1024 * 1024


class Broken(Exception):
    """The other process ended, or sent something that is no message."""


def head(values: dict[str, Any], sizes: Sequence[int] = ()) -> bytes:
    """The beginning of a message, which parts of so many bytes follow."""
    text = json.dumps({**values, "sizes": sizes}).encode()
    return _LENGTH.pack(len(text)) + text


def read(receive: Callable[[int], bytes]) -> tuple[dict[str, Any], list[bytes]]:
    """Read one message.

    Args:
        receive: returns up to so many bytes, and b"" at the end, as ``socket.recv``.

    Raises:
        Broken: see there. OSError: from ``receive``.
    """
    (length,) = _LENGTH.unpack(_exactly(receive, _LENGTH.size, HEAD_LIMIT))
    try:
        values = json.loads(_exactly(receive, length, HEAD_LIMIT))
        sizes = values.pop("sizes")
        if not all(type(size) is int and size >= 0 for size in sizes):
            raise Broken
        if sum(sizes) > BYTES_LIMIT:
            raise Broken
        return values, [_exactly(receive, size, BYTES_LIMIT) for size in sizes]
    except (ValueError, AttributeError, KeyError, TypeError, RecursionError):
        raise Broken from None


def _exactly(receive: Callable[[int], bytes], size: int, limit: int) -> bytes:
    if size > limit:
        raise Broken
    received = bytearray()
    while len(received) < size:
        piece = receive(min(size - len(received), _CHUNK))
        if not piece:
            raise Broken
        received += piece
    return bytes(received)
