"""``/admin/tasks/``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from careers.jobs.models import JobPage
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step
from tests.support.factories import ApplicationFactory, HeartbeatFactory, StepFactory

URL = "/admin/tasks/"


def references(client: Client, query: str = "") -> list[str]:
    """What the list shows, in order."""
    soup = BeautifulSoup(client.get(URL + query).content, "html.parser")
    return [a.get_text(strip=True) for a in soup.select(".bo-table .title-wrapper a")]


def text_of(client: Client, url: str = URL) -> str:
    soup = BeautifulSoup(client.get(url).content, "html.parser")
    return " ".join(soup.select_one("#listing-results").get_text(" ").split())


def test_addresses_are_stable(db: None) -> None:
    assert reverse("careers_tasks:index") == URL
    assert reverse("careers_tasks:detail", args=["7KD4-93MX"]) == "/admin/tasks/7KD4-93MX/"


def test_healthy_site_shows_that_everything_works(as_otto: Client, ours: JobPage) -> None:
    ApplicationFactory(page=ours, with_steps=True)
    HeartbeatFactory()
    HeartbeatFactory(sweeper=True)
    HeartbeatFactory(scheduler=True)
    assert "All is well. Nothing is waiting." in text_of(as_otto)


def test_missing_worker_is_shown_with_next_action(as_otto: Client, db: None) -> None:
    HeartbeatFactory(sweeper=True)
    text = text_of(as_otto)
    assert "No worker is running. No application is waiting." in text
    assert "Start the workers. They then do the waiting work." in text


def test_row_shows_steps_in_order(as_otto: Client, ours: JobPage) -> None:
    application = ApplicationFactory(page=ours)
    StepFactory(application=application, kind=MAIL_HR, recipient="hr@example.com")
    StepFactory(application=application, kind=MAIL_APPLICANT, succeeded=True)
    StepFactory(application=application, kind=ARCHIVE)
    StepFactory(application=application, kind=RENDER_PDF, retrying=True)
    soup = BeautifulSoup(as_otto.get(URL).content, "html.parser")
    chips = [
        " ".join(chip.select_one(".bo-chip__text").get_text().split())
        for chip in soup.select(".bo-table .bo-chip")
    ]
    assert chips == ["PDF Will retry", "Archive Waiting", "Receipt Done", "HR mail Waiting"]


def test_chip_shows_attempts_and_next_time_to_screen_readers(
    as_otto: Client, ours: JobPage
) -> None:
    step = StepFactory(application__page=ours, retrying=True)
    soup = BeautifulSoup(as_otto.get(URL).content, "html.parser")
    chip = soup.select_one(".bo-chip")
    assert "Archive · Will retry at " in chip["title"]
    assert f"{step.attempts} attempts" in chip["title"]
    assert chip["title"] in chip.select_one(".w-sr-only").get_text()
    assert chip.select_one("svg.icon") is not None


def test_list_shows_no_personal_data(as_ada: Client, ours: JobPage) -> None:
    """Also for users who may read applications: others may see this page on their screen."""
    application = ApplicationFactory(page=ours, with_steps=True)
    page = as_ada.get(URL).content.decode()
    assert application.name not in page
    assert application.email not in page


@pytest.mark.parametrize(
    ("state", "trait"),
    [
        ("attention", "failed"),
        ("attention", "uncertain"),
        ("attention", "misconfigured"),
        ("under-way", "queued"),
        ("under-way", "retrying"),
        ("running", "started"),
        ("done-today", "succeeded"),
        ("failed", "failed"),
        ("cancelled", "cancelled"),
    ],
)
def test_filter_by_state_shows_matching_tasks(
    as_otto: Client, ours: JobPage, state: str, trait: str
) -> None:
    step = StepFactory(application__page=ours, **{trait: True})
    other = "succeeded" if trait != "succeeded" else "failed"
    StepFactory(application__page=ours, **{other: True})
    assert references(as_otto, f"?state={state}") == [step.application.reference]


def test_done_today_excludes_yesterday(as_otto: Client, ours: JobPage) -> None:
    StepFactory(
        application__page=ours,
        succeeded=True,
        ended_at=timezone.now() - dt.timedelta(days=1, minutes=1),
    )
    assert references(as_otto, "?state=done-today") == []


def test_filter_by_state_and_kind_requires_one_step_with_both(
    as_otto: Client, ours: JobPage
) -> None:
    wanted = StepFactory(application__page=ours, kind=ARCHIVE, failed=True)
    mixed = ApplicationFactory(page=ours)
    StepFactory(application=mixed, kind=ARCHIVE, succeeded=True)
    StepFactory(application=mixed, kind=RENDER_PDF, failed=True)
    assert references(as_otto, "?state=failed&kind=archive") == [wanted.application.reference]


def test_filter_by_job_shows_matching_tasks(
    as_otto: Client, ours: JobPage, theirs: JobPage
) -> None:
    application = ApplicationFactory(page=ours)
    ApplicationFactory(page=theirs)
    assert references(as_otto, f"?job={ours.pk}") == [application.reference]


def test_invalid_filter_is_ignored(as_otto: Client, ours: JobPage) -> None:
    ApplicationFactory(page=ours)
    assert len(references(as_otto, "?state=nonsense&job=x")) == 1


@pytest.mark.parametrize(
    "typed", ["7KD0-1AAA", "7kd0-1aaa", "7kdo1aaa", "7KDO-IAAA", " 7kdo lAAA", "7kdo", "kd0", "1aa"]
)
def test_search_finds_reference_in_any_spelling(as_otto: Client, ours: JobPage, typed: str) -> None:
    ApplicationFactory(page=ours, reference="7KD0-1AAA")
    ApplicationFactory(page=ours, reference="ZZZZ-ZZZZ")
    assert references(as_otto, f"?q={typed}") == ["7KD0-1AAA"]


def test_search_finds_task_application_and_message_ids(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(
        application__page=ours, succeeded=True, result={"message_id": "<a.receipt@example.com>"}
    )
    ApplicationFactory(page=ours)
    found = [step.application.reference]
    assert references(as_otto, f"?q={step.celery_task_id}") == found
    assert references(as_otto, f"?q={step.application.public_id}") == found
    assert references(as_otto, "?q=<a.receipt@example.com>") == found


@pytest.mark.parametrize("typed", ["jane", "Miller", "jane0@example.com", "%", "7KD0-1AAA-99", "'"])
def test_search_finds_no_names(as_otto: Client, ours: JobPage, typed: str) -> None:
    ApplicationFactory(page=ours, reference="7KD0-1AAB", email="jane0@example.com")
    assert references(as_otto, f"?q={typed}") == []


def test_count_of_active_filter_is_marked_and_removes_it(as_otto: Client, ours: JobPage) -> None:
    StepFactory(application__page=ours, failed=True)
    soup = BeautifulSoup(as_otto.get(URL + "?state=attention").content, "html.parser")
    chosen = soup.select(".bo-count[aria-current]")
    assert len(chosen) == 1
    assert "Needs attention" in chosen[0].get_text()
    # A second click removes the filter.
    assert chosen[0]["href"] == URL


def test_list_shows_newest_first_in_pages(as_otto: Client, ours: JobPage) -> None:
    made = [
        ApplicationFactory(page=ours, received_at=timezone.now() - dt.timedelta(minutes=n))
        for n in range(27)
    ]
    first = references(as_otto)
    assert first == [application.reference for application in made[:25]]
    assert references(as_otto, "?p=2") == [application.reference for application in made[25:]]


def test_results_view_answers_with_the_results_only(as_otto: Client, ours: JobPage) -> None:
    application = ApplicationFactory(page=ours, with_steps=True)
    page = as_otto.get(URL + "results/?state=done-today").content.decode()
    assert "<html" not in page
    assert application.reference in page
    assert "data-live-words" in page


def test_steps_with_one_cause_have_one_button(as_otto: Client, ours: JobPage) -> None:
    for _ in range(3):
        StepFactory(application__page=ours, misconfigured=True)
    soup = BeautifulSoup(as_otto.get(URL).content, "html.parser")
    group = soup.select_one(".bo-alike li")
    assert "Archive · 3 steps" in " ".join(group.get_text().split())
    assert group.a["href"] == "/admin/tasks/retry-alike/?kind=archive&code=archive-key"


@pytest.mark.parametrize("query", ["", "?state=attention&kind=archive", "?q=7KD"])
def test_queries_do_not_grow_with_applications(
    as_otto: Client, ours: JobPage, queries: Callable[[Client, str], int], query: str
) -> None:
    def add(number: int) -> None:
        application = ApplicationFactory(
            page=ours, with_steps=True, with_files=True, reference=f"7KD0-000{number}"
        )
        Step.objects.filter(application=application, kind="archive").update(state="failed")

    add(1)
    at_one = queries(as_otto, URL + query)
    add(2)
    add(3)
    # Two steps with the same cause take more queries: their count, and who may retry them.
    at_three = queries(as_otto, URL + query)
    assert at_three - at_one <= 3
    add(4)
    add(5)
    assert queries(as_otto, URL + query) == at_three


def test_personal_columns_are_not_queried(
    as_otto: Client, ours: JobPage, django_assert_num_queries: object
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    ApplicationFactory(page=ours, with_steps=True)
    with CaptureQueriesContext(connection) as captured:
        as_otto.get(URL)
    for query in captured:
        for column in ("answers", "email", "phone", "receipt_secret"):
            assert f'"careers_application"."{column}"' not in query["sql"]


def test_filter_by_bounced_shows_tasks_with_open_bounces(as_otto: Client, ours: JobPage) -> None:
    steps = [
        StepFactory(
            application__page=ours,
            kind="mail_applicant",
            succeeded=True,
            bounced_at=at,
            result=with_,
        )
        for at, with_ in [(timezone.now(), {}), (None, {}), (timezone.now(), {"instead": 9})]
    ]
    assert references(as_otto, "?state=came-back") == [steps[0].application.reference]
    page = text_of(as_otto, f"{URL}?state=came-back")
    assert "Bounced" in page
    assert "Receipt: it bounced, see the cause" in page
