"""A translation of which nobody sees anything is not used."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from wagtail_localize.models import SegmentOverride, StringSegment, StringTranslation

from careers.jobs.models import JobPage
from careers.jobs.taxonomy import Department
from careers.languages.strings import clean_translation
from tests.support import people
from tests.support.applying import ask
from tests.support.translating import french_site, in_french, translation_of

pytestmark = pytest.mark.django_db

UNSEEN = ["\u200b", " \u00a0\u3164\u2800", "\u202e\u2066\u0301", "&#8203;&nbsp;"]


@pytest.fixture
def asking(home: Any, job_index: Any, job: Any) -> JobPage:
    french_site(home, job_index)
    job.questions = [
        ask("single_choice", "Which shift?", key="shift", options={"a": "Early", "b": "Late"})
    ]
    job.department = Department.objects.create(name="Yard", slug="yard", locale=job.locale)
    job.save_revision().publish()
    return JobPage.objects.get(pk=job.pk)


@pytest.mark.parametrize("unseen", UNSEEN)
def test_page_shows_the_original_of_a_translation_that_nobody_sees(
    client: Client, asking: JobPage, unseen: str
) -> None:
    in_french(asking.department, {"Yard": unseen})
    words = dict.fromkeys(["Which shift?", "Early", "Gauge keeper"], unseen)
    french = in_french(asking, {**words, "Late": "Soir"})
    assert french.title == french.draft_title == "Gauge keeper"
    assert Department.objects.get(locale=french.locale).name == "Yard"
    (question,) = french.frozen_form().questions[-1:]
    assert question.label == "Which shift?"
    assert [option.label for option in question.options] == ["Early", "Soir"]
    assert client.get(french.url).status_code == 200


def test_translation_editor_says_why_a_translation_is_not_used(asking: JobPage) -> None:
    translation = translation_of(asking)
    segment = StringSegment.objects.get(source=translation.source, string__data="Early")
    address = reverse("wagtail_localize:edit_string_translation", args=[translation.pk, segment.pk])
    editor = people.logged_in(people.ada())

    def put(value: str) -> Any:
        return editor.put(
            address, f"value={value}", content_type="application/x-www-form-urlencoded"
        ).json()

    assert put("%E2%80%8B")["error"].startswith("This translation shows nothing")
    assert put("Ma%E2%80%AEtin")["error"] is None
    assert StringTranslation.objects.get().data == "Matin"


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Ma\u202etin\u200b", "Matin"),
        ("می&zwnj;خواهم", "می\u200cخواهم"),
        ("A&#8203;&#x202e;B &lt;b&gt; &amp; <b>C</b>", "AB &lt;b&gt; &amp; <b>C</b>"),
        ("Quelle équipe\u202f?", "Quelle équipe\u202f?"),
        ("AT&T; R&D;", "AT&T; R&D;"),
        (" a ", " a "),
    ],
)
def test_translation_is_stored_without_what_nobody_can_see(typed: str, stored: str) -> None:
    translation = StringTranslation(data=typed)
    translation._state.fields_cache["translation_of"] = None
    clean_translation(translation)
    assert (translation.data, translation.has_error) == (stored, False)


@pytest.mark.parametrize(
    ("value", "stored"), [('"\u200b"', '""'), ('"A\u202eB"', '"AB"'), ("7", "7")]
)
def test_override_is_stored_without_what_nobody_can_see(
    asking: JobPage, value: str, stored: str
) -> None:
    override = SegmentOverride(locale=asking.locale, data_json=value)
    override.save()
    assert override.data_json == stored
