from typing import Any

import pytest

from careers import archive
from careers.applications.models import ApplicationFile, FileBytes
from careers.archive.keys import file_key
from tests.support.commands import run
from tests.support.factories import ApplicationFactory, ApplicationFileFactory
from tests.support.servers import HostileS3


class TestPrepareArchive:
    def test_creates_the_bucket_once(self, s3: HostileS3) -> None:
        s3.buckets.clear()
        assert run("prepare_archive") == (0, "The bucket of the archive was created.\n", "")
        assert run("prepare_archive") == (0, "The bucket of the archive exists.\n", "")

    @pytest.mark.parametrize(
        ("mode", "variable"),
        [("close", "AWS_S3_ENDPOINT_URL"), ("denied", "AWS_ACCESS_KEY_ID")],
    )
    def test_error_names_the_setting(self, s3: HostileS3, mode: str, variable: str) -> None:
        s3.mode = mode
        code, out, err = run("prepare_archive")
        assert (code, out) == (2, "")
        assert variable in err


@pytest.mark.django_db
class TestCheckArchive:
    @pytest.fixture
    def archived(self, s3: HostileS3) -> Any:
        """Two archived files, and one whose bytes are still in the database."""
        application = ApplicationFactory()
        for content in (b"%PDF one", b"%PDF two"):
            file = ApplicationFileFactory(application=application, content=content, archived=True)
            key = file_key(application.public_id, "cv", file.sha256, "application/pdf")
            ApplicationFile.objects.filter(pk=file.pk).update(object_key=key)
            archive.put(key, content, "application/pdf")
        ApplicationFileFactory(application=application, content=b"%PDF three")
        return [file.object_key for file in ApplicationFile.objects.exclude(object_key="")]

    def test_counts_verified_and_waiting_files(self, archived: list[str]) -> None:
        assert run("check_archive") == (
            0,
            (
                "2 of 2 archived files are verified.\n"
                "1 file is not archived yet. It is in the database.\n"
            ),
            "",
        )

    def test_prints_a_line_for_each_missing_or_changed_object(
        self, s3: HostileS3, archived: list[str]
    ) -> None:
        del s3.objects[archived[0]]
        s3.put(archived[1], b"something else")
        code, out, err = run("check_archive")
        assert code == 1
        assert out.splitlines()[:3] == [
            f"missing  {archived[0]}",
            f"changed  {archived[1]}",
            "0 of 2 archived files are verified.",
        ]
        assert "manage.py restore_file --all --from FOLDER" in err

    def test_file_without_any_copy_is_reported_as_lost(self, archived: list[str]) -> None:
        FileBytes.objects.all().delete()
        lost = ApplicationFile.objects.get(verified_at=None)
        code, out, err = run("check_archive")
        assert (code, out.splitlines()) == (
            1,
            [
                f"lost  {lost.application.reference} {lost.public_id}",
                "2 of 2 archived files are verified.",
            ],
        )
        assert "older backup of the database" in err

    def test_unreadable_object_does_not_stop_the_check(
        self, s3: HostileS3, archived: list[str]
    ) -> None:
        s3.once("ok", "error_500")
        code, out, _err = run("check_archive")
        first, last = out.splitlines()[:2]
        assert (code, last) == (1, "1 of 2 archived files are verified.")
        assert first in {f"unreadable  {key}" for key in archived}

    @pytest.mark.parametrize("mode", ["close", "denied", "no_bucket"])
    def test_unreachable_archive_gives_no_result(
        self, s3: HostileS3, archived: list[str], mode: str
    ) -> None:
        s3.mode = mode
        code, out, err = run("check_archive")
        assert (code, out) == (2, "")
        assert "archive (S3)" in err

    def test_many_files_take_few_queries(
        self, s3: HostileS3, archived: list[str], django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(4):  # a batch, the end of them, lost, waiting
            run("check_archive")
