"""A flood is quarantined; an office behind one address, and a person with nine jobs, are not."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from careers.applications.models import Application
from careers.applications.networks import network_of
from careers.intake.findings import floods
from careers.intake.velocity import JOB, NETWORK, same_cause, too_many
from careers.operations import words
from careers.pipeline.kinds import MAIL_HR
from careers.pipeline.models import Step
from tests.support.applying import apply_for, pdf, send
from tests.support.factories import ApplicationFactory, JobPageFactory

pytestmark = pytest.mark.django_db

OFFICE, HOME = "192.0.2.1", "198.51.100.7"

Received = Callable[..., None]


@pytest.fixture
def received(job: Any) -> Received:
    """``received(n, over=seconds)``: applications that came evenly over the last seconds."""

    def received(number: int, *, over: float, network: str = OFFICE, page: Any = job) -> None:
        now = timezone.now()
        form = page.frozen_form().to_json()
        Application.objects.bulk_create(
            ApplicationFactory.build(
                page=page,
                form=form,
                network=network_of(network),
                received_at=now - dt.timedelta(seconds=over * (index + 0.5) / number),
            )
            for index in range(number)
        )

    return received


def cause_of_next(job: Any, network: str = OFFICE) -> str:
    """Why the next application from the network is quarantined; "" if it is not."""
    application = apply_for(job, network=network_of(network), nonce=secrets.token_hex(4))
    assert application.quarantined is bool(application.quarantine_reason)
    return application.quarantine_reason


# ── Networks ────────────────────────────────────────────────────────────────────────────


def test_flood_from_one_address_is_quarantined(job: Any, time_machine: Any) -> None:
    begin, causes = timezone.now(), []
    for number in range(76):
        time_machine.move_to(begin + dt.timedelta(seconds=number * 51 / 76), tick=False)
        causes.append(cause_of_next(job))
    assert causes == [""] * 20 + [NETWORK] * 56


def test_flood_of_forms_is_quarantined_and_answered_as_always(
    client: Client, job: Any, settings: Any
) -> None:
    settings.APPLICATIONS_PER_NETWORK = [(2, dt.timedelta(minutes=1))]
    answers = [send(client, job, email=f"bot{number}@example.org") for number in range(3)]
    assert [answer.status_code for answer in answers] == [303] * 3
    causes = Application.objects.order_by("pk").values_list("quarantine_reason", flat=True)
    assert list(causes) == ["", "", NETWORK]


@pytest.mark.parametrize(("number", "over"), [(60, 3600), (119, 3600), (19, 60), (60, 300)])
def test_office_behind_one_address_is_not_quarantined(
    job: Any, received: Received, number: int, over: float
) -> None:
    received(number, over=over)
    assert cause_of_next(job) == ""


@pytest.mark.parametrize(("number", "over"), [(20, 59), (120, 3599)])
def test_application_above_a_rate_of_its_network_is_quarantined(
    job: Any, received: Received, number: int, over: float
) -> None:
    received(number, over=over)
    assert cause_of_next(job) == NETWORK
    assert cause_of_next(job, HOME) == ""


def test_quarantined_applications_count_as_long_as_the_flood_lasts(
    job: Any, received: Received, time_machine: Any
) -> None:
    received(20, over=59)
    Application.objects.update(quarantined=True)
    assert cause_of_next(job) == NETWORK
    time_machine.move_to(timezone.now() + dt.timedelta(seconds=61), tick=False)
    assert cause_of_next(job) == ""


def test_addresses_of_one_ipv6_customer_count_together(job: Any) -> None:
    causes = [
        apply_for(
            job, network=network_of(f"2001:db8:7:{number:x}::1"), nonce=str(number)
        ).quarantine_reason
        for number in range(21)
    ]
    assert causes == [""] * 20 + [NETWORK]
    assert cause_of_next(job, "2001:db8:8::1") == ""


def test_unknown_networks_are_not_counted(job: Any, received: Received) -> None:
    received(30, over=59, network="unix:")
    assert cause_of_next(job, "unix:") == ""


def test_forwarded_address_of_a_stranger_is_not_believed(client: Client, job: Any) -> None:
    data = {"name": "Bot", "email": "bot@example.org", "cv": pdf()}
    headers = {"origin": settings.SITE_URL, "x-forwarded-for": "203.0.113.9"}
    assert client.post(job.apply_url, data, headers=headers).status_code == 303
    assert Application.objects.get().network == network_of("127.0.0.1")


def test_person_who_applies_for_nine_jobs_reaches_hr_nine_times(
    client: Client, job: Any, job_index: Any
) -> None:
    jobs = [job, *(JobPageFactory(parent=job_index) for _ in range(8))]
    for each in jobs:
        assert send(client, each).status_code == 303
    assert Application.objects.filter(quarantined=False).count() == 9
    reached = Step.objects.filter(kind=MAIL_HR).values("application").distinct()
    assert reached.count() == 9


# ── Jobs ────────────────────────────────────────────────────────────────────────────────


def test_application_above_a_rate_of_its_job_is_quarantined(
    job: Any, received: Received, job_index: Any, settings: Any
) -> None:
    settings.APPLICATIONS_PER_JOB = [(5, dt.timedelta(minutes=1))]
    for number in range(5):
        received(1, over=1, network=f"198.51.100.{number}")
    assert cause_of_next(job) == JOB
    assert cause_of_next(JobPageFactory(parent=job_index)) == ""


def test_suspicion_of_the_form_is_the_reason_during_a_flood(job: Any, received: Received) -> None:
    received(20, over=59)
    application = apply_for(job, network=network_of(OFFICE), suspicion="honeypot")
    assert application.quarantine_reason == "honeypot"


def test_rates_need_few_rows_and_one_query(
    job: Any, received: Received, django_assert_num_queries: Any
) -> None:
    received(10, over=59)
    with django_assert_num_queries(1):
        assert too_many(network=network_of(OFFICE), job_key=job.job_key) == ""


# ── The same cause ──────────────────────────────────────────────────────────────────────


def test_same_cause_is_the_network_or_else_the_job(job: Any, job_index: Any) -> None:
    other = JobPageFactory(parent=job_index)

    def made(reason: str, network: str, page: Any, quarantined: bool = True) -> Application:
        return ApplicationFactory(
            page=page, quarantine_reason=reason, quarantined=quarantined, network=network
        )

    one, two = made(NETWORK, "n", job), made(NETWORK, "n", other)
    made(NETWORK, "m", job)
    made(NETWORK, "n", job, quarantined=False)
    bot, bots = made("honeypot", "n", job), made("honeypot", "m", job)
    made("honeypot", "n", other)
    forgotten = made(NETWORK, "", job)
    found = Application.objects.order_by("pk")
    assert list(found.filter(same_cause(one))) == [one, two]
    assert list(found.filter(same_cause(bot))) == [bot, bots]
    assert forgotten in found.filter(same_cause(forgotten))


# ── Findings ────────────────────────────────────────────────────────────────────────────


def codes() -> list[str]:
    return [finding.code for finding in floods()]


def test_many_quarantined_applications_are_a_finding(job: Any) -> None:
    for _ in range(20):
        ApplicationFactory(page=job, in_quarantine=True)
    assert codes() == []
    ApplicationFactory(page=job, in_quarantine=True)
    (finding,) = floods()
    assert finding.code == "quarantine-flood"
    said = words.of(finding.code, finding.facts)
    assert said.message.startswith("21 applications of the last hour are quarantined as spam.")
    assert "release" in said.action
    Application.objects.update(quarantined=False)
    assert codes() == []


def test_far_more_applications_than_usual_are_a_finding(job: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("careers.intake.findings.MANY", 5)
    monkeypatch.setattr("careers.intake.findings.TIMES", 3)
    now = timezone.now()
    for _ in range(6):
        ApplicationFactory(page=job)
    (finding,) = floods()
    assert (finding.code, finding.facts) == ("application-flood", {"count": 6, "usual": 0})
    assert "6 applications came within an hour; the usual number is 0" in finding.message
    Application.objects.bulk_create(
        ApplicationFactory.build(
            page=job,
            reference=f"R{number:08}",
            receipt_secret=str(number),
            received_at=now - dt.timedelta(days=2),
        )
        for number in range(2 * 167)
    )
    assert codes() == []
