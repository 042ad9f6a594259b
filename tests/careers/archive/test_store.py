import hashlib
import os
import subprocess
import sys
import uuid
from typing import Any

import pytest
from django.core.files.storage import storages

from careers import archive
from careers.applications.errors import EffectError, Misconfigured, Permanent, Transient
from careers.archive import store
from careers.archive.keys import file_key
from tests.support.servers import (
    ACCESS_KEY,
    SECRET_KEY,
    HostileS3,
    Rclone,
    close_archive,
    reserve_port,
)

PDF = b"%PDF-1.7\n" + os.urandom(3000)
SHA256 = hashlib.sha256(PDF).hexdigest()


@pytest.fixture
def key() -> str:
    return file_key(uuid.uuid4(), "cv", SHA256, "application/pdf")


def put(key: str) -> archive.StoredObject:
    return archive.put(key, PDF, "application/pdf")


class TestRealServer:
    def test_put_stores_and_verifies(self, real_s3: Rclone, key: str) -> None:
        stored = put(key)
        assert stored == archive.StoredObject(key, "", SHA256, len(PDF))
        assert real_s3.path(key).read_bytes() == PDF

    def test_put_again_changes_nothing(self, real_s3: Rclone, key: str) -> None:
        put(key)
        path = real_s3.path(key)
        os.utime(path, (1, 1))
        put(key)
        assert path.stat().st_mtime == 1

    def test_put_never_overwrites_other_content(self, real_s3: Rclone, key: str) -> None:
        put(key)
        path = real_s3.path(key)
        real_s3.replace(path, b"another writer's")
        with pytest.raises(Permanent) as caught:
            put(key)
        assert caught.value.code == "archive-conflict"
        assert path.read_bytes() == b"another writer's"

    def test_fetch_compares_the_hash(self, real_s3: Rclone, key: str) -> None:
        put(key)
        assert archive.fetch(key, sha256=SHA256) == PDF
        changed = PDF[:-1] + b"?"
        real_s3.replace(real_s3.path(key), changed)
        assert archive.fetch(key) == changed
        with pytest.raises(Permanent) as caught:
            archive.fetch(key, sha256=SHA256)
        assert caught.value.code == "archive-changed"

    def test_fetch_of_a_missing_object_raises_permanent(self, real_s3: Rclone, key: str) -> None:
        with pytest.raises(Permanent) as caught:
            archive.fetch(key)
        assert caught.value.code == "archive-missing"

    def test_restore_replaces_other_content(self, real_s3: Rclone, key: str) -> None:
        put(key)
        real_s3.replace(real_s3.path(key), b"another writer's")
        assert archive.restore(key, PDF, "application/pdf").sha256 == SHA256
        assert archive.fetch(key, sha256=SHA256) == PDF
        with pytest.raises(ValueError, match="SHA-256"):
            archive.restore(key, b"another file", "application/pdf")

    def test_compare_finds_missing_and_changed_objects(self, real_s3: Rclone, key: str) -> None:
        put(key)
        gone = key.replace("/cv-", "/pdf-")
        objects = [(key, SHA256), (gone, SHA256), (key, "0" * 64)] * 50
        verdicts = [archive.Verdict.VERIFIED, archive.Verdict.MISSING, archive.Verdict.CHANGED] * 50
        assert [verdict for _key, verdict in archive.compare(objects)] == verdicts

    def test_folders_and_keys_are_listed(self, real_s3: Rclone) -> None:
        ids = sorted(str(uuid.uuid4()) for _number in range(3))
        made = [file_key(public_id, "cv", SHA256, "application/pdf") for public_id in ids]
        for each in made:
            put(each)
        assert {*ids} <= {*archive.folders("applications/")}
        assert list(archive.keys_below(f"applications/{ids[0]}/")) == made[:1]
        assert list(archive.keys_below("applications/unknown/")) == []

    def test_delete_is_repeatable(self, real_s3: Rclone, key: str) -> None:
        put(key)
        archive.delete(key)
        archive.delete(key)
        with pytest.raises(Permanent):
            archive.fetch(key)

    def test_bucket_is_created_once(self, real_s3: Rclone, settings: Any) -> None:
        close_archive()
        settings.STORAGES = real_s3.storages(bucket_name=f"new-{uuid.uuid4().hex}")
        with pytest.raises(Misconfigured) as caught:
            archive.probe()
        assert "prepare_archive" in caught.value.public
        assert archive.ensure_bucket() is True
        assert archive.ensure_bucket() is False
        archive.probe()

    @pytest.mark.parametrize(
        "options", [{"access_key": "other"}, {"secret_key": "other"}], ids=["key", "secret"]
    )
    def test_wrong_credentials_raise_misconfigured(
        self, real_s3: Rclone, settings: Any, key: str, options: dict[str, str]
    ) -> None:
        close_archive()
        settings.STORAGES = real_s3.storages(**options)
        for attempt in (lambda: put(key), archive.probe, archive.ensure_bucket):
            with pytest.raises(Misconfigured) as caught:
                attempt()
            assert "AWS_" in caught.value.public

    def test_missing_bucket_raises_misconfigured(
        self, real_s3: Rclone, settings: Any, key: str
    ) -> None:
        close_archive()
        settings.STORAGES = real_s3.storages(bucket_name="never-created")
        for attempt in (lambda: put(key), lambda: archive.fetch(key), archive.probe):
            with pytest.raises(Misconfigured) as caught:
                attempt()
            assert "AWS_STORAGE_BUCKET_NAME" in caught.value.public

    def test_child_process_opens_its_own_connection(
        self, real_s3: Rclone, key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(key)
        parent = storages["archive"].connection
        # A fork is not safe beside the threads of a test run. The store only compares the id.
        monkeypatch.setattr(os, "getpid", lambda: 1)
        assert archive.fetch(key, sha256=SHA256) == PDF
        assert storages["archive"].connection is not parent
        parent.meta.client.close()

    def test_child_process_uses_the_client_that_its_parent_only_loaded(
        self, real_s3: Rclone, settings: Any, key: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        close_archive()
        settings.STORAGES = real_s3.storages()
        archive.load()
        parent = storages["archive"].connection
        monkeypatch.setattr(os, "getpid", lambda: 1)
        put(key)
        assert storages["archive"].connection is parent


def test_load_without_a_bucket_makes_no_client(settings: Any, s3: HostileS3) -> None:
    close_archive()
    settings.STORAGES = s3.storages(bucket_name="")
    archive.load()
    assert getattr(storages["archive"]._connections, "connection", None) is None


def test_put_with_a_key_without_the_hash_raises() -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        archive.put("applications/x/cv.pdf", PDF, "application/pdf")


def test_unreachable_server_raises_transient(settings: Any, s3: HostileS3, key: str) -> None:
    settings.STORAGES = s3.storages(endpoint_url=f"http://127.0.0.1:{reserve_port()}")
    for attempt in (lambda: put(key), lambda: archive.fetch(key), archive.probe):
        with pytest.raises(Transient):
            attempt()


def test_missing_bucket_name_raises_misconfigured(settings: Any, s3: HostileS3, key: str) -> None:
    close_archive()
    settings.STORAGES = s3.storages(bucket_name="")
    with pytest.raises(Misconfigured) as caught:
        put(key)
    assert "AWS_STORAGE_BUCKET_NAME" in caught.value.public
    assert s3.requests == []


FAILURES = [
    ("error_500", Transient),
    ("slow_down", Transient),
    ("busy_503", Transient),
    ("full_507", Transient),
    ("hang", Transient),
    ("close", Transient),
    ("bad_key", Misconfigured),
    ("bad_signature", Misconfigured),
    ("denied", Misconfigured),
    ("no_bucket", Misconfigured),
    ("wrong_clock", Misconfigured),
    ("wrong_region", Misconfigured),
]


@pytest.mark.parametrize(("mode", "error"), FAILURES)
@pytest.mark.parametrize("aws", [False, True], ids=["compatible", "aws"])
def test_put_classifies_failures(
    s3: HostileS3,
    key: str,
    mode: str,
    error: type[EffectError],
    aws: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(store, "is_aws", lambda client: aws)
    s3.mode = mode
    with pytest.raises(EffectError) as caught:
        put(key)
    # A HEAD has no body, so a 404 of a compatible server means "missing". The PUT has the reason.
    assert type(caught.value) is error
    assert s3.objects == {}
    for secret in (ACCESS_KEY, SECRET_KEY, key, "127.0.0.1", "X-Amz"):
        assert secret not in caught.value.public
    s3.mode = "ok"
    assert put(key).sha256 == SHA256


def test_busy_server_sets_retry_after(s3: HostileS3, key: str, like_aws: None) -> None:
    s3.mode = "slow_down"
    with pytest.raises(Transient) as caught:
        put(key)
    assert caught.value.retry_after == 4


@pytest.mark.parametrize("mode", ["ok", "ignores_conditions", "refuses_conditions"])
def test_put_does_not_change_other_content(s3: HostileS3, key: str, mode: str) -> None:
    s3.mode = mode
    s3.put(key, b"another writer's")
    with pytest.raises(Permanent) as caught:
        put(key)
    assert caught.value.code == "archive-conflict"
    assert s3.objects[key] == [("v1", b"another writer's")]


def test_aws_answers_412_to_other_content(s3: HostileS3, key: str, like_aws: None) -> None:
    s3.put(key, b"another writer's")
    with pytest.raises(Permanent) as caught:
        put(key)
    assert caught.value.code == "archive-conflict"
    assert s3.objects[key] == [("v1", b"another writer's")]


def test_aws_answers_412_to_the_same_content(s3: HostileS3, key: str, like_aws: None) -> None:
    s3.put(key, PDF)
    assert put(key).version == "v1"
    assert len(s3.objects[key]) == 1


def test_aws_checksum_is_trusted_without_reading_back(
    s3: HostileS3, key: str, like_aws: None
) -> None:
    assert put(key) == archive.StoredObject(key, "v1", SHA256, len(PDF))
    assert [method for method, _path in s3.requests] == ["PUT"]


@pytest.mark.parametrize("mode", ["stores_garbage", "no_checksum"])
def test_aws_without_the_right_checksum_is_read_back(
    s3: HostileS3, key: str, like_aws: None, mode: str
) -> None:
    s3.mode = mode
    if mode == "no_checksum":
        assert put(key).sha256 == SHA256
    else:
        with pytest.raises(Permanent):
            put(key)
    assert "GET" in [method for method, _path in s3.requests]


def test_put_on_a_server_that_stores_nothing_raises_transient(s3: HostileS3, key: str) -> None:
    """The file was never stored, so the error must not ask for a backup."""
    s3.mode = "stores_nothing"
    with pytest.raises(Transient) as caught:
        put(key)
    assert (caught.value.code, caught.value.public) == (
        "archive-forgot",
        (
            "The archive (S3) confirmed that it stored the file, but the file is missing. "
            "The site tries again."
        ),
    )
    s3.mode = "ok"
    assert put(key).sha256 == SHA256


@pytest.mark.parametrize("mode", ["ignores_conditions", "refuses_conditions"])
def test_put_works_without_conditional_writes(s3: HostileS3, key: str, mode: str) -> None:
    s3.mode = mode
    put(key)
    put(key)
    assert [content for _version, content in s3.objects[key]] == [PDF]


def test_concurrent_request_raises_transient(s3: HostileS3, key: str) -> None:
    s3.mode = "conflict_409"
    with pytest.raises(Transient):
        put(key)


@pytest.mark.parametrize("aws", [False, True], ids=["compatible", "aws"])
def test_put_again_after_a_lost_reply_leaves_one_version(
    s3: HostileS3, key: str, aws: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "is_aws", lambda client: aws)
    s3.mode = "lost_reply"
    with pytest.raises(Transient):
        put(key)
    s3.mode = "ok"
    assert put(key).version == "v1"
    assert len(s3.objects[key]) == 1


@pytest.mark.parametrize("mode", ["bit_flip", "truncated", "hang_get"])
def test_unreadable_copy_is_not_verified(s3: HostileS3, key: str, mode: str) -> None:
    s3.mode = mode
    with pytest.raises(Transient):
        put(key)
    with pytest.raises(Transient):
        archive.fetch(key, sha256=SHA256)
    s3.mode = "ok"
    assert put(key).sha256 == SHA256
    assert len(s3.objects[key]) == 1


def test_damaged_reading_is_read_again(s3: HostileS3, key: str) -> None:
    put(key)
    s3.once("bit_flip")
    assert archive.fetch(key, sha256=SHA256) == PDF
    s3.once("ok", "bit_flip")
    with pytest.raises(Transient) as caught:
        put(key)
    assert caught.value.code == "archive-damaged"


@pytest.mark.parametrize("mode", ["bit_flip", "truncated", "hang_get"])
def test_compare_of_an_object_that_arrives_damaged_is_unreadable(
    s3: HostileS3, key: str, mode: str
) -> None:
    put(key)
    s3.once("ok")  # the probe, which HostileS3 takes for any other request
    s3.mode = mode
    assert list(archive.compare([(key, SHA256)])) == [(key, archive.Verdict.UNREADABLE)]


def test_delete_removes_every_version_of_this_object_only(s3: HostileS3, key: str) -> None:
    s3.put(key, b"first")
    s3.put(key, PDF)
    s3.put(f"{key}.old", b"another object")
    archive.delete(key)
    assert list(s3.objects) == [f"{key}.old"]
    archive.delete(key)


def test_refused_delete_raises(s3: HostileS3, key: str) -> None:
    s3.put(key, PDF)
    s3.mode = "denied"
    with pytest.raises(Misconfigured):
        archive.delete(key)


def test_ensure_bucket_with_a_taken_name_raises_misconfigured(s3: HostileS3) -> None:
    s3.buckets.clear()
    s3.takes_names = True
    with pytest.raises(Misconfigured) as caught:
        archive.ensure_bucket()
    assert "AWS_STORAGE_BUCKET_NAME" in caught.value.public


def test_ensure_bucket_after_another_process_created_it_returns_false(s3: HostileS3) -> None:
    s3.once("no_bucket")
    assert archive.ensure_bucket() is False


@pytest.mark.parametrize(("mode", "error"), FAILURES)
def test_probe_classifies_failures(s3: HostileS3, mode: str, error: type[EffectError]) -> None:
    s3.mode = mode
    with pytest.raises(EffectError) as caught:
        archive.probe()
    assert type(caught.value) is error


def test_boto3_is_imported_late() -> None:
    program = (
        "import sys, django; django.setup(); import careers.archive; "
        "assert 'boto3' not in sys.modules and 'storages' not in sys.modules"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "careersite.settings.test"}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment)
