"""``/admin/applications/<reference>/``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from careers.applications.frozen import FrozenForm, Option, Question
from careers.applications.models import Application, ApplicationView
from careers.backoffice import audit
from careers.jobs.models import JobPage
from careers.pipeline.attention import MAILBOX_FULL
from careers.pipeline.models import Step
from tests.support import people
from tests.support.factories import ApplicationFactory, ApplicationFileFactory, StepFactory


def url(application: Application) -> str:
    return reverse("careers_applications:detail", args=[application.reference])


def text_of(client: Client, application: Application) -> str:
    response = client.get(url(application))
    assert response.status_code == 200
    soup = BeautifulSoup(response.content, "html.parser")
    return " ".join(soup.select_one("main").get_text(" ").split())


@pytest.fixture
def answered(ours: JobPage) -> Application:
    """An application whose form asked for more than the facts."""
    form = FrozenForm(
        job_title="Clockmaker as it was",
        company="Tidewater",
        language="en",
        time_zone="UTC",
        questions=(
            Question("name", "name", "Full name"),
            Question("cv", "file", "CV"),
            Question("why", "long_text", "Why you?"),
            Question("tool", "single_choice", "Which tool?", options=(Option("f", "File"),)),
            Question("none", "short_text", "Anything else?"),
            Question("ok", "consent", "Keep my data"),
        ),
    )
    made: Application = ApplicationFactory(
        page=ours,
        form=form.to_json(),
        phone="+47 1",
        answers={"name": "Jane Miller", "why": "I like\n\nclocks.", "tool": "f", "ok": True},
        with_consent=True,
    )
    ApplicationFileFactory(application=made)
    return made


def test_page_shows_all_answers_and_consents(as_hanna: Client, answered: Application) -> None:
    text = text_of(as_hanna, answered)
    assert "Jane Miller for “Clockmaker as it was”, received" in text
    assert "Why you? I like clocks." in text
    assert "Which tool? File" in text
    assert "Anything else? No answer" in text
    assert "Keep my data Agreed" in text
    assert "Privacy notice · shown" in text
    assert "We keep your data for six months." in text
    assert answered.email in text
    assert "+47 1" in text


def test_file_with_active_content_is_marked(as_hanna: Client, answered: Application) -> None:
    assert "Active content" not in text_of(as_hanna, answered)
    answered.files.update(marks="macros script")
    assert (
        "Active content: macros and a script. It can harm your computer when you open the file."
        in text_of(as_hanna, answered)
    )


def test_files_link_to_the_guarded_address_only(as_hanna: Client, answered: Application) -> None:
    soup = BeautifulSoup(as_hanna.get(url(answered)).content, "html.parser")
    file = answered.files.get()
    guarded = reverse("careers_applications:file", args=[answered.reference, file.public_id])
    assert [a["href"] for a in soup.select(".bo-file a")] == [guarded, guarded + "?download"]
    assert file.sha256 not in str(soup)


def test_infected_file_has_no_link(as_hanna: Client, ours: JobPage) -> None:
    file = ApplicationFileFactory(application__page=ours, scan_verdict="infected")
    soup = BeautifulSoup(as_hanna.get(url(file.application)).content, "html.parser")
    words = soup.select_one(".bo-file").get_text()
    assert "Infected" in words
    assert "nobody can open it" in words
    assert not soup.select(".bo-file a")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("queued", "has not checked the file yet"),
        ("retrying", "did not answer"),
        ("failed", "The virus scan failed."),
        ("cancelled", "The virus scan was cancelled."),
    ],
)
def test_file_that_is_not_scanned_says_why_it_is_locked(
    as_hanna: Client, ours: JobPage, state: str, words: str
) -> None:
    file = ApplicationFileFactory(application__page=ours, scan_verdict="waiting")
    StepFactory(application=file.application, kind="scan", **{state: True})
    soup = BeautifulSoup(as_hanna.get(url(file.application)).content, "html.parser")
    assert words in soup.select_one(".bo-file").get_text()
    assert not soup.select(".bo-file a")


def test_person_with_the_right_is_offered_to_open_a_file_whose_scan_failed(
    as_ada: Client, ours: JobPage
) -> None:
    file = ApplicationFileFactory(application__page=ours, scan_verdict="waiting")
    step = StepFactory(application=file.application, kind="scan", failed=True)
    soup = BeautifulSoup(as_ada.get(url(file.application)).content, "html.parser")
    (link,) = soup.select(".bo-file a")
    assert "Open without a scan" in link.get_text()
    # A reason is required, and nothing is done without one.
    asked = as_ada.post(link["href"], {"reason": "  "})
    assert asked.status_code == 200
    assert "Give a reason." in asked.content.decode()
    file.refresh_from_db()
    assert file.scan_verdict == "waiting"
    as_ada.post(link["href"], {"reason": "They brought it on paper, too."})
    file.refresh_from_db()
    assert file.scan_verdict == "opened"
    assert "on paper" in step.events.last().reason
    assert "Opened without a scan" in text_of(as_ada, file.application)


def test_opening_the_page_is_logged(as_hanna: Client, application: Application) -> None:
    as_hanna.get(url(application))
    view = ApplicationView.objects.get(application=application)
    assert (view.user.username, view.what) == ("hanna", "detail")
    assert "Hanna Example (hanna) opened the application" in text_of(as_hanna, application)


def test_stage_stays_on_the_page_however_many_people_read(
    as_hanna: Client, application: Application
) -> None:
    target = reverse("careers_applications:stage", args=[application.reference])
    as_hanna.post(target, {"stage": "interview", "before": "new"})
    for number in range(30):
        reader = people.hanna(None, f"reader{number}")
        audit.note(application, reader, audit.OPENED)
    text = text_of(as_hanna, application)
    assert "hanna) changed the stage to “Interview”" in text
    assert text.count("opened the application") == audit.ROWS
    assert "… and earlier" in text


def test_log_leaves_out_lists_and_searches(as_hanna: Client, application: Application) -> None:
    as_hanna.get(reverse("careers_applications:index"))
    text = text_of(as_hanna, application)
    assert "opened the application" in text
    assert "saw the name" not in text


def test_link_to_the_whole_log_needs_the_permission(
    as_hanna: Client, as_ada: Client, application: Application
) -> None:
    link = f"/admin/applications/access-log/?applicant={application.reference}"
    assert link not in as_hanna.get(url(application)).content.decode()
    assert link in as_ada.get(url(application)).content.decode()


def test_page_is_never_cached(as_hanna: Client, application: Application) -> None:
    assert "no-store" in as_hanna.get(url(application)).headers["Cache-Control"]


def test_reference_in_other_spelling_redirects(as_hanna: Client, application: Application) -> None:
    response = as_hanna.get(f"/admin/applications/{application.reference.lower()}/")
    assert response.headers["Location"] == url(application)
    # The redirect is not logged.
    assert not ApplicationView.objects.exists()


def test_processing_links_to_the_task_status_for_operators_only(
    as_hanna: Client, as_ada: Client, application: Application
) -> None:
    target = reverse("careers_tasks:detail", args=[application.reference])
    assert target not in as_hanna.get(url(application)).content.decode()
    assert target in as_ada.get(url(application)).content.decode()


class TestStage:
    def post(self, client: Client, application: Application, **data: str) -> str:
        target = reverse("careers_applications:stage", args=[application.reference])
        response: Any = client.post(target, data, follow=True)
        application.refresh_from_db()
        return " ".join(str(m).strip() for m in response.context["messages"])

    def test_change_of_stage_is_stored_and_logged(
        self, as_hanna: Client, application: Application
    ) -> None:
        said = self.post(as_hanna, application, stage="interview", before="new")
        assert said == "The stage is now “Interview”."
        assert application.review_stage == "interview"
        assert "Hanna Example (hanna) changed the stage to “Interview”" in text_of(
            as_hanna, application
        )

    def test_change_of_outdated_stage_changes_nothing(
        self, as_hanna: Client, application: Application
    ) -> None:
        Application.objects.filter(pk=application.pk).update(review_stage="declined")
        said = self.post(as_hanna, application, stage="interview", before="new")
        assert said == "Nothing changed: the stage is “Declined”."
        assert application.review_stage == "declined"

    @pytest.mark.parametrize("stage", ["", "erased", "new"])
    def test_invalid_or_same_stage_changes_nothing(
        self, as_hanna: Client, application: Application, stage: str
    ) -> None:
        self.post(as_hanna, application, stage=stage, before="new")
        assert application.review_stage == "new"
        assert not ApplicationView.objects.filter(what__startswith="stage").exists()

    def test_change_without_permission_is_denied(
        self, ours: JobPage, application: Application
    ) -> None:
        client = Client()
        client.force_login(people.hanna(ours, "reader", ("view_application",)))
        assert "<select" not in client.get(url(application)).content.decode()
        self.post(client, application, stage="interview", before="new")
        assert application.review_stage == "new"


def test_queries_do_not_grow_with_files(
    as_hanna: Client, ours: JobPage, queries: Callable[[Client, str], int]
) -> None:
    application = ApplicationFactory(page=ours, with_steps=True)
    ApplicationFileFactory(application=application)
    at_one = queries(as_hanna, url(application))
    for _ in range(2):
        ApplicationFileFactory(application=application)
    assert queries(as_hanna, url(application)) == at_one


def test_receipt_above_the_limit_is_shown_to_hr(as_hanna: Client, application: Application) -> None:
    why = "Not sent: this mailbox already got 10 mails within 24 hours."
    Step.objects.filter(application=application, kind="mail_applicant").update(
        state="cancelled", error_code=MAILBOX_FULL, error_public=why
    )
    page = text_of(as_hanna, application)
    assert why in page
    assert "Send it after all" not in page


def test_bounced_receipt_is_shown_to_hr(as_hanna: Client, application: Application) -> None:
    Step.objects.filter(application=application, kind="mail_applicant").update(
        bounced_at=timezone.now(), bounce_reason="There is no such address."
    )
    page = text_of(as_hanna, application)
    assert "The receipt to the applicant bounced." in page
    assert "There is no such address. The application is complete." in page


def test_repetition_and_first_application_link_to_each_other(
    as_hanna: Client, ours: JobPage, application: Application
) -> None:
    again = [ApplicationFactory(page=ours, repeats=application, mails_hr=False) for _ in range(2)]
    group = [application, *again]
    for shown in group:
        page = as_hanna.get(url(shown)).content.decode()
        others = [other for other in group if other != shown]
        assert all(f'href="{url(other)}"' in page for other in others)
        assert "Sent again" in page
    assert "The same answers and files were sent again" in text_of(as_hanna, application)
    assert "Another application for this job has the same" in text_of(as_hanna, again[0])


def test_application_that_was_sent_once_is_not_marked(
    as_hanna: Client, application: Application
) -> None:
    assert "Sent again" not in text_of(as_hanna, application)


def test_repetition_of_an_erased_application_still_opens(as_hanna: Client, ours: JobPage) -> None:
    """A release that does not know the column deletes the first without clearing it."""
    orphan = ApplicationFactory(page=ours, repeats_id=999_999)
    assert "Sent again" in text_of(as_hanna, orphan)
