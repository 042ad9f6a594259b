"""The searches of the site: the public list, Wagtail's own, and the list of applications."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from bs4 import BeautifulSoup
from django.core.management import call_command
from django.test import Client
from wagtail.models import Locale, Page
from wagtail.search.backends import get_search_backend
from wagtail.search.query import MATCH_ALL, Phrase, PlainText

from careers.jobs.models import JobPage
from careers.jobs.taxonomy import Department, EmploymentType, Location, Workplace
from careers.search.applications import index_answers, index_file
from careers.search.models import ContentTerms
from tests.support import people
from tests.support.factories import ApplicationFactory, ApplicationFileFactory, JobPageFactory
from tests.support.people import logged_in

pytestmark = pytest.mark.django_db

CPP, SHARP, NET, JAPANESE, FRENCH = (
    "C++ developer",
    "Game maker",
    "Backend (.NET)",
    "シニアソフトウェアエンジニア",
    "Chargé·e d’études",
)


@pytest.fixture
def jobs(job_index: Any) -> None:
    """Five jobs; one is in Zürich, one in the department R&D, one can be done from home."""
    zurich = Location.objects.create(name="Zürich", slug="zurich", country="CH")
    lab = Department.objects.create(name="R&D", slug="rd", locale=Locale.get_default())
    for title, more in (
        (CPP, {"summary": "Internet of things; our C programs. Full-stack."}),
        (SHARP, {"summary": "You write C# and Ruby.", "workplace": Workplace.REMOTE}),
        (NET, {"department": lab}),
        (JAPANESE, {"employment_type": EmploymentType.INTERN}),
        (FRENCH, {"summary": "L’équipe d’Élodie à Saint-Étienne."}),
    ):
        page = JobPageFactory(parent=job_index, title=title, **more)
        if title == NET:
            page.locations.set([zurich])
            page.save()


@pytest.mark.parametrize(
    ("typed", "titles"),
    [
        ("c++", {CPP}),
        ("C#", {SHARP}),
        ("c", {CPP}),
        (".net", {NET}),
        ("net", {NET}),
        ("intern", {CPP, JAPANESE}),
        ("fullstack", {CPP}),
        ("エンジニア", {JAPANESE}),
        ("ｴﾝｼﾞﾆｱ", {JAPANESE}),
        ("elodie", {FRENCH}),
        ("E\u0301LODIE", {FRENCH}),
        ("d'etudes", {FRENCH}),
        ("chargee", {FRENCH}),
        ("saint étienne", {FRENCH}),
        ("zurich", {NET}),
        ("zuerich backend", {NET}),
        ("zurich ruby", set()),
        ("r&d", {NET}),
        ("remote c#", {SHARP}),
        ("%", set()),
        ("'; --", set()),
    ],
)
def test_public_list_finds_what_visitors_mean(
    client: Client, jobs: None, typed: str, titles: set[str]
) -> None:
    response = client.get(f"/careers/?q={quote(typed)}")
    assert {job.title for job in response.context["listing"].jobs} == titles


def test_public_list_follows_every_change(client: Client, jobs: None) -> None:
    def found(typed: str) -> int:
        return int(client.get(f"/careers/?q={quote(typed)}").context["listing"].total)

    page = JobPage.objects.get(title=CPP)
    page.title = "Rust developer"
    page.save_revision().publish()
    assert (found("c++"), found("rust")) == (0, 1)
    JobPage.objects.get(title=NET).delete()
    Location.objects.get(name="Zürich").delete()
    assert (found("zurich"), found(".net")) == (0, 0)
    assert not ContentTerms.objects.filter(terms__contains=" .net").exists()


def test_update_index_finds_what_an_older_release_changed(client: Client, jobs: None) -> None:
    ContentTerms.objects.update(terms=" stale ")
    call_command("update_index", verbosity=0)
    listing = client.get(f"/careers/?q={quote('c++')}").context["listing"]
    assert (listing.total, ContentTerms.objects.filter(terms=" stale ").count()) == (1, 0)


def test_admin_finds_pages_by_folded_words_titles_first(jobs: None) -> None:
    JobPageFactory(parent=Page.objects.get(slug="careers"), title="Élodie’s successor")
    admin = logged_in(people.ada())

    def titles(typed: str) -> list[str]:
        page = admin.get(f"/admin/pages/search/results/?q={quote(typed)}").content
        links = BeautifulSoup(page, "html.parser").select(".title-wrapper a")
        return [link.get_text(strip=True) for link in links]

    assert titles("elodie") == ["Élodie’s successor", FRENCH]
    assert titles("c#") == [SHARP]
    assert titles("エンジニア") == [JAPANESE]
    for typed in ("???", "%", "+", "—"):
        assert titles(typed) == [], typed
    assert admin.get(f"/admin/pages/search/?q={quote('live:yes C++')}").status_code == 200


def test_backend_answers_every_kind_of_query(jobs: None) -> None:
    backend = get_search_backend()

    def found(query: Any, model: Any = JobPage, **more: Any) -> set[str]:
        return {str(row) for row in backend.search(query, model, **more)}

    assert found("zurich", Location) == {"Zürich"}
    assert {str(row) for row in backend.autocomplete("zur", Location.objects.all())} == {"Zürich"}
    assert found("c++ c#") == set()
    assert found("c++ c#", operator="or") == {CPP, SHARP}
    assert found(PlainText("c++") | PlainText("c#")) == {CPP, SHARP}
    assert found(PlainText("developer") & ~PlainText("ruby")) == {CPP}
    assert found(Phrase("game maker")) == {SHARP}
    assert len(found(MATCH_ALL)) == 5
    assert found("c++", Page) == {CPP}
    # A title is no other object's.
    assert found("zurich", Page) == set()


def test_rebuilding_finds_all_and_forgets_what_is_gone(jobs: None) -> None:
    ContentTerms.objects.filter(terms__contains="c++").delete()
    row = ContentTerms.objects.first()
    ContentTerms.objects.create(content_type=row.content_type, object_id="0", title="", terms="")
    call_command("wagtail_update_index", verbosity=0)
    assert {str(page) for page in get_search_backend().search("c++", Page)} == {CPP}
    assert not ContentTerms.objects.filter(object_id="0").exists()


@pytest.fixture
def applicants(bare_job: Any) -> JobPage:
    """Three people: one named Annika, one whose CV and answers mention C++, and one elsewhere."""
    named = ApplicationFactory(page=bare_job, name="Annika Ｏ’Brien", phone="+44 20 7946 0018")
    other = ApplicationFactory(page=bare_job, name="Bo")
    elsewhere = ApplicationFactory(name="Annika Elsewhere")
    for application in (other, elsewhere):
        cv = ApplicationFileFactory(application=application, filename="Zeugnis.pdf")
        index_file(cv, "C++ with Annika, Straßenbau")
        index_answers(application)
    index_answers(named)
    job: JobPage = bare_job
    return job


@pytest.mark.parametrize(
    ("typed", "people_found"),
    [
        ("annika", ["Annika Ｏ’Brien", "Bo"]),
        ("o'brien", ["Annika Ｏ’Brien"]),
        ("020 7946 0018", ["Annika Ｏ’Brien"]),
        ("c++ strassenbau", ["Bo"]),
        ("zeugnis", ["Bo"]),
        ("c", []),
        ("elsewhere", []),
    ],
)
def test_applications_are_found_only_where_the_reader_may_read(
    applicants: JobPage, typed: str, people_found: list[str]
) -> None:
    hanna = logged_in(people.hanna(applicants))
    page = BeautifulSoup(hanna.get(f"/admin/applications/?q={quote(typed)}").content, "html.parser")
    rows = page.select(".bo-table tbody tr")
    names = [row.select_one(".title-wrapper a").get_text(strip=True) for row in rows]
    assert names == people_found
    for row, name in zip(rows, names, strict=True):
        where = "the form" if typed == "zeugnis" else "Zeugnis.pdf"
        assert (f"Found in: {where}" in row.get_text()) is (name == "Bo")
