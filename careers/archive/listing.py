"""List the objects of the archive, and compare them with what was stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from enum import Enum
from itertools import islice
from typing import Any

from careers.applications.errors import EffectError, Permanent
from careers.archive.bucket import probe
from careers.archive.connection import connected
from careers.archive.failures import explained

_CHUNK = 64 * 1024
#: Objects that are compared at the same time: reading is mostly waiting.
_AT_ONCE = 8


class Verdict(Enum):
    """The result of comparing an object with what was stored."""

    VERIFIED = "verified"
    MISSING = "missing"
    CHANGED = "changed"
    #: The archive answers, but fails for this object.
    UNREADABLE = "unreadable"


def folders(prefix: str) -> Iterator[str]:
    """The names of the folders directly below ``prefix``, without slashes."""
    for page in _pages(prefix, Delimiter="/"):
        for entry in page.get("CommonPrefixes", ()):
            yield entry["Prefix"].removeprefix(prefix).rstrip("/")


def keys_below(prefix: str) -> Iterator[str]:
    """The keys of all objects that begin with ``prefix``."""
    for page in _pages(prefix):
        for entry in page.get("Contents", ()):
            yield entry["Key"]


def compare(objects: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Verdict]]:
    """Read objects back, several at a time, and compare each with what was stored.

    Args:
        objects: keys, each with the expected SHA-256 of its content.

    Yields:
        The keys in their order, each with the verdict.

    Raises:
        Transient, Misconfigured: the archive as a whole can't be used, so there are no verdicts.
    """
    probe()
    rest = iter(objects)
    with connected() as (client, bucket), ThreadPoolExecutor(_AT_ONCE) as pool:
        # In batches: there may be millions of objects, each several megabytes long.
        while some := list(islice(rest, 4 * _AT_ONCE)):
            verdicts = pool.map(lambda each: _verdict(client, bucket, *each), some)
            for (key, _sha256), verdict in zip(some, verdicts, strict=True):
                if verdict is Verdict.UNREADABLE:
                    # An unreadable object is a result; an archive that does not answer is an error.
                    probe()
                yield key, verdict


def _pages(prefix: str, **options: str) -> Iterator[dict[str, Any]]:
    with connected() as (client, bucket):
        paginator = client.get_paginator("list_objects_v2")
        yield from paginator.paginate(Bucket=bucket, Prefix=prefix, **options)


def _verdict(client: Any, bucket: str, key: str, sha256: str) -> Verdict:
    try:
        with explained(bucket):
            found = _sha256(client, bucket, key)
            if found == sha256:
                return Verdict.VERIFIED
            # The network may damage one reading. The same result twice comes from the object.
            again = _sha256(client, bucket, key)
            if again == sha256:
                return Verdict.VERIFIED
            return Verdict.CHANGED if again == found else Verdict.UNREADABLE
    except Permanent as error:
        return Verdict.MISSING if error.code == "archive-missing" else Verdict.UNREADABLE
    except EffectError:
        return Verdict.UNREADABLE


def _sha256(client: Any, bucket: str, key: str) -> str:
    digest = hashlib.sha256()
    with closing(client.get_object(Bucket=bucket, Key=key)["Body"]) as body:
        for chunk in body.iter_chunks(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
