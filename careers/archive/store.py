"""Put, verify, fetch, compare, restore and delete objects in the private bucket.

The bucket is the storage alias ``archive``; only its client is used, because
``S3Storage.save`` can neither write an object only where there is none nor say which version
it wrote.

Servers that speak S3 differ: AWS honours ``If-None-Match`` and checks a SHA-256 sent along,
others accept both and ignore them. So only AWS's word is taken; everywhere else an object is
looked for before it is written and read back afterwards. That is safe without any lock,
because a key names its content: two writers can only write the same bytes. What a server does
is told to the operator (``honours_conditions``) and decides nothing here: it may change with
the server's next version, and knowing it would save one request a file.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import storages
from django.utils.translation import gettext as _

from careers.applications.errors import EffectError, Misconfigured, Permanent, Transient
from careers.archive.failures import answered, date_of, explained

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.exceptions import ClientError

#: Seconds that a look at the archive's health may take, each for connecting and for an answer.
PROBE_TIMEOUT = 3
#: Beside the folder of the applications.
PROBE_KEY = "careers-probe"
_CHUNK = 64 * 1024
#: Objects that are compared at the same time: reading is mostly waiting.
_AT_ONCE = 8


@dataclass(frozen=True)
class StoredObject:
    """An object whose content in the archive was compared with ours.

    ``version`` is "" where the bucket keeps no versions.
    """

    key: str
    version: str
    sha256: str
    size: int


class Verdict(Enum):
    """What a look at an object found."""

    VERIFIED = "verified"
    MISSING = "missing"
    CHANGED = "changed"
    #: The archive answers, but not for this object.
    UNREADABLE = "unreadable"


def put(key: str, content: bytes, content_type: str) -> StoredObject:
    """Store ``content`` under ``key`` if nothing is there yet, and verify what is there.

    Safe to repeat: the same content under the same key is a success, whoever wrote it.
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)

    Args:
        key: as ``keys.file_key`` makes it; it must contain the content's SHA-256.

    Raises:
        ValueError: the key does not name the content.
        Permanent: the key holds other content (``archive-conflict``), which is left alone.
        Transient, Misconfigured: see ``failures``.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 not in key:
        raise ValueError("An archive key must contain the SHA-256 of its content.")
    with _client() as (client, bucket):
        aws = _is_aws(client)
        if not aws and _exists(client, bucket, key):
            return _verified(client, bucket, key, sha256)
        written = _write_if_absent(client, bucket, key, content, content_type, sha256, aws=aws)
        if aws and written and written.get("ChecksumSHA256") == _base64(sha256):
            return StoredObject(key, _version(written), sha256, len(content))
        return _verified(client, bucket, key, sha256)


def fetch(key: str, *, sha256: str = "") -> bytes:
    """The content of an object.

    Args:
        sha256: what the content must be; "" skips the comparison.

    Raises:
        Permanent: the object is missing (``archive-missing``) or its content is not the
            expected one (``archive-changed``).
        Transient, Misconfigured: see ``failures``.
    """
    with _client() as (client, bucket):
        content, _version_id = _read(client, bucket, key)
        if sha256 and hashlib.sha256(content).hexdigest() != sha256:
            again, _version_id = _read(client, bucket, key)
            if hashlib.sha256(again).hexdigest() == sha256:
                return again
            if again != content:
                raise _damaged()
            raise Permanent(
                "archive-changed",
                _(
                    "The file in the archive (S3) is not the one that was stored. "
                    "Restore it from a backup."
                ),
            )
        return content


def compare(objects: Iterable[tuple[str, str]]) -> Iterator[tuple[str, Verdict]]:
    """Read objects back, several at a time, and say of each whether it is what was stored.

    Args:
        objects: keys, each with the SHA-256 that its content must have.

    Yields:
        The keys in their order, each with the verdict.

    Raises:
        Transient, Misconfigured: the archive as a whole can't be used; then nothing is known.
    """
    probe()
    rest = iter(objects)
    with _client() as (client, bucket), ThreadPoolExecutor(_AT_ONCE) as pool:
        # A few at a time: there may be millions, and each may be megabytes long.
        while some := list(islice(rest, 4 * _AT_ONCE)):
            verdicts = pool.map(lambda each: _verdict(client, bucket, *each), some)
            for (key, _sha256), verdict in zip(some, verdicts, strict=True):
                if verdict is Verdict.UNREADABLE:
                    # One object that can't be read is a finding; an archive that is away is none.
                    probe()
                yield key, verdict


