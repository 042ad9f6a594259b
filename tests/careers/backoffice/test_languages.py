"""One list of applications for a job that people apply for in two languages."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from wagtail.models import GroupPagePermission, Page
from wagtail.users.models import UserProfile

from careers.applications.models import Application
from careers.jobs.models import JobPage
from tests.support import people
from tests.support.factories import ApplicationFactory
from tests.support.translating import in_french

pytestmark = pytest.mark.django_db

WORDS = {
    "Clockmaker": "Horloger",
    "Which tool?": "Quel outil ?",
    "File": "Lime",
    "Hammer": "Marteau",
    "Why you?": "Pourquoi vous ?",
}


@pytest.fixture
def asked(ours: JobPage) -> JobPage:
    """Our job, with a choice and a text among its questions."""
    options = [
        {"type": "item", "id": key, "value": word} for key, word in (("f", "File"), ("h", "Hammer"))
    ]
    tool = {"label": "Which tool?", "help_text": "", "required": True, "options": options}
    why = {"label": "Why you?", "help_text": "", "required": False}
    ours.questions = [
        {"type": "multiple_choice", "id": "tool", "value": tool},
        {"type": "long_text", "id": "why", "value": why},
        {"type": "yes_no", "id": "early", "value": {**why, "label": "Are you an early riser?"}},
    ]
    ours.ask_cv = "off"
    ours.save_revision().publish()
    return JobPage.objects.get(pk=ours.pk)


@pytest.fixture
def french(asked: JobPage) -> JobPage:
    found: JobPage = in_french(asked, WORDS)
    return found


def apply_on(page: JobPage, name: str, why: str) -> Application:
    made: Application = ApplicationFactory(
        page=page,
        name=name,
        language=page.locale.language_code,
        answers={"name": name, "tool": ["h"], "why": why, "early": True},
    )
    return made


@pytest.fixture
def both(asked: JobPage, french: JobPage) -> tuple[Application, Application]:
    return apply_on(asked, "Jane", "I like clocks."), apply_on(french, "Jeanne", "J’aime l’heure.")


def answers(client: Client, application: Application) -> list[tuple[str, str, str]]:
    """The parts of each answer: language, whether it is the reader's version, words."""
    page = client.get(f"/admin/applications/{application.reference}/").content
    soup = BeautifulSoup(page, "html.parser")
    return [
        (part.get("lang", ""), "own" if "bo-own" in part.get("class", []) else "", part.get_text())
        for part in soup.select(".bo-answers dt span, .bo-answers dd p")
    ]


def test_french_answers_are_shown_with_english_words(
    as_ada: Client, both: tuple[Application, Application]
) -> None:
    assert answers(as_ada, both[1]) == [
        ("fr", "", "Quel outil ?"),
        ("", "own", "Which tool?"),
        ("fr", "", "Marteau"),
        ("", "own", "Hammer"),
        ("fr", "", "Pourquoi vous ?"),
        ("", "own", "Why you?"),
        ("fr", "", "J’aime l’heure."),
        ("fr", "", "Are you an early riser?"),
        ("", "", "Yes"),
    ]


def test_answers_in_the_readers_language_have_no_translation(
    as_ada: Client, both: tuple[Application, Application]
) -> None:
    assert [line for line in answers(as_ada, both[0]) if line[1]] == []


def test_french_reader_sees_french_words_beside_english_answers(
    both: tuple[Application, Application],
) -> None:
    ada, client = people.ada(), Client()
    profile = UserProfile.get_for_user(ada)
    profile.preferred_language = "fr"
    profile.save()
    client.force_login(ada)
    assert [line for line in answers(client, both[1]) if line[1]] == []
    shown = answers(client, both[0])
    assert ("en", "", "Which tool?") in shown
    assert ("", "own", "Quel outil ?") in shown
    assert ("", "own", "Marteau") in shown
    assert ("", "", "Oui") in shown


def test_answer_to_removed_question_has_no_translation(
    as_ada: Client, both: tuple[Application, Application], asked: JobPage
) -> None:
    asked.questions = []
    asked.save_revision().publish()
    assert [line for line in answers(as_ada, both[1]) if line[1]] == []


def listed(client: Client, query: str = "") -> list[tuple[str, str]]:
    soup = BeautifulSoup(client.get(f"/admin/applications/{query}").content, "html.parser")
    names = [link.get_text(strip=True) for link in soup.select(".bo-table .title-wrapper a")]
    jobs = [cell.get_text(strip=True) for cell in soup.select(".bo-table td.bo-cell-job")]
    return sorted(zip(names, jobs, strict=True))


def test_applications_in_both_languages_are_in_one_list(
    as_ada: Client, both: tuple[Application, Application], asked: JobPage, french: JobPage
) -> None:
    inbox = [("Jane", "Clockmaker"), ("Jeanne", "Clockmaker")]
    assert listed(as_ada) == inbox
    assert listed(as_ada, f"?job={asked.pk}") == inbox
    assert listed(as_ada, "?language=fr") == [("Jeanne", "Clockmaker")]
    choices = as_ada.get("/admin/applications/").content.decode()
    assert f'<option value="{asked.pk}">' in choices
    assert f'<option value="{french.pk}">' not in choices


def test_filter_by_any_page_of_a_job_shows_all_its_applications(
    as_ada: Client,
    both: tuple[Application, Application],
    asked: JobPage,
    french: JobPage,
    theirs: JobPage,
) -> None:
    ApplicationFactory(page=theirs, name="Joan")
    assert listed(as_ada, f"?job={french.pk}") == [("Jane", "Clockmaker"), ("Jeanne", "Clockmaker")]
    for path in ("applications", "tasks"):
        page = as_ada.get(f"/admin/{path}/?job={french.pk}").content
        select = BeautifulSoup(page, "html.parser").select_one("select[name=job]")
        names = [option.get_text(strip=True) for option in select.select("option")]
        assert names == ["All", "Bell founder", "Horloger"]
        assert select.select_one("[selected]").get_text(strip=True) == "Horloger"


@pytest.mark.parametrize("path", ["applications", "tasks"])
@pytest.mark.parametrize("job", ["x", "9" * 30, "9" * 5000, "-1"])
def test_invalid_job_in_address_is_ignored(as_ada: Client, path: str, job: str) -> None:
    assert as_ada.get(f"/admin/{path}/?job={job}").status_code == 200


def test_job_that_exists_in_french_only_is_a_choice(as_ada: Client, french: JobPage) -> None:
    Page.objects.filter(translation_key=french.translation_key).exclude(pk=french.pk).delete()
    choices = as_ada.get("/admin/applications/").content.decode()
    assert f'<option value="{french.pk}">' in choices


def test_editor_of_french_pages_sees_both_languages(
    both: tuple[Application, Application], french: JobPage, ours: JobPage
) -> None:
    hanna, client = people.hanna(french.get_parent()), Client()
    assert not GroupPagePermission.objects.filter(page=ours.get_parent()).exists()
    client.force_login(hanna)
    assert [name for name, _job in listed(client)] == ["Jane", "Jeanne"]


def test_answers_in_two_languages_have_the_same_keys(both: tuple[Application, Application]) -> None:
    english, french = (application.frozen_form for application in both)
    assert [question.key for question in english.questions] == [
        question.key for question in french.questions
    ]
    tool = [form.question("tool") for form in (english, french)]
    assert [[option.key for option in question.options] for question in tool if question] == [
        ["f", "h"],
        ["f", "h"],
    ]
