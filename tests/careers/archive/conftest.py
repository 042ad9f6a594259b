"""A real S3 server for the module, and an unreliable one for each test that asks for it."""

from collections.abc import Iterator
from typing import Any

import pytest

from careers import archive
from careers.archive import store
from tests.support.servers import HostileS3, Rclone, close_archive


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rclone]:
    with Rclone(tmp_path_factory.mktemp("rclone")) as server:
        yield server


@pytest.fixture
def real_s3(rclone: Rclone, settings: Any) -> Iterator[Rclone]:
    settings.STORAGES = rclone.storages()
    archive.ensure_bucket()
    yield rclone
    close_archive()


@pytest.fixture
def s3(settings: Any) -> Iterator[HostileS3]:
    with HostileS3() as server:
        settings.STORAGES = server.storages()
        yield server
        close_archive()


@pytest.fixture
def like_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the server's conditions and checksums like those of AWS."""
    monkeypatch.setattr(store, "is_aws", lambda client: True)
