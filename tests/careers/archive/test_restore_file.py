"""``restore_file`` in both directions, and applications that only the bucket has."""

import hashlib
import io
import json
import shutil
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from careers import archive
from careers.applications.models import Application, ApplicationFile, FileKind
from careers.archive import keys, manifest
from tests.support.commands import run
from tests.support.factories import ApplicationFactory, ApplicationFileFactory
from tests.support.servers import Rclone, close_archive

pytestmark = pytest.mark.django_db
CV, LETTER = b"%PDF the CV", b"%PDF the letter"


@pytest.fixture
def bucket(rclone: Rclone, settings: Any) -> Any:
    """A new bucket, as a folder."""
    name = f"own-{uuid.uuid4().hex[:12]}"
    settings.STORAGES = rclone.storages(bucket_name=name)
    archive.ensure_bucket()
    yield rclone.directory / name
    close_archive()


@pytest.fixture
def application(bucket: Path) -> Application:
    """Jane's application: CV and manifest archived, the cover letter still in the database."""
    found: Application = ApplicationFactory(reference="7KD4-93MX")
    cv = ApplicationFileFactory(application=found, content=CV, archived=True)
    archive.put(cv.object_key, CV, cv.content_type)
    ApplicationFileFactory(application=found, content=LETTER, kind=FileKind.COVER_LETTER)
    content = manifest(found, [cv])
    sha256 = hashlib.sha256(content).hexdigest()
    key = keys.file_key(found.public_id, "manifest", sha256, "application/json")
    archive.put(key, content, "application/json")
    return found


@pytest.fixture
def cv(application: Application) -> ApplicationFile:
    return application.files.get(kind=FileKind.CV)


class TestSaveFromTheArchive:
    @pytest.mark.parametrize("verdict", ["waiting", "infected"])
    def test_saves_a_locked_file_only_on_request(
        self, cv: ApplicationFile, tmp_path: Path, verdict: str
    ) -> None:
        ApplicationFile.objects.filter(pk=cv.pk).update(scan_verdict=verdict)
        command = ("restore_file", "7KD4-93MX", "--kind", "cv", "--to", str(tmp_path))
        code, _out, err = run(*command)
        assert (code, list(tmp_path.rglob("*.pdf"))) == (1, [])
        assert "--locked" in err
        assert run(*command, "--locked")[0] == 0
        (saved,) = tmp_path.rglob("*.pdf")
        assert saved.read_bytes() == CV

    def test_saves_every_file_of_an_application(
        self, application: Application, cv: ApplicationFile, tmp_path: Path
    ) -> None:
        code, out, err = run("restore_file", "7kd493mx", "--to", str(tmp_path))
        letter = f"cover_letter-{hashlib.sha256(LETTER).hexdigest()}.pdf"
        folder = tmp_path / "7KD4-93MX"
        assert (code, err) == (0, "")
        assert out == f"saved  {folder}/cv-{cv.sha256}.pdf\nsaved  {folder}/{letter}\n"
        assert (folder / f"cv-{cv.sha256}.pdf").read_bytes() == CV
        assert (folder / letter).read_bytes() == LETTER
        assert (folder / letter).stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize("name", ["public_id", "object_key"])
    def test_file_is_found_by_id_or_key(
        self, cv: ApplicationFile, tmp_path: Path, name: str
    ) -> None:
        assert run("restore_file", str(getattr(cv, name)), "--to", str(tmp_path))[0] == 0
        assert [path.read_bytes() for path in tmp_path.rglob("*.pdf")] == [CV]

    def test_one_file_can_go_to_standard_output(
        self, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        out = io.BytesIO()
        monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(out))
        assert run("restore_file", "7KD4-93MX", "--kind", "cv", "--to", "-") == (0, "", "")
        assert out.getvalue() == CV

    def test_several_files_to_standard_output_are_refused(self, application: Application) -> None:
        code, _out, err = run("restore_file", "7KD4-93MX", "--to", "-")
        assert (code, "Add --kind" in err) == (2, True)

    def test_changed_bytes_are_not_saved_under_the_name(
        self, cv: ApplicationFile, bucket: Path, rclone: Rclone, tmp_path: Path
    ) -> None:
        rclone.replace(bucket / cv.object_key, b"%PDF no CV!")
        code, out, err = run("restore_file", "7KD4-93MX", "--kind", "cv", "--to", str(tmp_path))
        assert (code, out) == (1, "")
        assert "is not the one that was stored" in err
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    def test_unknown_name_shows_the_accepted_names(self, application: Application) -> None:
        for what in ("AAAA-AAAA", str(uuid.uuid4()), "applications/x", "Robert'); --"):
            code, out, err = run("restore_file", what)
            assert (code, out) == (2, "")
            assert "reference" in err

    def test_unreachable_archive_is_reported(
        self, cv: ApplicationFile, settings: Any, rclone: Rclone, tmp_path: Path
    ) -> None:
        close_archive()
        settings.STORAGES = rclone.storages(bucket_name="not-there")
        code, _out, err = run("restore_file", str(cv.public_id), "--to", str(tmp_path))
        assert (code, "not-there" in err) == (2, True)


