"""The list of jobs: search, filters with counts, and addresses of any kind."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wagtail.models import Locale

from careers.jobs.listing import Facet, Option
from careers.jobs.taxonomy import Department, EmploymentType, Location, Workplace
from tests.support.factories import JobIndexPageFactory, JobPageFactory
from tests.support.translating import french_site, in_french

pytestmark = pytest.mark.django_db


def titles(response: Any) -> list[str]:
    return [job.title for job in response.context["listing"].jobs]


def counts(response: Any, facet: str) -> dict[str, int]:
    """The options of one facet with their numbers, as the page has them."""
    facets = {found.name: found for found in response.context["listing"].facets}
    return {option.value: option.jobs for option in facets[facet].options}


def in_days(days: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(days=days)


@pytest.fixture
def three_jobs(job: Any, job_index: Any) -> None:
    """The gauge keeper (without location) and two more, in two departments and two locations."""
    english = Locale.get_default()
    field = Department.objects.create(name="Field", slug="field", locale=english)
    lab = Department.objects.create(name="Laboratory", slug="lab", locale=english)
    bergen = Location.objects.create(name="Bergen", slug="bergen", country="NO")
    lyon = Location.objects.create(name="Lyon", slug="lyon", country="FR")
    Location.objects.create(name="Oslo", slug="oslo", country="NO")
    for title, department, locations, workplace, kind in (
        ("Firmware engineer", lab, [bergen, lyon], Workplace.HYBRID, EmploymentType.FULL_TIME),
        ("Field technician", field, [lyon], Workplace.ON_SITE, EmploymentType.PART_TIME),
    ):
        page = JobPageFactory(
            parent=job_index,
            title=title,
            department=department,
            workplace=workplace,
            employment_type=kind,
        )
        page.locations.set(locations)
        page.save()


FIRMWARE, TECHNICIAN, KEEPER = "Firmware engineer", "Field technician", "Gauge keeper"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=firmware", {FIRMWARE}),
        ("q=FIRM", {FIRMWARE}),
        ("q=lyon", {FIRMWARE, TECHNICIAN}),
        ("q=laborat", {FIRMWARE}),
        ("department=field", {TECHNICIAN}),
        ("department=field&department=lab", {FIRMWARE, TECHNICIAN}),
        ("place=bergen", {FIRMWARE}),
        ("place=lyon&department=lab", {FIRMWARE}),
        ("workplace=hybrid", {FIRMWARE}),
        ("workplace=on_site&type=PART_TIME", {TECHNICIAN}),
        ("type=FULL_TIME", {FIRMWARE, KEEPER}),
        ("q=technician&place=bergen", set()),
        ("q=nothing+like+it", set()),
        ("place=oslo", set()),
        ("q=", {FIRMWARE, TECHNICIAN, KEEPER}),
        ("place=", {FIRMWARE, TECHNICIAN, KEEPER}),
        ("place=atlantis&workplace=moon&type=full_time", {FIRMWARE, TECHNICIAN, KEEPER}),
        ("page=99", {FIRMWARE, TECHNICIAN, KEEPER}),
        ("page=x", {FIRMWARE, TECHNICIAN, KEEPER}),
        ("page=-1", {FIRMWARE, TECHNICIAN, KEEPER}),
    ],
)
def test_search_and_filters_find_matching_jobs(
    client: Client, three_jobs: None, query: str, found: set[str]
) -> None:
    response = client.get(f"/careers/?{query}")
    assert set(titles(response)) == found
    assert response.context["listing"].total == len(found)


def test_facet_counts_respect_choices_in_other_facets(client: Client, three_jobs: None) -> None:
    everything = client.get("/careers/")
    assert counts(everything, "place") == {"bergen": 1, "lyon": 2}
    assert counts(everything, "type") == {"FULL_TIME": 2, "PART_TIME": 1}
    narrowed = client.get("/careers/?place=bergen")
    # The choice in the facet itself does not count: another location would widen the list.
    assert counts(narrowed, "place") == {"bergen": 1, "lyon": 2}
    assert counts(narrowed, "department") == {"field": 0, "lab": 1}
    assert counts(narrowed, "workplace") == {"on_site": 0, "hybrid": 1}
    assert counts(client.get("/careers/?q=technician"), "place") == {"bergen": 0, "lyon": 1}


def test_chosen_options_are_checked_and_removable(client: Client, three_jobs: None) -> None:
    page = client.get("/careers/?q=e&place=lyon&place=bergen&type=FULL_TIME").content.decode()
    checked = re.findall(r'name="(\w+)" value="(\w+)" checked', page)
    assert checked == [("place", "bergen"), ("place", "lyon"), ("type", "FULL_TIME")]
    chips = re.findall(r'class="chip" href="/careers/([^"]+)"', page)
    assert [chip.replace("&amp;", "&") for chip in chips] == [
        "?place=lyon&place=bergen&type=FULL_TIME",
        "?q=e&place=lyon&type=FULL_TIME",
        "?q=e&place=bergen&type=FULL_TIME",
        "?q=e&place=lyon&place=bergen",
    ]
    assert 'name="robots" content="noindex' in page


def test_chosen_location_without_open_job_is_shown(client: Client, three_jobs: None) -> None:
    response = client.get("/careers/?place=oslo")
    assert [chip.label for chip in response.context["listing"].chips] == ["Oslo"]
    assert counts(response, "place") == {"bergen": 1, "lyon": 2, "oslo": 0}


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("place=bergen&department=field", [TECHNICIAN, FIRMWARE, KEEPER]),
        ("place=bergen&department=lab&type=PART_TIME", [FIRMWARE, TECHNICIAN, KEEPER]),
        ("q=technician&place=bergen", [FIRMWARE, TECHNICIAN, KEEPER]),
    ],
)
def test_list_without_match_shows_closest_jobs(
    client: Client, three_jobs: None, query: str, nearest: list[str]
) -> None:
    response = client.get(f"/careers/?{query}")
    assert "These come closest:" in response.content.decode()
    found = [job.title for job in response.context["listing"].nearest]
    assert set(found) == set(nearest)
    assert found[-1] == KEEPER


def test_list_without_open_jobs_shows_no_filters(client: Client, job_index: Any) -> None:
    for address in ("/careers/", "/careers/?q=x&place=lyon"):
        page = client.get(address).content.decode()
        assert "on this page first." in page
        assert "<form" not in page


def test_list_shows_only_jobs_of_its_language(client: Client, three_jobs: None) -> None:
    french = Locale.objects.create(language_code="fr")
    elsewhere = JobIndexPageFactory(locale=french)
    department = Department.objects.create(name="Terrain", slug="terrain", locale=french)
    JobPageFactory(parent=elsewhere, title="Horloger", department=department, locale=french)
    response = client.get("/careers/")
    assert counts(response, "department") == {"field": 1, "lab": 1}
    assert "Horloger" not in response.content.decode()


def test_list_shows_open_jobs_newest_first(client: Client, job: Any, job_index: Any) -> None:
    JobPageFactory(parent=job_index, title="Closed", closes_at=in_days(-1))
    JobPageFactory(parent=job_index, title="Later", opens_at=in_days(1))
    JobPageFactory(parent=job_index, title="Draft", live=False)
    JobPageFactory(parent=job_index, title="Newer")
    job.opened_at = in_days(-3)
    job.save()
    assert titles(client.get("/careers/")) == ["Newer", "Gauge keeper"]


def test_pagination_keeps_filters(client: Client, job_index: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("careers.jobs.listing.JOBS_PER_PAGE", 2)
    for _number in range(5):
        JobPageFactory(parent=job_index)
    JobPageFactory(parent=job_index, workplace=Workplace.REMOTE)
    assert len(titles(client.get("/careers/"))) == 2
    second = client.get("/careers/?workplace=on_site&page=2&utm_source=x")
    assert len(titles(second)) == 2
    page = second.content.decode()
    assert 'rel="prev" href="/careers/?workplace=on_site"' in page
    assert 'rel="next" href="/careers/?workplace=on_site&amp;page=3"' in page
    assert titles(client.get("/careers/?page=99")) == titles(client.get("/careers/?page=3"))


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    words=st.text(max_size=30) | st.sampled_from(['"', "a AND", "NEAR(", "*", "-", "a:b", "\x00"]),
    values=st.lists(st.text(max_size=10) | st.sampled_from(["x" * 300, "on_site", ""]), max_size=4),
    page=st.text(max_size=6) | st.integers().map(str),
)
def test_list_with_any_query_answers_200(
    job: Any, words: str, values: list[str], page: str
) -> None:
    asked = {"q": words, "page": page} | dict.fromkeys(
        ("department", "place", "workplace", "type"), values
    )
    assert Client().get("/careers/", asked).status_code == 200


# ── Long lists of options ───────────────────────────────────────────────────────────────


def facet(jobs: list[int], chosen: set[int] = frozenset()) -> Facet:  # type: ignore[assignment]
    options = [
        Option(str(number), f"Location {number}", 0, number in chosen, count)
        for number, count in enumerate(jobs)
    ]
    return Facet("place", "Location", "All locations", tuple(options))


def test_eight_options_are_all_in_view() -> None:
    assert len(facet([1] * 8).in_view) == 8
    assert facet([1] * 8).folded == []


def test_more_options_keep_most_frequent_in_view_in_order() -> None:
    shown = facet([1, 9, 1, 8, 1, 7, 6, 5, 4, 3])
    assert [option.value for option in shown.in_view] == ["1", "3", "5", "6", "7", "8", "9"]
    assert [option.value for option in shown.folded] == ["0", "2", "4"]


def test_chosen_options_are_always_in_view() -> None:
    shown = facet([9] * 8 + [0, 0], chosen={8, 9})
    assert {"8", "9"} <= {option.value for option in shown.in_view}
    assert len(facet([1] * 12, chosen=set(range(10))).in_view) == 10


def test_facet_with_one_option_is_useful_only_if_chosen() -> None:
    assert not facet([3]).is_useful
    assert facet([3], chosen={0}).is_useful


# ── Other languages ─────────────────────────────────────────────────────────────────────


def test_list_shows_jobs_of_its_language_and_counts_others(
    client: Client, home: Any, job_index: Any, job: Any
) -> None:
    french_site(home, job_index)
    in_french(job, {"Gauge keeper": "Gardien de jauges"})
    for _number in range(2):
        JobPageFactory(parent=job_index)
    response = client.get("/fr/careers/")
    assert [row.title for row in response.context["listing"].jobs] == ["Gardien de jauges"]
    [english] = response.context["elsewhere"]
    assert (english["language"]["code"], english["url"], english["jobs"]) == ("en", "/careers/", 2)
    assert client.get("/careers/").context["elsewhere"] == []
