"""Receipt links expire, and a new one comes by mail to whoever can read the applicant's mail."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from careers import notifications
from careers.applications import receipt_links
from careers.applications.files import store_file
from careers.applications.models import Application, FileKind
from careers.notifications import Delivery
from careers.pipeline.effects.mails import receipt_url
from careers.pipeline.kinds import MAIL_APPLICANT
from careers.pipeline.models import Step
from careers.pipeline.receipt_again import MAILS_A_DAY
from careers.pipeline.runner import run
from tests.support.applying import ADDRESS, apply_for
from tests.support.concurrently import at_once

pytestmark = pytest.mark.django_db

SENT = "We got your request"


@pytest.fixture
def application(job: Any) -> Application:
    """An application whose receipt was mailed."""
    made = apply_for(job)
    made.steps.filter(kind=MAIL_APPLICANT).update(state="succeeded")
    return made


def expire(application: Application, *, by: dt.timedelta = dt.timedelta(0)) -> None:
    application.receipt_issued_at = timezone.now() - receipt_links.LIFETIME - by
    application.save(update_fields=["receipt_issued_at"])


def ask(client: Client, email: str, reference: str) -> Any:
    return client.post("/received/", {"email": email, "reference": reference})


def mails(application: Application) -> list[Step]:
    return list(application.steps.filter(kind=MAIL_APPLICANT).order_by("sequence"))


# ── The end of a link ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("more", ["", "application.pdf"])
def test_link_stops_working_after_its_lifetime(
    client: Client, application: Application, time_machine: Any, more: str
) -> None:
    store_file(
        application, kind=FileKind.PDF, content=b"%PDF", filename="x.pdf", content_type="a/b"
    )
    address = f"/received/{application.receipt_secret}/{more}"
    end = receipt_links.expires_at(application)
    time_machine.move_to(end - dt.timedelta(seconds=1), tick=False)
    assert client.get(address).status_code == 200
    time_machine.move_to(end, tick=False)
    expired = client.get(address)
    assert expired.status_code == 404
    assert application.reference not in expired.content.decode()
    # Nobody learns whether a link ever worked.
    assert client.get(f"/received/{'0' * 43}/{more}").content == expired.content


def test_receipt_page_names_the_last_day_of_its_link(
    client: Client, application: Application
) -> None:
    Application.objects.update(receipt_issued_at=timezone.now() - dt.timedelta(days=1))
    application.refresh_from_db()
    page = client.get(f"/received/{application.receipt_secret}/").content.decode()
    day = timezone.localtime(receipt_links.expires_at(application))
    assert f"The address works until {day.day} {day:%B %Y}" in page
    assert 'href="/received/"' in page


@pytest.mark.parametrize("path", ["/received/", "/received/unknown/", "/fr/received/"])
def test_pages_about_links_are_private(client: Client, home: Any, path: str) -> None:
    response = client.get(path)
    assert response["Referrer-Policy"] == "no-referrer"
    assert response["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


# ── A new link ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("expired", [True, False], ids=["expired", "valid"])
def test_mail_renews_the_link_only_when_it_has_expired(
    application: Application, expired: bool
) -> None:
    if expired:
        expire(application)
    old = application.receipt_secret
    address = receipt_url(application)
    application.refresh_from_db()
    assert (application.receipt_secret != old) is expired
    assert address.endswith(f"/received/{application.receipt_secret}/")
    assert not receipt_links.has_expired(application)
    assert receipt_url(application) == address


def test_link_is_renewed_once_by_two_processes(application: Application) -> None:
    expire(application)
    stale = Application.objects.get(pk=application.pk)
    assert receipt_url(application) == receipt_url(stale)


@pytest.mark.parametrize(
    ("email", "reference"),
    [
        (ADDRESS, "{}"),
        (ADDRESS.upper(), "{}"),
        (f" {ADDRESS} ", " {} "),
        (ADDRESS, "{lower}"),
    ],
)
def test_request_for_a_link_queues_one_more_receipt(
    client: Client, application: Application, email: str, reference: str
) -> None:
    given = reference.format(application.reference, lower=application.reference.lower())
    response = ask(client, email, given)
    assert (response.status_code, SENT in response.content.decode()) == (200, True)
    _first, again = mails(application)
    assert (again.state, again.sequence, again.dispatches) == ("queued", 1, 0)
    assert again.events.get().actor == "applicant"


@pytest.mark.parametrize(
    ("stored", "typed", "count"),
    [
        ("jane@faß.de", "Jane@xn--fa-hia.de", 2),
        ("jane@xn--fa-hia.de", "Jane Miller <jane@faß.de>", 2),
        ("jane@faß.de", "jane@fass.de", 1),
        ("mike@example.org", "mıke@example.org", 1),
    ],
)
def test_request_for_a_link_knows_the_host_in_both_spellings(
    client: Client, application: Application, stored: str, typed: str, count: int
) -> None:
    Application.objects.update(email=stored)
    assert SENT in ask(client, typed, application.reference).content.decode()
    assert len(mails(application)) == count


def test_new_link_comes_by_mail_and_the_old_one_stays_dead(
    client: Client, application: Application, monkeypatch: Any
) -> None:
    sent: list[Any] = []

    def deliver(message: Any, *, before_send: Any) -> Delivery:
        sent.append(message)
        return Delivery("<1@example.org>", "250 ok")

    monkeypatch.setattr(notifications, "deliver", deliver)
    expire(application)
    old = application.receipt_secret
    ask(client, ADDRESS, application.reference)
    run(mails(application)[1].pk, owner="worker:1")
    (mail,) = sent
    application.refresh_from_db()
    assert mail.to == [ADDRESS]
    assert f"/received/{application.receipt_secret}/" in mail.body
    assert old not in mail.body
    assert client.get(f"/received/{application.receipt_secret}/").status_code == 200
    assert client.get(f"/received/{old}/").status_code == 404


def test_receipts_of_one_application_are_limited(client: Client, application: Application) -> None:
    for _ in range(MAILS_A_DAY + 2):
        response = ask(client, ADDRESS, application.reference)
        assert SENT in response.content.decode()
        Step.objects.filter(kind=MAIL_APPLICANT).update(state="succeeded")
    assert len(mails(application)) == MAILS_A_DAY
    Step.objects.update(created_at=timezone.now() - dt.timedelta(days=1, seconds=1))
    ask(client, ADDRESS, application.reference)
    assert len(mails(application)) == MAILS_A_DAY + 1


def test_no_second_receipt_while_one_is_on_its_way(
    client: Client, application: Application
) -> None:
    ask(client, ADDRESS, application.reference)
    ask(client, ADDRESS, application.reference)
    assert len(mails(application)) == 2


def test_quarantined_application_gets_no_further_receipt(client: Client, job: Any) -> None:
    held = apply_for(job, suspicion="honeypot")
    held.steps.filter(kind=MAIL_APPLICANT).update(state="cancelled")
    assert SENT in ask(client, ADDRESS, held.reference).content.decode()
    assert len(mails(held)) == 1


@pytest.mark.django_db(transaction=True)
def test_requests_at_once_queue_one_receipt(application: Application) -> None:
    at_once(lambda _index: ask(Client(), ADDRESS, application.reference), 4)
    assert len(mails(application)) == 2


# ── The answer tells nobody who applied ─────────────────────────────────────────────────


def test_answer_is_the_same_for_every_address_and_reference(
    client: Client, application: Application
) -> None:
    known = ask(client, ADDRESS, application.reference)
    for email, reference in (
        ("someone@example.org", application.reference),
        (ADDRESS, "0000-0000"),
        (ADDRESS, "x" * 40),
        ("someone@example.org", "0000-0000"),
        (ADDRESS, "%_%"),
    ):
        other = ask(client, email, reference)
        assert (other.status_code, other.content) == (known.status_code, known.content)
    assert len(mails(application)) == 2


def test_request_does_not_wait_for_the_broker(
    client: Client, application: Application, broker: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        ask(client, ADDRESS, application.reference)
    assert broker.messages == []


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({}, "Enter the address with which you applied."),
        ({"email": "x", "reference": "y"}, "Enter an e-mail address"),
        ({"email": ADDRESS}, "Enter the reference of your application."),
        ({"email": ADDRESS, "reference": "x" * 100_000}, "at most 40 characters"),
        ({"email": "x" * 100_000, "reference": "y"}, "Enter an e-mail address"),
        ({"email": ADDRESS, "reference": "\x00"}, "Null characters"),
    ],
)
def test_request_with_errors_is_explained_and_asks_no_database(
    client: Client, home: Any, sent: dict[str, str], error: str
) -> None:
    client.post("/received/", {})
    with CaptureQueriesContext(connection) as captured:
        response = client.post("/received/", sent)
    assert response.status_code == 422
    assert error in response.content.decode()
    assert not any("careers_application" in query["sql"] for query in captured)


def test_request_needs_no_cookie(application: Application) -> None:
    response = ask(Client(enforce_csrf_checks=True), ADDRESS, application.reference)
    assert response.status_code == 200