class TestRestoreIntoTheArchive:
    @pytest.fixture
    def copy(self, application: Application, bucket: Path, tmp_path: Path) -> Path:
        """A copy of the bucket as ``rclone copy`` makes it."""
        return Path(shutil.copytree(bucket, tmp_path / "copy"))

    def test_restores_all_missing_or_changed_objects(
        self, cv: ApplicationFile, bucket: Path, copy: Path, rclone: Rclone
    ) -> None:
        (bucket / cv.object_key).unlink()
        rclone.forget()
        assert run("check_archive")[0] == 1
        assert run("restore_file", "--all", "--from", str(copy)) == (
            0,
            f"restored  {cv.object_key}\n1 object was restored.\n",
            "",
        )
        assert (bucket / cv.object_key).read_bytes() == CV
        assert run("check_archive")[0] == 0
        assert run("restore_file", "--all", "--from", str(copy)) == (
            0,
            "0 objects were restored.\n",
            "",
        )

    def test_restores_one_object_from_one_file(
        self, cv: ApplicationFile, bucket: Path, tmp_path: Path, rclone: Rclone
    ) -> None:
        rclone.replace(bucket / cv.object_key, b"%PDF no CV!")
        found = tmp_path / "CV of Jane.pdf"
        found.write_bytes(CV + b"\n")
        command = ["restore_file", cv.object_key, "--from", str(found)]
        assert run(*command)[:2] == (
            1,
            f"different in the copy  {cv.object_key}\n0 objects were restored.\n",
        )
        found.write_bytes(CV)
        assert run(*command)[:2] == (
            0,
            f"restored  {cv.object_key}\n1 object was restored.\n",
        )
        assert run("check_archive")[0] == 0

    def test_copy_without_the_object_is_reported(
        self, cv: ApplicationFile, bucket: Path, tmp_path: Path, rclone: Rclone
    ) -> None:
        (bucket / cv.object_key).unlink()
        rclone.forget()
        code, out, _err = run("restore_file", "--all", "--from", str(tmp_path))
        assert (code, out.splitlines()[0]) == (1, f"not in the copy  {cv.object_key}")

    @pytest.mark.parametrize(
        "command",
        [
            ["--from", "/nowhere", "--all"],
            ["--from", __file__],
            ["--from", __file__, "--all", "7KD4-93MX"],
            ["--all"],
            [],
        ],
    )
    def test_incomplete_arguments_change_nothing(
        self, application: Application, command: list[str]
    ) -> None:
        code, out, err = run("restore_file", *command)
        assert (code, out) == (2, "")
        assert err.endswith(".")


class TestApplicationsOnlyInTheBucket:
    @pytest.fixture
    def forgotten(self, application: Application) -> Application:
        """An application that is missing in an older copy of the database."""
        Application.objects.filter(pk=application.pk).delete()
        return application

    def test_application_missing_from_the_database_is_listed_without_names(
        self, forgotten: Application
    ) -> None:
        code, out, err = run("check_archive", "--unknown")
        received = f"{forgotten.received_at:%Y-%m-%d %H:%M} UTC"
        assert (code, out) == (
            1,
            f"unknown  {forgotten.public_id}  7KD4-93MX  {received}  {forgotten.job_title}\n",
        )
        assert "restore_file ID --to FOLDER" in err

    def test_application_missing_from_the_database_is_saved_with_its_manifest(
        self, forgotten: Application, tmp_path: Path
    ) -> None:
        assert run("restore_file", str(forgotten.public_id), "--to", str(tmp_path))[0] == 0
        folder = tmp_path / str(forgotten.public_id)
        (manifest,) = folder.glob("manifest-*.json")
        assert json.loads(manifest.read_text())["applicant"]["name"] == "Jane Miller"
        assert [path.read_bytes() for path in folder.glob("cv-*.pdf")] == [CV]

    def test_nothing_is_listed_after_a_full_restore(self, application: Application) -> None:
        assert run("check_archive", "--unknown") == (
            0,
            "The database knows every application in the archive.\n",
            "",
        )

    def test_damaged_manifest_does_not_stop_the_list(
        self, forgotten: Application, bucket: Path, rclone: Rclone
    ) -> None:
        (path,) = bucket.rglob("manifest-*.json")
        rclone.replace(path, b"{}")
        code, out, _err = run("check_archive", "--unknown")
        assert (code, out) == (1, f"unknown  {forgotten.public_id}  without a manifest\n")
