"""The connection to the archive: the client and bucket of the storage alias ``archive``.

Only the client of the storage is used. ``S3Storage.save`` can neither write an object only
where there is none nor say which version it wrote.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.files.storage import storages

from careers.applications.errors import Misconfigured
from careers.applications.sentences import sentence as _
from careers.archive.failures import explained

if TYPE_CHECKING:
    from botocore.config import Config
    from botocore.exceptions import ClientError

#: Seconds that a probe waits, each for the connection and for an answer.
PROBE_TIMEOUT = 3


@contextmanager
def connected(config: Config | None = None) -> Iterator[tuple[Any, str]]:
    """The client and the name of the bucket; see ``failures`` for the errors.

    Args:
        config: replaces settings of the client. Such a client is closed at the end.

    Raises:
        EffectError: the block raised an exception of boto3, or no bucket is configured.
    """
    storage: Any = storages["archive"]
    if not storage.bucket_name:
        raise Misconfigured(
            "archive-bucket", _("The archive (S3) has no bucket. Set AWS_STORAGE_BUCKET_NAME.")
        )
    # A child process must not use its parent's connections.
    if vars(storage).setdefault("_opened_by", os.getpid()) != os.getpid():
        vars(storage).update(_opened_by=os.getpid(), _connections=threading.local(), _bucket=None)
    with explained(storage.bucket_name):
        if config is None:
            yield storage.connection.meta.client, storage.bucket_name
            return
        alias: Any = settings.STORAGES["archive"]
        options = {**alias["OPTIONS"], "client_config": storage.client_config.merge(config)}
        storage = storages.create_storage({**alias, "OPTIONS": options})
        with closing(storage.connection.meta.client) as client:
            yield client, storage.bucket_name


def load() -> None:
    """Make the client, which takes 20 MB, so that processes forked afterwards share it.

    It opens no connection. ``connected`` makes a new client in a process whose parent did.
    """
    storage: Any = storages["archive"]
    if storage.bucket_name:
        with explained(storage.bucket_name):
            storage.connection  # noqa: B018 -- reading it is what makes the client


def object_parameters(key: str) -> dict[str, Any]:
    """The parameters of the storage for a new object, such as its encryption."""
    return dict(storages["archive"].get_object_parameters(key))  # type: ignore[attr-defined]


def impatient() -> Config:
    """Settings of a client that gives up within seconds and does not try again."""
    from botocore.config import Config

    return Config(
        connect_timeout=PROBE_TIMEOUT,
        read_timeout=PROBE_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": 1},
    )


def is_aws(client: Any) -> bool:
    """Whether the server is one of AWS itself."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".amazonaws.eu"))


def status_of(error: ClientError) -> int:
    """The HTTP status of an error response."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def version_of(answer: dict[str, Any]) -> str:
    """The version in an answer of the server; "" where the bucket keeps no versions."""
    version = str(answer.get("VersionId") or "")
    return "" if version == "null" else version
