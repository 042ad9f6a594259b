"""The ``STORAGES`` setting for a test's S3 server."""

from __future__ import annotations

from typing import Any

BUCKET = "careers-test"
ACCESS_KEY, SECRET_KEY = "test-access-key", "test-secret-key"


def archive_storages(endpoint: str, *, patience: float, **options: Any) -> Any:
    """The ``STORAGES`` setting with the alias ``archive`` on a test server.

    Args:
        patience: seconds to wait for an answer.
        options: replace options of the storage, such as ``bucket_name``.
    """
    from botocore.config import Config
    from django.conf import settings

    return {
        **settings.STORAGES,
        "archive": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                **settings.STORAGES["archive"]["OPTIONS"],
                "bucket_name": BUCKET,
                "endpoint_url": endpoint,
                "access_key": ACCESS_KEY,
                "secret_key": SECRET_KEY,
                "region_name": "us-east-1",
                "client_config": Config(
                    signature_version="s3v4",
                    s3={"addressing_style": "path"},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                    retries={"mode": "standard", "total_max_attempts": 1},
                    connect_timeout=patience,
                    read_timeout=patience,
                ),
                **options,
            },
        },
    }


def close_archive() -> None:
    """Close this thread's connections to the archive; before its server or its settings go."""
    from django.core.files.storage import storages

    storage: Any = storages["archive"]
    if getattr(storage, "_connections", None) is not None:
        storage.connection.meta.client.close()
        del storage._connections.connection
