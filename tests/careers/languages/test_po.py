"""Translation by file: a job is exported as PO and imported in French."""

from __future__ import annotations

from typing import Any

import polib
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from careers.applications.answers import readable
from careers.applications.models import Application
from careers.jobs.models import JobPage
from tests.support import people
from tests.support.applying import ask, send
from tests.support.translating import french_site, translation_of

pytestmark = pytest.mark.django_db

FRENCH = {
    "Gauge keeper": "Gardien de jauges",
    "Build and mend movements.": "Construire et réparer des mouvements.",
    "Which shift?": "Quelle équipe\u202f?",
    "Early": "Matin",
    "Late": "Soir",
    "Why you?": "Pourquoi vous\u202f?",
    "In one sentence.": "En une phrase.",
}


@pytest.fixture
def asking(job: Any) -> JobPage:
    job.questions = [
        ask(
            "single_choice",
            "Which shift?",
            key="shift",
            required=True,
            options={"early": "Early", "late": "Late"},
        ),
        ask("long_text", "Why you?", key="why", help_text="In one sentence."),
    ]
    job.save_revision().publish()
    return JobPage.objects.get(pk=job.pk)


@pytest.fixture
def translated(
    home: Any,
    job_index: Any,
    asking: JobPage,
    django_capture_on_commit_callbacks: Any,
) -> JobPage:
    """The French page, made with a PO file in Wagtail's admin."""
    french_site(home, job_index)
    translation = translation_of(asking)
    admin = Client()
    admin.force_login(people.ada())

    exported = admin.get(reverse("wagtail_localize:download_pofile", args=[translation.pk]))
    po = polib.pofile(exported.content.decode())
    assert {entry.msgid for entry in po} == set(FRENCH)
    for entry in po:
        entry.msgstr = FRENCH[entry.msgid]
    sent = SimpleUploadedFile("fr.po", str(po).encode(), "text/x-gettext-translation")
    upload = reverse("wagtail_localize:upload_pofile", args=[translation.pk])
    assert admin.post(upload, {"file": sent, "next": "/admin/"}).status_code == 302
    assert translation.get_progress() == (len(FRENCH), len(FRENCH))

    page = translation.get_target_instance()
    assert not page.live
    with django_capture_on_commit_callbacks(execute=True):
        admin.post(reverse("wagtailadmin_pages:edit", args=[page.pk]), {"action": "publish"})
    found: JobPage = JobPage.objects.get(pk=page.pk)
    return found


@pytest.mark.parametrize("content", [None, b'msgid "Early"\nmsgstr "Matin"\n', b"\xff\xfe no PO"])
def test_upload_without_a_po_file_of_the_translation_is_refused_in_words(
    home: Any, job_index: Any, asking: JobPage, content: bytes | None
) -> None:
    french_site(home, job_index)
    translation = translation_of(asking)
    admin = people.logged_in(people.ada())
    upload = reverse("wagtail_localize:upload_pofile", args=[translation.pk])
    file = {"file": SimpleUploadedFile("fr.po", content)} if content else {}
    page = admin.post(upload, {**file, "next": "/admin/account/"}, follow=True)
    assert page.redirect_chain == [("/admin/account/", 302)]
    (message,) = page.context["messages"]
    assert "PO" in str(message)
    assert translation.get_progress()[1] == 0


def test_imported_po_file_publishes_the_translation(client: Client, translated: JobPage) -> None:
    html = client.get("/fr/careers/gauge-keeper/").content.decode()
    for words in FRENCH.values():
        assert words in html
    assert not [words for words in FRENCH if f">{words}<" in html]


def test_translated_form_keeps_question_keys(asking: JobPage, translated: JobPage) -> None:
    def keys(page: JobPage) -> list[tuple[str, list[str]]]:
        questions = page.frozen_form().questions
        return [(asked.key, [option.key for option in asked.options]) for asked in questions]

    assert keys(translated) == keys(asking)
    assert ("shift", ["early", "late"]) in keys(translated)


def test_french_application_stores_the_same_keys(
    client: Client, asking: JobPage, translated: JobPage
) -> None:
    answers = {"q-shift": "late", "q-why": "Voilà."}
    for page, email in ((asking, "jane@example.org"), (translated, "jeanne@example.org")):
        response = send(client, page, email=email, **answers)
        assert response.status_code == 303, response.content.decode()
    english, french = Application.objects.order_by("pk")
    assert (english.language, french.language) == ("en", "fr")
    assert english.job_key == french.job_key
    assert english.answers["shift"] == french.answers["shift"] == "late"
    words = {answer.question.key: answer.paragraphs for answer in readable(french)}
    assert (words["shift"], words["why"]) == (("Soir",), ("Voilà.",))
