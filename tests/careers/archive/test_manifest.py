import json
from datetime import UTC, datetime
from typing import Any

import pytest

from careers.applications.models import Application, FileKind
from careers.archive.manifest import manifest
from tests.support.factories import ApplicationFactory, ApplicationFileFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def application() -> Any:
    return ApplicationFactory(
        with_files=True,
        with_consent=True,
        name="Zoë Ångström",
        received_at=datetime(2026, 11, 22, 15, 53, tzinfo=UTC),
    )


def read(application: Application) -> Any:
    return json.loads(manifest(application, application.files.all()))


def test_manifest_has_questions_answers_and_files(application: Application) -> None:
    document = read(application)
    assert document["application"] == str(application.public_id)
    assert document["reference"] == application.reference
    assert document["job"] == {"key": str(application.job_key), "title": application.job_title}
    assert document["received_at"] == "2026-11-22T15:53:00.000000+00:00"
    assert document["form"] == Application.objects.get(pk=application.pk).form
    assert document["answers"] == application.answers
    assert [record["text"] for record in document["consents"]] == [
        "We keep your data for six months."
    ]
    cv = application.files.get(kind=FileKind.CV)
    assert document["files"][0] == {
        "kind": "cv",
        "question": "cv",
        "filename": "cv.pdf",
        "content_type": "application/pdf",
        "size": cv.size,
        "sha256": cv.sha256,
        "key": f"applications/{application.public_id}/cv-{cv.sha256}.pdf",
    }


def test_same_content_gives_the_same_bytes(application: Application) -> None:
    files = list(application.files.all())
    assert manifest(application, files) == manifest(application, reversed(files))
    again = Application.objects.get(pk=application.pk)
    assert manifest(again, again.files.all()) == manifest(application, files)


def test_manifest_is_utf8_that_ends_with_a_newline(application: Application) -> None:
    content = manifest(application, [])
    assert "Zoë Ångström" in content.decode("utf-8")
    assert content.endswith(b"}\n")


def test_manifest_does_not_list_itself(application: Application) -> None:
    before = read(application)
    ApplicationFileFactory(
        application=application, kind=FileKind.MANIFEST, content_type="application/json"
    )
    assert read(application) == before


def test_lone_surrogate_is_escaped(application: Application) -> None:
    application.answers = {"why": "half \ud83d of it"}
    assert read(application)["answers"] == {"why": "half \ud83d of it"}
