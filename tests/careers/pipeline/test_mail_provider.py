"""Receipts through the runner and a provider with an idempotency window."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from careers.notifications import Report
from careers.operations.sweeper import release_expired_leases
from careers.pipeline import delivery_reports, runner, steps, transitions
from careers.pipeline.mail_reference import mail_reference
from careers.pipeline.models import Step
from tests.support.factories import StepFactory
from tests.support.mail_provider import API_KEY, HostileProvider, Proxy
from tests.support.servers import HostileSMTP

pytestmark = pytest.mark.django_db


@pytest.fixture
def provider(settings: Any) -> Iterator[HostileProvider]:
    with HostileProvider() as server:
        settings.EMAIL_PROVIDER, settings.EMAIL_API_KEY = "resend", API_KEY
        settings.EMAIL_API_URL, settings.EMAIL_API_CA = server.url, ""
        settings.DEFAULT_FROM_EMAIL = "jobs@example.org"
        yield server


@pytest.fixture(params=["mail_applicant", "mail_hr", "mail_operators"])
def step(request: Any, application: Any) -> Step:
    given: dict[str, Any] = {"application": application, "kind": request.param}
    if request.param == "mail_hr":
        given["recipient"] = "hr@example.org"
    if request.param == "mail_operators":
        given = {"to_operators": True, "alert__facts": ALERT}
    made: Step = StepFactory(queued=True, events=False, **given)
    return made


ALERT = {
    "message": "The broker does not answer.",
    "cause": "ConnectionError",
    "action": "Start it.",
    "since": "2026-11-20T12:00:00+00:00",
    "path": "/admin/tasks/",
}


def long_ago() -> dt.datetime:
    return timezone.now() - dt.timedelta(minutes=1)


def attempt(step: Step) -> str:
    Step.objects.filter(pk=step.pk).update(run_after=None)
    runner.run(step.pk, owner="worker:1")
    step.refresh_from_db()
    return step.state


def test_mail_has_the_same_bytes_at_each_attempt(provider: HostileProvider, step: Step) -> None:
    """The provider compares: it would refuse a repetition that differs in one byte."""
    provider.once("accept_cut")
    assert [attempt(step), attempt(step)] == ["retrying", "succeeded"]
    assert len(provider.mails) == 1
    assert provider.requests[0] == provider.requests[1]
    assert provider.mails[0].mark == mail_reference(step)


def test_worker_frozen_before_the_first_byte_sends_no_second_mail(
    provider: HostileProvider, application: Any
) -> None:
    """The worker wakes after another one has sent the mail, and still sends its own bytes."""
    step = StepFactory(application=application, kind="mail_applicant", queued=True, events=False)
    claim = runner.take(step.pk, owner="worker:frozen")
    assert claim is not None

    def send_and_sleep(window: Any = None) -> None:
        claim.before_send(window)
        Step.objects.filter(pk=step.pk).update(lease_until=long_ago())
        release_expired_leases()
        assert attempt(step) == "succeeded"

    effect = steps.mail_applicant(claim.step, send_and_sleep)
    assert runner.record(claim, effect) == []
    step.refresh_from_db()
    assert (step.state, len(provider.requests), len(provider.mails)) == ("succeeded", 2, 1)


def test_worker_frozen_until_the_window_closed_sends_nothing(
    provider: HostileProvider,
    application: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worker freezes while it records the point of no return, before it sends a byte."""
    settings.EMAIL_PROVIDER = "brevo"
    step = StepFactory(application=application, kind="mail_applicant", queued=True, events=False)
    enter, clock = transitions._enter, transitions.db_now

    def slowly(*args: Any, **changes: Any) -> bool:
        entered = enter(*args, **changes)
        later = clock() + dt.timedelta(minutes=20)
        monkeypatch.setattr(transitions, "db_now", lambda: later)
        return entered

    monkeypatch.setattr(transitions, "_enter", slowly)
    assert attempt(step) == "started"
    assert (step.phase, provider.requests) == ("keyed", [])
    monkeypatch.undo()
    over = {"lease_until": long_ago(), "repeat_until": long_ago()}
    Step.objects.filter(pk=step.pk).update(**over)
    release_expired_leases()
    step.refresh_from_db()
    assert (step.state, provider.requests) == ("uncertain", [])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEFAULT_FROM_EMAIL", "people@example.org"),  # other bytes
        ("DEFAULT_FROM_EMAIL", "jobs@elsewhere.example"),  # another Message-ID, and so another key
        ("SITE_URL", "https://elsewhere.example"),
        ("EMAIL_PROVIDER", "brevo"),
        ("EMAIL_PROVIDER", "postmark"),
    ],
)
def test_mail_with_other_bytes_is_unconfirmed_until_the_provider_reports(
    provider: HostileProvider, application: Any, settings: Any, name: str, value: str
) -> None:
    step = StepFactory(application=application, kind="mail_applicant", queued=True, events=False)
    provider.once("accept_cut")
    assert attempt(step) == "retrying"
    setattr(settings, name, value)
    assert attempt(step) == "uncertain"
    assert len(provider.mails) == 1
    assert delivery_reports.record(Report(provider.mails[0].mark, None, delivered=True))
    step.refresh_from_db()
    assert step.state == "succeeded"


def test_mail_that_a_provider_may_have_is_not_sent_by_smtp(
    provider: HostileProvider, application: Any, settings: Any
) -> None:
    step = StepFactory(application=application, kind="mail_applicant", queued=True, events=False)
    provider.once("accept_cut")
    assert attempt(step) == "retrying"
    settings.EMAIL_PROVIDER = ""
    with HostileSMTP() as smtp:
        settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.address
        assert attempt(step) == "uncertain"
        assert smtp.accepted == []


@pytest.mark.parametrize(
    ("name", "states"),
    [("resend", ["retrying", "succeeded"]), ("postmark", ["uncertain", "uncertain"])],
)
def test_answer_lost_behind_a_proxy_sends_no_second_mail(
    provider: HostileProvider,
    application: Any,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    states: list[str],
) -> None:
    settings.EMAIL_PROVIDER = name
    step = StepFactory(application=application, kind="mail_applicant", queued=True, events=False)
    provider.once("accept_cut")
    with Proxy() as proxy:
        for variable in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(variable, raising=False)
        for variable in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.setenv(variable, proxy.url)
        assert [attempt(step), attempt(step)] == states
    assert (len(proxy.asked), len(provider.mails)) == (len(provider.requests), 1)


def test_send_again_uses_another_idempotency_key(
    provider: HostileProvider, application: Any
) -> None:
    first, again = (
        StepFactory(
            application=application,
            kind="mail_applicant",
            sequence=number,
            queued=True,
            events=False,
        )
        for number in (0, 1)
    )
    assert [attempt(first), attempt(again)] == ["succeeded", "succeeded"]
    assert len({mail.key for mail in provider.mails}) == 2
