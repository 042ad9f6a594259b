"""The download of everything that the site holds about an applicant."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from careers.applications.errors import Transient
from careers.applications.models import Application, ApplicationView
from careers.backoffice import export
from careers.jobs.models import JobPage
from careers.retention import data_map
from tests.support import people
from tests.support.factories import ApplicationFactory, ApplicationFileFactory, StepFactory
from tests.support.people import logged_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def jane(ours: JobPage) -> Application:
    made: Application = ApplicationFactory(
        page=ours, name="Jane Miller", email="jane@example.com", with_files=True
    )
    StepFactory(application=made, kind="mail_hr", recipient="hr@example.com", succeeded=True)
    return made


def download(client: Client, application: Application) -> zipfile.ZipFile:
    url = reverse("careers_applications:export", args=[application.reference])
    response = client.post(url)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert response["Content-Disposition"] == f'attachment; filename="{application.reference}.zip"'
    return zipfile.ZipFile(io.BytesIO(response.getvalue()))


def test_export_holds_data_and_files_of_one_person_only(
    ours: JobPage, theirs: JobPage, jane: Application
) -> None:
    again = ApplicationFactory(page=ours, name="Jane M.", email="jane@example.com")
    elsewhere = ApplicationFactory(page=theirs, name="Jane Miller", email="jane@example.com")
    omar = ApplicationFactory(page=ours, name="Omar Said", email="omar@example.com")
    hanna = people.hanna(ours.get_parent())
    found = download(logged_in(hanna), jane)

    text = found.read("data.json").decode()
    data = json.loads(text)
    rows = [one["Application"][0]["reference"] for one in data["applications"]]
    assert rows == [jane.reference, again.reference]
    assert elsewhere.reference not in text
    assert omar.name not in text
    first = data["applications"][0]
    assert first["Application"][0]["name"] == "Jane Miller"
    assert first["Step"][0]["recipient"] == "hr@example.com"
    assert first["ApplicationView"][0]["user_name"].startswith("Hanna")
    files = {one["file"]: one["sha256"] for one in first["ApplicationFile"]}
    assert set(found.namelist()) == {"data.json", *files}
    for file in jane.files.all():
        (name,) = (one for one in files if one.endswith(f"/{file.pk}-{file.filename}"))
        assert found.read(name) == bytes(file.stored.content)
    logged = ApplicationView.objects.filter(what="export", user=hanna)
    assert {entry.application for entry in logged} == {jane, again}


def test_export_follows_the_data_map_and_holds_no_secret(jane: Application) -> None:
    data = json.loads(download(logged_in(people.ada()), jane).read("data.json"))
    for declaration in data_map.declarations():
        if declaration.path is None:
            continue
        rows: list[dict[str, Any]] = data["applications"][0][declaration.label.partition(".")[2]]
        names = {name for name, field in declaration.personal.items() if field.exported}
        extra = {"file"} if declaration.label == "careers.ApplicationFile" else set()
        assert all(set(row) == names | extra for row in rows), declaration.label
    text = json.dumps(data)
    for secret in (jane.receipt_secret, jane.fingerprint):
        assert secret not in text


def test_export_leaves_an_infected_file_out_and_names_it(jane: Application) -> None:
    ApplicationFileFactory(
        application=jane, kind="answer", filename="evil.pdf", scan_verdict="infected"
    )
    found = download(logged_in(people.ada()), jane)
    rows = json.loads(found.read("data.json"))["applications"][0]["ApplicationFile"]
    (row,) = (row for row in rows if row["filename"] == "evil.pdf")
    assert row["file"] is None
    assert not any("evil" in name for name in found.namelist())


@pytest.mark.parametrize("filename", ["../../etc/passwd", "C:\\cv.pdf", "a\x00b.pdf", ".", ""])
def test_export_gives_odd_file_names_a_harmless_one(jane: Application, filename: str) -> None:
    jane.files.filter(kind="cv").update(filename=filename)
    names = download(logged_in(people.ada()), jane).namelist()
    assert all(name.count("/") == 1 for name in names if name != "data.json")
    assert not any("\\" in name or "\x00" in name or ".." in name.split("/") for name in names)


def test_export_is_not_made_when_a_file_cannot_be_read(
    jane: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_file: object) -> bytes:
        raise Transient("s3-down", "The archive does not answer.")

    monkeypatch.setattr(export, "read", down)
    url = reverse("careers_applications:export", args=[jane.reference])
    response = logged_in(people.ada()).post(url, follow=True)
    assert "The archive does not answer." in response.content.decode()
    assert response.request["PATH_INFO"].endswith(f"/{jane.reference}/")