def restore(key: str, content: bytes, content_type: str) -> StoredObject:
    """Put a file's content back where the object is missing or is another one.

    Where the bucket keeps versions, the wrong one stays behind as an older version.

    Args:
        key: as ``keys.file_key`` makes it; it must contain the content's SHA-256.

    Raises:
        ValueError: the key does not name the content.
        Permanent, Transient, Misconfigured: it could not be written, or is not there afterwards.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 not in key:
        raise ValueError("An archive key must contain the SHA-256 of its content.")
    with _client() as (client, bucket):
        client.put_object(
            **storages["archive"].get_object_parameters(key),  # type: ignore[attr-defined]
            Bucket=bucket,
            Key=key,
            Body=content,
            ContentType=content_type,
        )
        return _verified(client, bucket, key, sha256)


def folders(prefix: str) -> Iterator[str]:
    """The names between ``prefix`` and the next slash, of all objects that have both."""
    for page in _pages(prefix, Delimiter="/"):
        for entry in page.get("CommonPrefixes", ()):
            yield entry["Prefix"].removeprefix(prefix).rstrip("/")


def keys_below(prefix: str) -> Iterator[str]:
    """The keys of all objects that begin with ``prefix``."""
    for page in _pages(prefix):
        for entry in page.get("Contents", ()):
            yield entry["Key"]


def delete(key: str) -> None:
    """Delete an object with all its versions; nothing there is a success.

    Where the bucket keeps versions, deleting only hides an object, so each version goes.

    Raises:
        Transient, Misconfigured: see ``failures``; some versions may be left, repeat it.
    """
    from botocore.exceptions import ClientError

    with _client() as (client, bucket):
        try:
            versions = _versions(client, bucket, key)
        except ClientError as error:
            # Servers without versions do not know the question.
            if _status(error) not in (405, 501):
                raise
            versions = []
        for version in versions:
            client.delete_object(Bucket=bucket, Key=key, VersionId=version)
        if not versions:
            client.delete_object(Bucket=bucket, Key=key)


def ensure_bucket() -> bool:
    """Create the bucket unless it is there; True when it was created.

    Raises:
        Misconfigured: no access, no name, or the name belongs to somebody else.
        Transient: see ``failures``.
    """
    from botocore.exceptions import ClientError

    with _client() as (client, bucket):
        if _look_at_bucket(client, bucket) is not None:
            return False
        region = client.meta.region_name
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            client.create_bucket(
                Bucket=bucket, **(place if region and region != "us-east-1" else {})
            )
        except ClientError as error:
            # Another process was faster, or somebody else has the name: a look tells which.
            if _status(error) != 409:
                raise
            if _look_at_bucket(client, bucket) is None:
                raise Misconfigured(
                    "archive-bucket",
                    _(
                        "The bucket name “%(bucket)s” is taken by somebody else. Choose another "
                        "AWS_STORAGE_BUCKET_NAME."
                    )
                    % {"bucket": bucket},
                ) from None
            return False
        return True


def probe() -> dt.datetime | None:
    """Return when the archive answers, accepts our key and has the bucket; within seconds.

    Returns:
        What time it is for the archive, when it says so.

    Raises:
        Transient, Misconfigured: what is wrong, see ``failures``.
    """
    with _client(_impatient()) as (client, bucket):
        answer = _look_at_bucket(client, bucket)
        if answer is None:
            raise answered({"Error": {"Code": "NoSuchBucket"}}, bucket)
        return date_of(answer)


def honours_conditions() -> bool:
    """Whether the archive refuses to write over an object when told so (``If-None-Match: *``).

    Found out with an empty object of a fixed name, which is deleted again.
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)

    Raises:
        Permanent, Transient, Misconfigured: nothing can be written, see ``failures``.
    """
    from botocore.exceptions import ClientError

    with _client(_impatient()) as (client, bucket):
        request = {**storages["archive"].get_object_parameters(PROBE_KEY), "Bucket": bucket}  # type: ignore[attr-defined]
        try:
            for _time in range(2):
                client.put_object(**request, Key=PROBE_KEY, Body=b"", IfNoneMatch="*")
        except ClientError as error:
            if _status(error) not in (412, 501):
                raise
            return _status(error) == 412
        finally:
            # Who may write but not delete keeps an empty object.
            with contextlib.suppress(EffectError):
                delete(PROBE_KEY)
    return False


def _impatient() -> Config:
    from botocore.config import Config

    return Config(
        connect_timeout=PROBE_TIMEOUT,
        read_timeout=PROBE_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": 1},
    )


def _pages(prefix: str, **options: str) -> Iterator[dict[str, Any]]:
    with _client() as (client, bucket):
        paginator = client.get_paginator("list_objects_v2")
        yield from paginator.paginate(Bucket=bucket, Prefix=prefix, **options)


@contextmanager
def _client(config: Config | None = None) -> Iterator[tuple[Any, str]]:
    """The client and the bucket of the alias ``archive``; failures come out explained."""
    storage: Any = storages["archive"]
    if not storage.bucket_name:
        raise Misconfigured(
            "archive-bucket", _("The archive (S3) has no bucket. Set AWS_STORAGE_BUCKET_NAME.")
        )
    # A child process must not speak over its parent's connections.
    if vars(storage).setdefault("_opened_by", os.getpid()) != os.getpid():
        vars(storage).update(_opened_by=os.getpid(), _connections=threading.local(), _bucket=None)
    with explained(storage.bucket_name):
        if config is None:
            yield storage.connection.meta.client, storage.bucket_name
            return
        parameters: Any = settings.STORAGES["archive"]
        options = {**parameters["OPTIONS"], "client_config": storage.client_config.merge(config)}
        storage = storages.create_storage({**parameters, "OPTIONS": options})
        with closing(storage.connection.meta.client) as client:
            yield client, storage.bucket_name


def _is_aws(client: Any) -> bool:
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu"))


def _write_if_absent(
    client: Any,
    bucket: str,
    key: str,
    content: bytes,
    content_type: str,
    sha256: str,
    *,
    aws: bool,
) -> dict[str, Any]:
    """The server's answer; an empty one when an object was there already."""
    from botocore.exceptions import ClientError

    request = {
        **storages["archive"].get_object_parameters(key),  # type: ignore[attr-defined]
        "Bucket": bucket,
        "Key": key,
        "Body": content,
        "ContentType": content_type,
    }
    if aws:
        request["ChecksumSHA256"] = _base64(sha256)
    try:
        return dict(client.put_object(**request, IfNoneMatch="*"))
    except ClientError as error:
        if _status(error) == 412:
            return {}
        if _status(error) != 501:
            raise
    # The server can't write conditionally; the caller has looked that nothing is there.
    return dict(client.put_object(**request))


