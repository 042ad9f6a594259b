"""Who gets which receipt when the same content is sent again, and what HR hears of it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from careers.applications.models import Application, IdempotencyKey
from careers.apply.sender import SENDER
from careers.forms.tasks import clean_up_uploads
from careers.intake import repetitions
from careers.intake.submit import identity_of, submit
from careers.pipeline import actions
from careers.pipeline.kinds import MAIL_APPLICANT, MAIL_HR
from tests.support import people
from tests.support.applying import OTHER_KEY, OWN_KEY, apply_for, send, submission
from tests.support.concurrently import at_once

pytestmark = pytest.mark.django_db

SECONDS = dt.timedelta(seconds=1)


def receipt_of(response: Any) -> str:
    assert response.status_code == 303
    return str(response["Location"])


def hr_mails(application: Application) -> set[str]:
    """The states of the mails to HR."""
    return set(application.steps.filter(kind=MAIL_HR).values_list("state", flat=True))


def post(client: Client, job: Any, *, key: str = "", network: str = "192.0.2.1") -> Any:
    client.defaults["REMOTE_ADDR"] = network
    return send(client, job, **({SENDER: key} if key else {}))


# ── The same sender ─────────────────────────────────────────────────────────────────────


def test_same_key_and_content_gets_same_receipt_at_any_time_and_from_any_network(
    client: Client, job: Any, time_machine: Any
) -> None:
    first = receipt_of(post(client, job, key=OWN_KEY))
    time_machine.move_to(timezone.now() + dt.timedelta(days=20), tick=False)
    assert receipt_of(post(client, job, key=OWN_KEY, network="198.51.100.9")) == first
    assert Application.objects.count() == 1


def test_same_key_with_other_content_is_another_application(client: Client, job: Any) -> None:
    first = receipt_of(post(client, job, key=OWN_KEY))
    changed = send(client, job, **{SENDER: OWN_KEY, "phone": "+47 55 55 00 00"})
    assert receipt_of(changed) != first
    assert {each.repeats_id for each in Application.objects.all()} == {None}
    assert [hr_mails(each) for each in Application.objects.all()] == [{"waiting"}] * 2


@pytest.mark.parametrize("seconds", [0, 1, 119])
def test_without_key_same_network_gets_same_receipt_within_two_minutes(
    client: Client, job: Any, time_machine: Any, seconds: int
) -> None:
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    first = receipt_of(post(client, job))
    time_machine.move_to(now + seconds * SECONDS, tick=False)
    assert receipt_of(post(client, job)) == first
    assert Application.objects.count() == 1


def test_without_key_same_network_gets_own_receipt_after_two_minutes(
    client: Client, job: Any, time_machine: Any
) -> None:
    now = timezone.now()
    time_machine.move_to(now, tick=False)
    first = receipt_of(post(client, job))
    time_machine.move_to(now + repetitions.WINDOW, tick=False)
    second = receipt_of(post(client, job))
    assert second != first
    # The window begins anew with the newest application.
    time_machine.move_to(now + 2 * repetitions.WINDOW - SECONDS, tick=False)
    assert receipt_of(post(client, job)) == second
    assert Application.objects.count() == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"key": OWN_KEY}, {"key": OTHER_KEY}),
        ({"key": OWN_KEY}, {}),
        ({}, {"key": OTHER_KEY}),
        ({}, {"network": "192.0.2.2"}),
        ({"network": "2001:db8::1"}, {"network": "2001:db9::1"}),
        ({"network": ""}, {"network": ""}),
        ({"network": "unix:"}, {"network": "unix:"}),
    ],
    ids=["other key", "no key", "first without key", "network", "IPv6", "unknown", "no address"],
)
def test_another_sender_gets_own_receipt_for_a_linked_application(
    client: Client, job: Any, one: Any, other: Any
) -> None:
    receipts = [receipt_of(post(client, job, **sender)) for sender in (one, other)]
    assert receipts[0] != receipts[1]
    first, second = Application.objects.order_by("pk")
    assert (first.repeats_id, second.repeats_id) == (None, first.pk)
    for application, receipt in zip((first, second), receipts, strict=True):
        assert receipt == f"/received/{application.receipt_secret}/"
        assert application.steps.get(kind=MAIL_APPLICANT).state == "sent"
    assert (hr_mails(first), hr_mails(second)) == ({"waiting"}, {"cancelled"})


def test_key_of_a_sender_is_stored_as_digest_only(job: Any) -> None:
    application = apply_for(job)
    (key,) = IdempotencyKey.objects.all()
    assert key.expires_at is None
    assert re.fullmatch(r"[0-9a-f.]{64}", key.digest)
    assert OWN_KEY not in str(Application.objects.values().get(pk=application.pk))


@pytest.mark.parametrize("key", [OWN_KEY, ""], ids=["key", "network"])
def test_rotation_of_the_hash_key_keeps_the_receipt(job: Any, settings: Any, key: str) -> None:
    given = submission(job, sender_key=key, network="" if key else "n")
    first = submit(given)
    settings.HASH_KEYS = ["k" * 32]
    assert submit(given).pk == first.pk
    settings.HASH_KEYS = ["l" * 32, "k" * 32]
    assert submit(given).pk == first.pk


def test_processes_with_other_keys_at_once_create_one_application(
    job: Any, settings: Any, monkeypatch: Any
) -> None:
    first = apply_for(job)
    settings.HASH_KEYS = ["k" * 32]
    real, looks = repetitions.sent_by_same_sender, []

    def blind_once(identity: repetitions.Identity) -> Application | None:
        looks.append(identity)
        return None if len(looks) == 1 else real(identity)

    monkeypatch.setattr(repetitions, "sent_by_same_sender", blind_once)
    assert apply_for(job).pk == first.pk
    assert len(looks) == 2


def test_key_of_a_deleted_application_does_not_refuse_another(job: Any) -> None:
    # What is left when a release deletes it that does not know the table of keys.
    (digest,) = identity_of(submission(job)).senders
    IdempotencyKey.objects.create(digest=digest, application_id=999_999)
    application = apply_for(job)
    assert (application.repeats_id, hr_mails(application)) == (None, {"waiting"})
    assert apply_for(job).pk == application.pk


def test_clean_up_deletes_keys_whose_window_has_ended(job: Any, time_machine: Any) -> None:
    apply_for(job)
    submit(submission(job, sender_key="", network="n"))
    clean_up_uploads()
    assert IdempotencyKey.objects.count() == 2
    time_machine.move_to(timezone.now() + repetitions.WINDOW + SECONDS, tick=False)
    clean_up_uploads()
    assert IdempotencyKey.objects.get().expires_at is None


@pytest.mark.django_db(transaction=True)
def test_same_form_without_key_from_many_threads_at_once_is_one_application(job: Any) -> None:
    given = submission(job, sender_key="", network="n")
    got: list[int] = []
    at_once(lambda _index: got.append(submit(given).pk), 6)
    assert len(got) == 6
    assert len(set(got)) == 1


@pytest.mark.django_db(transaction=True)
def test_same_form_after_the_window_from_many_threads_at_once_is_one_more_application(
    job: Any,
) -> None:
    given = submission(job, sender_key="", network="n")
    first = submit(given)
    IdempotencyKey.objects.update(expires_at=timezone.now() - SECONDS)
    got: list[int] = []
    at_once(lambda _index: got.append(submit(given).pk), 6)
    assert len(got) == 6
    assert len(set(got)) == 1
    assert got[0] != first.pk


@pytest.mark.django_db(transaction=True)
def test_same_form_of_many_senders_at_once_is_mailed_to_hr_once(job: Any) -> None:
    at_once(lambda index: submit(submission(job, sender_key=f"{index}" * 32)), 3)
    made = list(Application.objects.order_by("pk"))
    assert len(made) == 3
    assert {each.repeats_id for each in made[1:]} == {made[0].pk}
    assert made[0].repeats_id is None
    assert [hr_mails(each) for each in made] == [{"waiting"}, *[{"cancelled"}] * 2]


# ── Nobody learns that an application exists ────────────────────────────────────────────


def statements(client: Client, job: Any, key: str) -> tuple[list[str], Any]:
    """The statements of a POST, without their values, and its response."""
    with CaptureQueriesContext(connection) as captured:
        response = post(client, job, key=key)
    return [
        re.sub(r"'[^']*'|\"s\d+_x\d+\"|\b\d+\b|NULL", "?", each["sql"])[:60] for each in captured
    ], response


@pytest.mark.parametrize("key", [OTHER_KEY, ""], ids=["key", "no key"])
def test_post_of_another_sender_runs_the_same_statements_and_gets_the_same_answer(
    client: Client, job: Any, key: str, time_machine: Any
) -> None:
    time_machine.move_to(timezone.now(), tick=False)
    statements(client, job, "0c" * 16)  # fills the caches of Django and Wagtail
    Application.objects.all().delete()
    new, first = statements(client, job, key)
    Application.objects.all().delete()
    apply_for(job)
    again, second = statements(client, job, key)
    assert Application.objects.count() == 2
    assert again == new
    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert {name: value for name, value in second.items() if name != "Location"} == {
        name: value for name, value in first.items() if name != "Location"
    }


def test_receipt_page_of_a_repetition_says_the_same_as_that_of_the_first(
    client: Client, job: Any
) -> None:
    pages = []
    for key in (OWN_KEY, OTHER_KEY):
        location = receipt_of(post(client, job, key=key))
        application = Application.objects.order_by("-pk")[0]
        page = client.get(location).content.decode()
        for own in (application.receipt_secret, application.reference):
            page = page.replace(own, "own")
        pages.append(re.sub(r"<time.*?</time>", "", page))
    assert pages[0] == pages[1]


# ── What HR hears ───────────────────────────────────────────────────────────────────────


def release(application: Application) -> None:
    assert actions.release_from_quarantine(application, people.ada())


def test_repetition_of_a_quarantined_application_is_mailed_to_hr(job: Any) -> None:
    first = apply_for(job, suspicion="honeypot")
    second = apply_for(job, sender_key=OTHER_KEY)
    third = apply_for(job, sender_key="0c" * 16)
    assert (second.repeats_id, third.repeats_id) == (first.pk, first.pk)
    assert [hr_mails(each) for each in (second, third)] == [{"waiting"}, {"cancelled"}]


def test_release_of_an_application_whose_repetition_was_mailed_mails_hr_no_more(job: Any) -> None:
    first = apply_for(job, suspicion="honeypot")
    apply_for(job, sender_key=OTHER_KEY)
    release(first)
    assert hr_mails(first) == {"cancelled"}
    assert first.steps.get(kind=MAIL_APPLICANT).state == "queued"


def test_release_of_a_quarantined_repetition_mails_hr_no_more(job: Any) -> None:
    apply_for(job)
    second = apply_for(job, sender_key=OTHER_KEY, suspicion="honeypot")
    assert hr_mails(second) == {"waiting"}
    release(second)
    assert hr_mails(second) == {"cancelled"}


def test_release_of_the_only_application_mails_hr(job: Any) -> None:
    first = apply_for(job, suspicion="honeypot")
    apply_for(job, sender_key=OTHER_KEY, suspicion="honeypot")
    release(first)
    first.steps.filter(kind="render_pdf").update(state="succeeded")
    assert hr_mails(first) == {"waiting"}
    first.refresh_from_db()
    assert (first.mails_hr, first.quarantined) == (True, False)


def test_application_after_erasure_of_the_first_is_mailed_to_hr(job: Any) -> None:
    apply_for(job).delete()
    assert not IdempotencyKey.objects.exists()
    second = apply_for(job, sender_key=OTHER_KEY)
    assert (second.repeats_id, hr_mails(second)) == (None, {"waiting"})


def test_repetition_stays_when_the_first_is_erased(job: Any) -> None:
    first = apply_for(job)
    second = apply_for(job, sender_key=OTHER_KEY)
    first.delete()
    second.refresh_from_db()
    assert second.repeats_id is None
    third = apply_for(job, sender_key="0c" * 16)
    assert hr_mails(third) == {"waiting"}


def test_application_that_an_older_release_stored_is_the_first(job: Any) -> None:
    first = apply_for(job)
    IdempotencyKey.objects.all().delete()  # an older release writes none
    second = apply_for(job)
    assert (second.repeats_id, hr_mails(second)) == (first.pk, {"cancelled"})
