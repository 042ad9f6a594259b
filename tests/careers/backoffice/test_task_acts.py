"""Acts on steps and applications."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import formats, timezone

from careers.applications.models import Application
from careers.jobs.models import JobPage
from careers.pipeline import restored_database
from careers.pipeline.kinds import MAIL_APPLICANT, MAIL_HR, RENDER_PDF
from careers.pipeline.models import DatabaseIdentity, Step, StepEvent
from careers.pipeline.states import State
from tests.support.factories import ApplicationFactory, StepFactory

RESTORED = "The database was restored from a copy on"


def restored(application: Application, hours: int) -> str:
    """Record a restored database, ``hours`` after this application; returns the warning."""
    at = application.received_at + dt.timedelta(hours=hours)
    DatabaseIdentity.objects.update_or_create(
        pk=1, defaults={"identity": restored_database.identity(), "restored_at": at}
    )
    # The warning names the day even if it is today.
    return f"{RESTORED} {formats.date_format(timezone.localtime(at), 'DATETIME_FORMAT')}."


def act(client: Client, step: Step, name: str, **data: str) -> list[str]:
    """Perform the act, and return the message on the next page."""
    url = reverse("careers_tasks:act", args=[step.application.reference, step.pk, name])
    response: Any = client.post(url, data, follow=True)
    assert response.redirect_chain[-1][0] == reverse(
        "careers_tasks:detail", args=[step.application.reference]
    )
    return said_by(response)


def said_by(response: Any) -> list[str]:
    """The message, without the space that Wagtail leaves for buttons."""
    return [str(message).strip() for message in response.context["messages"]]


def last_event(step: Step) -> StepEvent:
    event = StepEvent.objects.filter(step=step).last()
    assert event is not None
    return event


def test_retry_queues_the_step_with_reason_and_actor(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, failed=True)
    said = act(as_otto, step, "retry", reason="The disk\nis back")
    assert said == ["“Archive” is retried now."]
    step.refresh_from_db()
    assert step.state in (State.QUEUED, State.SENT)
    assert step.attempts == 0
    queued = StepEvent.objects.get(step=step, to_state=State.QUEUED, from_state=State.FAILED)
    assert queued.reason == "The disk is back"
    assert queued.actor.startswith("user:")


def test_second_retry_does_nothing_and_shows_a_message(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, failed=True)
    act(as_otto, step, "retry")
    events = StepEvent.objects.filter(step=step).count()
    said = act(as_otto, step, "retry")
    assert len(said) == 1
    assert said[0].startswith("Nothing was done: “Archive” is now ")
    assert StepEvent.objects.filter(step=step).count() == events


def test_confirm_marks_mail_as_done_once(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, uncertain=True)
    assert act(as_otto, step, "confirm") == ["“Receipt to the applicant” is marked as done."]
    step.refresh_from_db()
    assert step.state == State.SUCCEEDED
    assert "Nothing was done" in act(as_otto, step, "confirm")[0]


def test_send_again_sends_one_mail(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, uncertain=True)
    assert act(as_otto, step, "send-again") == ["“Receipt to the applicant” is sent again."]
    step.refresh_from_db()
    assert step.state == State.CANCELLED
    again = Step.objects.get(application=step.application, sequence=1)
    assert again.state in (State.QUEUED, State.SENT)
    # The second click sends no third mail.
    assert "Nothing was done" in act(as_otto, step, "send-again")[0]
    assert Step.objects.filter(application=step.application).count() == 2


def test_cancel_keeps_the_reason(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, failed=True)
    assert act(as_otto, step, "cancel", reason="Test data") == ["“Archive” is cancelled."]
    assert last_event(step).to_state == State.CANCELLED
    assert last_event(step).reason == "Test data"


def test_done_step_is_not_cancelled(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, succeeded=True)
    assert act(as_otto, step, "cancel") == ["Nothing was done: “Archive” is now “Done”."]


MAY_HAVE_ARRIVED = (
    "was sent to the mail server and may have arrived: it can’t be cancelled or sent to another "
    "address now. Wait until the result is known."
)


def test_mail_that_may_have_been_sent_is_not_cancelled(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, kind=MAIL_HR, retrying=True)
    page = reverse("careers_tasks:detail", args=[step.application.reference])
    assert b">Cancel<" in as_otto.get(page).content
    assert b"change-address" in as_otto.get(page).content
    # An old page still shows the button.
    later = timezone.now() + dt.timedelta(hours=20)
    Step.objects.filter(pk=step.pk).update(repeat_until=later)
    (said,) = act(as_otto, step, "cancel")
    assert said.endswith(MAY_HAVE_ARRIVED)
    now = as_otto.get(page).content
    assert b"Retry now" in now
    assert b">Cancel<" not in now
    assert b"change-address" not in now
    step.refresh_from_db()
    assert step.state == State.RETRYING


@pytest.mark.parametrize(
    ("name", "trait", "words"),
    [
        ("confirm", "uncertain", "no mail is sent"),
        ("send-again", "uncertain", "One mail is sent now."),
        ("cancel", "failed", "Do it after all"),
        ("retry", "failed", "does not repeat what it has already done"),
    ],
)
def test_confirmation_page_names_the_consequence(
    as_otto: Client, ours: JobPage, name: str, trait: str, words: str
) -> None:
    step = StepFactory(application__page=ours, **{trait: True})
    before = StepEvent.objects.count()
    url = reverse("careers_tasks:act", args=[step.application.reference, step.pk, name])
    assert words in as_otto.get(url).content.decode()
    assert StepEvent.objects.count() == before


@pytest.mark.parametrize(("hours", "told"), [(1, True), (-1, False)])
def test_confirmation_page_warns_of_restored_database(
    as_otto: Client, ours: JobPage, hours: int, told: bool
) -> None:
    step = StepFactory(application__page=ours, uncertain=True)
    words = restored(step.application, hours)
    url = reverse("careers_tasks:act", args=[step.application.reference, step.pk, "send-again"])
    page = as_otto.get(url).content.decode()
    assert (words in page, RESTORED in page) == (told, told)
    # A confirmation sends nothing.
    assert RESTORED not in as_otto.get(url.replace("send-again", "confirm")).content.decode()


def test_reason_over_the_limit_is_cut(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, failed=True)
    act(as_otto, step, "cancel", reason="x" * 5000)
    assert len(last_event(step).reason) == 300


def test_reason_is_kept_without_what_nobody_can_see(as_otto: Client, ours: JobPage) -> None:
    step = StepFactory(application__page=ours, failed=True)
    act(as_otto, step, "cancel", reason="\u200bTwice\u202e \n sent\u3164")
    assert last_event(step).reason == "Twice sent"


class TestRelease:
    @pytest.fixture
    def held(self, ours: JobPage) -> Application:
        made: Application = ApplicationFactory(page=ours, in_quarantine=True)
        for kind in (MAIL_APPLICANT, MAIL_HR):
            StepFactory(application=made, kind=kind)
        StepFactory(application=made, kind=RENDER_PDF, succeeded=True)
        return made

    def test_confirmation_page_shows_how_many_mails_are_sent(
        self, as_otto: Client, held: Application
    ) -> None:
        page = as_otto.get(reverse("careers_tasks:release", args=[held.reference]))
        assert "2 mails are sent." in page.content.decode()

    @pytest.mark.parametrize(("hours", "told"), [(1, True), (-1, False)])
    def test_confirmation_page_warns_of_restored_database(
        self, as_otto: Client, held: Application, hours: int, told: bool
    ) -> None:
        words = restored(held, hours)
        url = reverse("careers_tasks:release", args=[held.reference])
        page = as_otto.get(url).content.decode()
        assert (words in page, RESTORED in page) == (told, told)

    @pytest.mark.parametrize("namespace", ["careers_tasks", "careers_applications"])
    def test_release_queues_the_mails_once(
        self, as_ada: Client, held: Application, namespace: str
    ) -> None:
        url = reverse(f"{namespace}:release", args=[held.reference])
        response: Any = as_ada.post(url, follow=True)
        assert said_by(response) == [f"{held.reference} is released."]
        held.refresh_from_db()
        assert not held.quarantined
        states = set(
            Step.objects.filter(application=held, kind__startswith="mail").values_list(
                "state", flat=True
            )
        )
        assert states <= {State.QUEUED, State.SENT}
        again: Any = as_ada.post(url, follow=True)
        assert "is not quarantined any more" in said_by(again)[0]


NONE_LEFT = "No step is left to retry."


class TestRetrySameCause:
    def test_all_steps_with_one_cause_are_retried(self, as_otto: Client, ours: JobPage) -> None:
        alike = [StepFactory(application__page=ours, misconfigured=True) for _ in range(3)]
        other = StepFactory(application__page=ours, failed=True)
        group = {"kind": "archive", "code": "archive-key"}
        page = as_otto.get("/admin/tasks/retry-alike/", group).content.decode()
        assert "Retry all 3 steps?" in page
        response: Any = as_otto.post("/admin/tasks/retry-alike/", group, follow=True)
        assert said_by(response) == ["3 steps are retried now."]
        for step in alike:
            step.refresh_from_db()
            assert step.attempts == 0
        other.refresh_from_db()
        assert other.state == State.FAILED

    def test_unconfirmed_mail_is_not_retried(self, as_otto: Client, ours: JobPage) -> None:
        StepFactory(application__page=ours, uncertain=True)
        group = {"kind": "mail_applicant", "code": "worker-lost"}
        for send in (as_otto.get, as_otto.post):
            response: Any = send("/admin/tasks/retry-alike/", group, follow=True)
            assert said_by(response) == [NONE_LEFT]
        step = Step.objects.get()
        assert (step.state, step.events.filter(actor__startswith="user").count()) == (
            State.UNCERTAIN,
            0,
        )

    def test_second_retry_of_a_group_finds_no_step(self, as_otto: Client, ours: JobPage) -> None:
        for _ in range(2):
            StepFactory(application__page=ours, failed=True)
        group = {"kind": "archive", "code": "ValueError"}
        as_otto.post("/admin/tasks/retry-alike/", group)
        response: Any = as_otto.post("/admin/tasks/retry-alike/", group, follow=True)
        assert response.redirect_chain == [("/admin/tasks/", 302)]
        assert NONE_LEFT in said_by(response)