def _verified(client: Any, bucket: str, key: str, sha256: str) -> StoredObject:
    from botocore.exceptions import ClientError

    try:
        content, version = _read(client, bucket, key)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "NoSuchKey":
            raise
        raise Transient(
            "archive-forgot",
            _(
                "The archive (S3) said that it has the file, and does not have it. It will be "
                "tried again."
            ),
        ) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        # One wrong reading may be a fault of the network; the same one twice is the object.
        again, version = _read(client, bucket, key)
        if again != content:
            raise _damaged()
        raise Permanent(
            "archive-conflict",
            _(
                "The archive (S3) holds other content under this file's name. Nothing was "
                "overwritten. Find out who wrote it, remove it, then retry."
            ),
        )
    return StoredObject(key, version, sha256, len(content))


def _read(client: Any, bucket: str, key: str) -> tuple[bytes, str]:
    answer = client.get_object(Bucket=bucket, Key=key)
    with closing(answer["Body"]) as body:
        return body.read(), _version(answer)


def _verdict(client: Any, bucket: str, key: str, sha256: str) -> Verdict:
    try:
        with explained(bucket):
            found = _sha256(client, bucket, key)
            if found == sha256:
                return Verdict.VERIFIED
            # One wrong reading may be a fault of the network; the same one twice is the object.
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


def _damaged() -> Transient:
    return Transient(
        "archive-damaged",
        _("The archive (S3) sent the file back damaged. It will be tried again."),
    )


def _exists(client: Any, bucket: str, key: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if _status(error) != 404:
            raise
        return False
    return True


def _look_at_bucket(client: Any, bucket: str) -> dict[str, Any] | None:
    """The server's answer to a question about the bucket; None when there is no such bucket."""
    from botocore.exceptions import ClientError

    try:
        return dict(client.head_bucket(Bucket=bucket))
    except ClientError as error:
        if _status(error) == 404:
            return None
    # The answer to a HEAD has no body, so no reason: ask in a way that gets one.
    return dict(client.list_objects_v2(Bucket=bucket, MaxKeys=1))


def _versions(client: Any, bucket: str, key: str) -> list[str]:
    """Every version of one object and every mark that hides it."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    return [
        entry["VersionId"]
        for page in pages
        for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
        if entry["Key"] == key and entry.get("VersionId")
    ]


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _version(answer: dict[str, Any]) -> str:
    version = str(answer.get("VersionId") or "")
    return "" if version == "null" else version


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
