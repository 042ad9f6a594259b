"""``/admin/tasks/<reference>/``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from careers.applications.mailboxes import mailbox_of
from careers.applications.models import Application, FileKind
from careers.jobs.models import JobPage
from careers.pipeline import actions
from careers.pipeline.attention import MAILBOX_FULL
from careers.pipeline.kinds import MAIL_APPLICANT, MAIL_HR
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import State
from tests.support import people
from tests.support.factories import (
    ApplicationFactory,
    ApplicationFileFactory,
    HeartbeatFactory,
    StepFactory,
)
from tests.support.people import logged_in


def url(application: Application) -> str:
    return reverse("careers_tasks:detail", args=[application.reference])


def soup_of(client: Client, application: Application) -> BeautifulSoup:
    response = client.get(url(application))
    assert response.status_code == 200
    return BeautifulSoup(response.content, "html.parser")


def words(node: object) -> str:
    return " ".join(node.get_text(" ").split())  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _alive(db: None) -> None:
    HeartbeatFactory()
    HeartbeatFactory(sweeper=True)
    HeartbeatFactory(scheduler=True)


def test_page_of_completed_application_says_everything_is_done(
    as_otto: Client, application: Application
) -> None:
    soup = soup_of(as_otto, application)
    assert "Everything is done." in words(soup.select_one(".bo-cause"))
    assert not soup.select(".bo-cause form")


def test_cause_and_buttons_precede_the_history(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, failed=True)
    soup = soup_of(as_otto, step.application)
    cause = soup.select_one(".bo-cause")
    assert words(cause).startswith("Archive: Failed An unexpected error occurred")
    assert cause.select_one("form[method=post] button").get_text().startswith("Retry")
    order = soup.select(".bo-cause, .bo-lanes")
    assert order[0] is cause


def test_step_that_will_retry_shows_the_time(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, retrying=True)
    cause = words(soup_of(as_otto, step.application).select_one(".bo-cause"))
    assert "Archive: Will retry at " in cause
    assert "Retry now" in cause


def test_unconfirmed_mail_offers_confirm_send_again_and_cancel(
    as_otto: Client, ours: JobPage
) -> None:
    step = StepFactory(application__page=ours, uncertain=True)
    cause = soup_of(as_otto, step.application).select_one(".bo-cause")
    assert "The mail may have arrived." in words(cause)
    assert [words(a).partition(":")[0].strip() for a in cause.select("a.button")] == [
        "It arrived",
        "Send again",
        "Mark as handled",
        "Cancel",
    ]
    # Each button leads to a confirmation page.
    assert not cause.select("form")


def test_under_way_is_not_shown_without_workers(as_otto: Client, ours: JobPage) -> None:
    from careers.operations.models import Heartbeat

    step = StepFactory(application__page=ours, queued=True)
    assert "Under way" in words(soup_of(as_otto, step.application))
    Heartbeat.objects.all().delete()
    text = words(soup_of(as_otto, step.application))
    assert "Under way" not in text
    assert "No worker is running." in text


def test_history_shows_every_event(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, failed=True)
    soup = soup_of(as_otto, step.application)
    events = soup.select(".bo-event")
    assert len(events) == StepEvent.objects.filter(step=step).count()
    first, last = words(events[0]), words(events[-1])
    assert "Waiting for an earlier step" in first
    assert "application form" in first
    assert "Running → Failed" in last
    assert "worker 1a2b · attempt 5" in last


def test_history_names_the_actors(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, queued=True)
    ada = people.ada()
    users = (f"user:{ada.pk}", f"user:{ada.pk}:ada", "user:987654", "user:x")
    for actor in (*users, "sweeper", "sweeper:9f", "restore"):
        StepEvent.objects.create(
            step=step, at=step.state_since, attempt=1, to_state=State.QUEUED, actor=actor
        )
    whos = [words(node) for node in soup_of(as_otto, step.application).select(".bo-event__who")]
    assert [who.partition(" ·")[0] for who in whos[-7:]] == [
        "Ada Admin",
        "Ada Admin",
        "a deleted account",
        "a deleted account",
        "sweeper",
        "sweeper",
        "restored database",
    ]


def test_history_keeps_the_user_name_of_a_deleted_account(as_ada: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, failed=True)
    otto = people.otto()
    actions.retry(step, otto)
    otto.delete()
    whos = [words(node) for node in soup_of(as_ada, step.application).select(".bo-event__who")]
    assert "otto (deleted account)" in {who.partition(" ·")[0] for who in whos}


def test_traceback_requires_the_retry_permission(ours: JobPage) -> None:
    step = StepFactory(application__page=ours, failed=True)
    looker = people.hanna(None, "looker", ("view_step",))
    client = Client()
    client.force_login(looker)
    assert "careers/archive/store.py:12" not in client.get(url(step.application)).content.decode()
    client.force_login(people.otto())
    page = BeautifulSoup(client.get(url(step.application)).content, "html.parser")
    assert "careers/archive/store.py:12" in page.select_one("details pre").get_text()
    assert not page.select("details[open]")


def test_page_shows_the_state_in_celery(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, started=True)
    facts = soup_of(as_otto, step.application).select_one(".bo-facts--step")
    assert words(facts).startswith("State in Celery STARTED")
    link = facts.select_one("a")
    assert link["href"] == f"/flower/task/{step.celery_task_id}"
    assert link.get_text() == step.celery_task_id


def test_page_shows_results(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(
        application__page=ours,
        kind=MAIL_APPLICANT,
        succeeded=True,
        result={"message_id": "<x@example.com>", "response": "250 Ok"},
    )
    facts = words(soup_of(as_otto, step.application).select_one(".bo-facts--step"))
    assert "<x@example.com>" in facts
    assert "250 Ok" in facts


def test_archived_objects_have_links_for_readers_only(
    as_otto: Client, as_hanna: Client, ours: JobPage
) -> None:
    application = ApplicationFactory(page=ours)
    file = ApplicationFileFactory(application=application, kind=FileKind.CV, archived=True)
    StepFactory(application=application, succeeded=True, result={"objects": [file.object_key]})
    soup = soup_of(as_otto, application)
    assert file.object_key in words(soup)
    assert "verified" in words(soup)
    assert str(file.public_id) not in str(soup)
    assert "Application" not in [words(a) for a in soup.select("header a")]

    hanna = people.hanna(ours, "hedda", (*people.HR_RIGHTS, "view_step"))
    client = Client()
    client.force_login(hanna)
    links = [a["href"] for a in soup_of(client, application).select(".bo-facts--step a")]
    assert (
        reverse("careers_applications:file", args=[application.reference, file.public_id]) in links
    )


def test_page_shows_no_personal_data(as_otto: Client, application: Application) -> None:
    page = as_otto.get(url(application)).content.decode()
    assert application.name not in page
    assert application.email not in page


def test_replaced_mail_needs_no_attention(as_otto: Client, ours: JobPage) -> None:
    application = ApplicationFactory(page=ours)
    kind = MAIL_APPLICANT
    StepFactory(application=application, kind=kind, cancelled=True)
    StepFactory(application=application, kind=kind, succeeded=True, sequence=1)
    soup = soup_of(as_otto, application)
    assert "Everything is done." in words(soup.select_one(".bo-cause"))
    chips = soup.select(".bo-detail__head .bo-chip")
    assert len(chips) == 1
    assert "Done" in words(chips[0])
    assert "sent again, no. 1" in words(soup)


def test_quarantined_application_shows_the_reason(as_otto: Client, ours: JobPage) -> None:
    application = ApplicationFactory(page=ours, in_quarantine=True, quarantine_reason="honeypot")
    StepFactory(application=application, kind=MAIL_APPLICANT)
    soup = soup_of(as_otto, application)
    assert "A field that people don’t see was filled in." in words(soup.select_one(".bo-cause"))
    assert "Quarantined" in words(soup.select_one(".bo-chip"))
    assert "Under way" not in words(soup)


def test_mail_above_the_limit_is_shown_first_with_the_act_to_send_it(
    as_otto: Client, ours: JobPage
) -> None:
    application = ApplicationFactory(page=ours, with_steps=True)
    why = "Not sent: this mailbox already got 10 mails within 24 hours."
    receipts = Step.objects.filter(application=application, kind=MAIL_APPLICANT)
    receipts.update(state="cancelled", error_code=MAILBOX_FULL, error_public=why)
    soup = soup_of(as_otto, application)
    first, second = soup.select(".bo-cause")
    assert why in words(first)
    assert "Send it after all" in words(first)
    assert "Everything else is done." in words(second)
    assert len(soup.select("a[href$='/send-after-all/']")) == 1
    assert "Receipt Not sent" in words(soup.select_one(".bo-detail__head"))


@pytest.mark.parametrize("spoil", [str.lower, lambda r: r.replace("-", ""), lambda r: f" {r} "])
def test_reference_in_other_spelling_redirects(
    as_otto: Client, application: Application, spoil: Callable[[str], str]
) -> None:
    response = as_otto.get(f"/admin/tasks/{spoil(application.reference)}/")
    assert response.status_code == 302
    assert response.headers["Location"] == url(application)


def test_celery_task_id_redirects(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, succeeded=True)
    response = as_otto.get(f"/admin/tasks/{step.celery_task_id}/")
    assert response.headers["Location"] == url(step.application)


@pytest.mark.parametrize("unknown", ["0000-0000", "x", "%00", "nobody@example.com"])
def test_unknown_reference_is_not_found(as_otto: Client, db: None, unknown: str) -> None:
    assert as_otto.get(f"/admin/tasks/{unknown}/").status_code == 404


def test_queries_do_not_grow_with_steps(
    as_ada: Client, ours: JobPage, queries: Callable[[Client, str], int]
) -> None:
    application = ApplicationFactory(page=ours)
    StepFactory(application=application, succeeded=True)
    at_one = queries(as_ada, url(application))
    for number in range(2):
        StepFactory(
            application=application,
            kind=MAIL_HR,
            recipient=f"hr{number}@example.com",
            succeeded=True,
        )
    assert queries(as_ada, url(application)) == at_one


def test_results_view_answers_with_the_results_only(
    as_otto: Client, application: Application
) -> None:
    page = as_otto.get(url(application) + "results/").content.decode()
    assert "<html" not in page
    assert "Everything is done." in page


@pytest.mark.parametrize(
    ("more", "words_of_it"),
    [
        ({"failed": True}, "Attempts 5 of 5"),
        ({"failed": True, "attempts": 2, "state": "retrying"}, "Attempts 2 of 5"),
        ({"misconfigured": True}, "Attempts 4"),
        ({"succeeded": True, "attempts": 3}, ""),
        ({"retrying": True, "attempts": 1}, ""),
    ],
)
def test_attempts_show_their_limit(
    as_otto: Client, ours: JobPage, more: dict[str, Any], words_of_it: str
) -> None:
    step = StepFactory(application__page=ours, **more)
    facts = words(soup_of(as_otto, step.application).select_one(".bo-facts--step"))
    assert words_of_it in facts
    assert ("Attempts" in facts) == bool(words_of_it)


def test_bounced_mail_shows_cause_and_next_action(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(
        application__page=ours,
        kind="mail_hr",
        recipient="old@example.com",
        succeeded=True,
        bounced_at=timezone.now(),
        bounce_reason="There is no such address.",
    )
    page = words(soup_of(as_otto, step.application))
    assert "Sent, and bounced" in page
    assert "There is no such address. Correct the address where it is entered" in page
    assert "Everything is done." not in page
    assert "Send again" in page
    assert "Send to another address" in page
    Step.objects.update(result={"instead": 7})
    page = words(soup_of(as_otto, step.application))
    assert "Correct the address" not in page
    assert "Send again" not in page


@pytest.mark.parametrize("trait", ["uncertain", "failed", "retrying", "queued"])
def test_mail_shows_its_message_id_and_when_it_was_sent_in_every_state(
    as_otto: Client, ours: JobPage, trait: str
) -> None:
    step = StepFactory(application__page=ours, kind=MAIL_APPLICANT, **{trait: True})
    Step.objects.filter(pk=step.pk).update(
        result={"sent_at": "2026-11-22T10:00:07+00:00", "response": "451 later"}
    )
    page = as_otto.get(url(step.application)).content.decode()
    message_id = f"receipt.{step.application.public_id}.0@"
    assert message_id in page
    assert "451 later" in page
    assert ":00:07" in page
    assert step.application.email not in page


@pytest.mark.parametrize("typed", ["<{}>", "{}"])
def test_mail_is_found_by_its_message_id_although_it_was_never_sent(
    as_otto: Client, ours: JobPage, typed: str
) -> None:
    step = StepFactory(application__page=ours, kind=MAIL_APPLICANT, uncertain=True)
    Step.objects.update(result={})
    message_id = typed.format(f"receipt.{step.application.public_id}.0@example.com")
    page = as_otto.get("/admin/tasks/", {"q": message_id}).content.decode()
    assert step.application.reference in page


def test_applicants_address_is_shown_to_readers_and_logged(ours: JobPage) -> None:
    step = StepFactory(application__page=ours, kind=MAIL_APPLICANT, failed=True)
    rights = ("view_step", "view_application")
    hanna = people.hanna(ours.get_parent(), rights=rights)
    page = logged_in(hanna).get(url(step.application)).content.decode()
    assert step.application.email in page
    assert step.application.views.get().what == "address"


def test_search_finds_recipients_at_hr_and_applicants_for_readers_only(
    as_otto: Client, ours: JobPage
) -> None:
    application = ApplicationFactory(page=ours, mailbox=mailbox_of("jane@example.com"))
    StepFactory(application=application, kind=MAIL_HR, recipient="hr@example.org", failed=True)
    hanna = logged_in(people.hanna(ours.get_parent(), rights=("view_step", "view_application")))
    reference = application.reference
    for client, typed, found in (
        (as_otto, "HR@example.org", True),
        (as_otto, "jane@example.com", False),
        (hanna, "jane@example.com", True),
        (hanna, "joe@example.com", False),
    ):
        page = client.get("/admin/tasks/", {"q": typed}).content.decode()
        assert (f"/admin/tasks/{reference}/" in page) is found, typed


def test_cancelled_receipt_reads_as_not_sent_everywhere(
    as_otto: Client, application: Application
) -> None:
    Step.objects.filter(kind=MAIL_APPLICANT).update(state=State.CANCELLED)
    page = as_otto.get(url(application)).content.decode()
    assert "Receipt not sent" in page
    assert "Do it after all" in page
    assert "Everything is done." not in page
    soup = BeautifulSoup(as_otto.get("/admin/tasks/").content, "html.parser")
    row = words(soup.select_one(".bo-table tbody"))
    assert "Receipt not sent" in row
    assert "done in" not in row
    assert "Nothing to do" not in row
