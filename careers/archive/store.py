"""Put, fetch, restore and delete single objects in the private bucket.

Servers that speak S3 differ: AWS honours ``If-None-Match`` and checks a SHA-256 that is sent
along. Other servers accept both and ignore them. So only the answer of AWS counts as proof.
Everywhere else ``put`` looks for the object before it writes, and reads it back afterwards. That
is safe without a lock because a key names its content: two writers can only write the same bytes.

``bucket.honours_conditions`` tells operators what a server does. Nothing here depends on it: the
server's next version may behave differently, and the knowledge would save one request per file.
"""

from __future__ import annotations

import base64
import hashlib
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from careers.applications.errors import Permanent, Transient
from careers.applications.sentences import sentence as _
from careers.archive.connection import connected, is_aws, object_parameters, status_of, version_of


@dataclass(frozen=True)
class StoredObject:
    """An object whose content was read back from the archive and is correct.

    ``version`` is "" where the bucket keeps no versions.
    """

    key: str
    version: str
    sha256: str
    size: int


def put(key: str, content: bytes, content_type: str) -> StoredObject:
    """Store ``content`` under ``key`` unless the object exists, and verify the stored object.

    Safe to repeat: the same content under the same key is a success, also from another writer.
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)

    Args:
        key: as ``keys.file_key`` makes it; it must contain the content's SHA-256.

    Raises:
        ValueError: the key does not name the content.
        Permanent: the key holds other content (``archive-conflict``), which is not changed.
        Transient, Misconfigured: see ``failures``.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 not in key:
        raise ValueError("An archive key must contain the SHA-256 of its content.")
    with connected() as (client, bucket):
        aws = is_aws(client)
        if not aws and _exists(client, bucket, key):
            return _verified(client, bucket, key, sha256)
        written = _write_if_absent(client, bucket, key, content, content_type, sha256, aws=aws)
        if aws and written and written.get("ChecksumSHA256") == _base64(sha256):
            return StoredObject(key, version_of(written), sha256, len(content))
        return _verified(client, bucket, key, sha256)


def fetch(key: str, *, sha256: str = "") -> bytes:
    """The content of an object.

    Args:
        sha256: the expected hash of the content; "" skips the comparison.

    Raises:
        Permanent: the object is missing (``archive-missing``) or its content is not the
            expected one (``archive-changed``).
        Transient, Misconfigured: see ``failures``.
    """
    with connected() as (client, bucket):
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


def restore(key: str, content: bytes, content_type: str) -> StoredObject:
    """Write a file's content again where the object is missing or its content is wrong.

    Where the bucket keeps versions, the wrong content remains as an older version.

    Args:
        key: as ``keys.file_key`` makes it; it must contain the content's SHA-256.

    Raises:
        ValueError: the key does not name the content.
        Permanent, Transient, Misconfigured: the write failed, or the object is missing afterwards.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    if sha256 not in key:
        raise ValueError("An archive key must contain the SHA-256 of its content.")
    with connected() as (client, bucket):
        client.put_object(
            **object_parameters(key),
            Bucket=bucket,
            Key=key,
            Body=content,
            ContentType=content_type,
        )
        return _verified(client, bucket, key, sha256)


def delete(key: str) -> None:
    """Delete an object with all its versions; a missing object is a success.

    Where the bucket keeps versions, a plain deletion only hides an object.

    Raises:
        Transient, Misconfigured: see ``failures``. Some versions may remain; call it again.
    """
    from botocore.exceptions import ClientError

    with connected() as (client, bucket):
        try:
            versions = _versions(client, bucket, key)
        except ClientError as error:
            # Servers without versions do not support the request.
            if status_of(error) not in (405, 501):
                raise
            versions = []
        for version in versions:
            client.delete_object(Bucket=bucket, Key=key, VersionId=version)
        if not versions:
            client.delete_object(Bucket=bucket, Key=key)


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
    """The server's answer; empty when the object exists already."""
    from botocore.exceptions import ClientError

    request = {
        **object_parameters(key),
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
        if status_of(error) == 412:
            return {}
        if status_of(error) != 501:
            raise
    # The server can't write conditionally. The caller made sure that there is no object.
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
                "The archive (S3) confirmed that it stored the file, but the file is missing. "
                "The site tries again."
            ),
        ) from None
    if hashlib.sha256(content).hexdigest() != sha256:
        # The network may damage one reading. If two readings are equal, the object holds this.
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
        return body.read(), version_of(answer)


def _damaged() -> Transient:
    return Transient(
        "archive-damaged",
        _("The archive (S3) sent the file back damaged. The site tries again."),
    )


def _exists(client: Any, bucket: str, key: str) -> bool:
    from botocore.exceptions import ClientError

    try:
        client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if status_of(error) != 404:
            raise
        return False
    return True


def _versions(client: Any, bucket: str, key: str) -> list[str]:
    """The ids of every version and delete marker of one object."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key)
    return [
        entry["VersionId"]
        for page in pages
        for entry in (*page.get("Versions", ()), *page.get("DeleteMarkers", ()))
        if entry["Key"] == key and entry.get("VersionId")
    ]


def _base64(sha256: str) -> str:
    return base64.b64encode(bytes.fromhex(sha256)).decode("ascii")
