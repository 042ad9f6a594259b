"""A restored database is recognised, and its unsent mails are not sent by themselves."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from celery.signals import worker_init
from django.core.management import call_command
from django.db import OperationalError, ProgrammingError, connection
from django.db.backends.signals import connection_created
from django.utils import timezone

from careers.operations.sweeper import Sweeper
from careers.pipeline import actions, bulk, restored_database, runner, worker
from careers.pipeline.bulk import Chosen
from careers.pipeline.enqueue import create_steps
from careers.pipeline.models import DatabaseIdentity, Step, StepEvent
from careers.pipeline.states import State
from tests.support import people
from tests.support.concurrently import at_once
from tests.support.factories import ApplicationFactory, StepFactory
from tests.support.stack import ROOT

pytestmark = pytest.mark.django_db
UNDER_WAY = ("waiting", "queued", "sent", "started", "retrying")
#: A person may have retried it after the copy was made.
NOT_SENT = (*UNDER_WAY, "failed")
ENDED = ("succeeded", "uncertain", "cancelled")


@pytest.fixture(autouse=True)
def beside() -> Iterator[Path]:
    """The file beside the test database."""
    path = Path(f"{connection.settings_dict['NAME']}-pulse")
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def mails(application: Any) -> dict[str, Step]:
    """A mail to HR in each state."""
    return {
        state: StepFactory(
            **{state: True} if state != "waiting" else {"state": State.WAITING},
            application=application,
            kind="mail_hr",
            recipient=f"{state}@example.com",
            events=False,
        )
        for state in (*NOT_SENT, *ENDED)
    }


def restore() -> None:
    """Simulate a restore: the row holds the identity of another database, and a process starts."""
    restored_database.recognise()
    DatabaseIdentity.objects.update(identity="another file on another machine")
    restored_database._recognised = False


def states() -> dict[str, str]:
    return {step.recipient.partition("@")[0]: step.state for step in Step.objects.all()}


def test_first_check_stores_the_identity(mails: dict[str, Step]) -> None:
    assert restored_database.recognise() is False
    assert DatabaseIdentity.objects.get().identity == restored_database.identity()
    assert restored_database.recognise() is False
    assert states() == {state: state for state in mails}


def test_unsent_mails_in_a_restored_copy_become_unconfirmed_once(mails: dict[str, Step]) -> None:
    restore()
    assert restored_database.recognise() is True
    changed = dict.fromkeys(NOT_SENT, "uncertain")
    assert states() == changed | {state: state for state in ENDED}
    step = Step.objects.get(pk=mails["retrying"].pk)
    assert (step.error_code, step.lease_until) == ("restored", None)
    event = StepEvent.objects.get(step=step)
    assert (event.from_state, event.to_state, event.actor) == ("retrying", "uncertain", "restore")
    assert "restored from a copy" in event.reason
    assert restored_database.recognise() is False
    assert StepEvent.objects.count() == len(NOT_SENT)


def test_unconfirmed_mail_keeps_the_cause_of_its_failure(mails: dict[str, Step]) -> None:
    cause = "The mail server refused the recipient (550)."
    Step.objects.filter(recipient__startswith="failed").update(error_public=cause)
    Step.objects.filter(recipient__startswith="retrying").update(error_public="Busy.")
    restore()
    assert restored_database.recognise() is True
    assert Step.objects.get(pk=mails["failed"].pk).error_public.endswith(
        f"then choose “It arrived” or “Send again”. {cause}"
    )
    assert Step.objects.get(pk=mails["retrying"].pk).error_public.endswith("“Send again”.")


def test_act_on_many_steps_in_a_restored_copy_ends(mails: dict[str, Step]) -> None:
    """The copy was made while all mails were sent again: some have been since."""
    code = mails["uncertain"].error_code
    row = bulk.begin(actions.send_again, Chosen.of("mail_hr", code), people.otto(), "")
    assert row is not None
    restore()
    assert bulk.continue_all(60) is True
    assert states()["uncertain"] == "uncertain"
    assert not Step.objects.filter(sequence=1).exists()


def test_pdf_and_archive_steps_in_a_restored_copy_stay_queued(application: Any) -> None:
    for kind in ("render_pdf", "archive"):
        StepFactory(application=application, kind=kind, queued=True, events=False)
    restore()
    assert restored_database.recognise() is True
    assert set(Step.objects.values_list("state", flat=True)) == {"queued"}


def test_quarantined_mail_in_a_restored_copy_stays_waiting(bare_job: Any) -> None:
    spam = ApplicationFactory(page=bare_job, in_quarantine=True)
    StepFactory(application=spam, kind="mail_hr", state=State.WAITING, events=False)
    restore()
    assert restored_database.recognise() is True
    assert Step.objects.get().state == "waiting"


def test_claim_in_a_restored_copy_sends_no_mail(application: Any, effects: Any) -> None:
    sent = []
    effects(mail_applicant=lambda step, _before_send: sent.append(step))
    step = StepFactory(application=application, kind="mail_applicant", queued=True, events=False)
    restore()
    assert runner.run(step.pk, owner="worker:1") == []
    assert sent == []
    assert Step.objects.get().state == "uncertain"


def test_new_application_in_a_recognised_copy_is_mailed(application: Any, bare_job: Any) -> None:
    old = StepFactory(application=application, kind="mail_applicant", queued=True, events=False)
    restore()
    restored_database.recognise_once()  # at the start of the web server
    fresh = ApplicationFactory(page=bare_job)
    create_steps(fresh, ["hr@example.com"], at=timezone.now())
    restored_database.recognise()
    found = dict(fresh.steps.values_list("kind", "state"))
    assert (found["mail_applicant"], found["mail_hr"]) == ("queued", "waiting")
    old.refresh_from_db()
    assert old.state == "uncertain"


def test_sweeper_in_a_restored_copy_parks_before_it_dispatches(
    mails: dict[str, Step], broker: Any
) -> None:
    restore()
    Sweeper().once()
    assert {states()[state] for state in NOT_SENT} == {"uncertain"}
    assert broker.messages == []


def test_second_process_parks_no_later_mail(
    application: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    restore()
    slow = DatabaseIdentity.objects.get()
    assert restored_database.recognise() is True
    step = StepFactory(application=application, kind="mail_hr", queued=True, events=False)
    assert restored_database._begin_anew(restored_database.identity(), slow) is False
    step.refresh_from_db()
    assert step.state == "queued"


@pytest.mark.django_db(transaction=True)
def test_processes_that_check_together_park_once(mails: dict[str, Step]) -> None:
    restore()
    changed: list[bool] = []
    at_once(lambda _index: changed.append(restored_database.recognise()), 4)
    assert sorted(changed) == [False, False, False, True]
    # A process that changed nothing also continues only after the other has changed the mails.
    assert {states()[state] for state in NOT_SENT} == {"uncertain"}
    assert StepEvent.objects.count() == len(NOT_SENT)


def test_recognise_once_checks_once_for_each_process(
    application: Any, django_assert_num_queries: Any
) -> None:
    restored_database._recognised = False
    restored_database.recognise_once()
    with django_assert_num_queries(0):
        restored_database.recognise_once()


def test_recognise_once_checks_again_through_a_new_connection_to_postgresql() -> None:
    """A restore or a failover ends the connections, but not the workers."""
    for vendor, looked in (("sqlite", True), ("postgresql", False)):
        restored_database.recognise()
        connection_created.send(
            sender=None, connection=SimpleNamespace(vendor=vendor, alias="other")
        )
        assert restored_database._recognised is looked


def test_process_starts_without_a_database_and_checks_at_its_first_claim(
    mails: dict[str, Step], effects: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> bool:
        raise OperationalError

    restore()
    monkeypatch.setattr(connection, "close", lambda: None)
    with monkeypatch.context() as broken:
        broken.setattr(restored_database, "_recognise", away)
        restored_database.recognise_at_start()
    assert runner.run(mails["queued"].pk, owner="worker:1") == []
    assert {states()[state] for state in NOT_SENT} == {"uncertain"}


def test_web_server_checks_when_it_starts() -> None:
    source = (ROOT / "site" / "careersite" / "wsgi.py").read_text()
    assert source.endswith("recognise_at_start()\n")


def test_worker_checks_before_it_consumes(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[int] = []
    monkeypatch.setattr(restored_database, "recognise_at_start", lambda: looked.append(1))
    monkeypatch.setattr(worker, "_owner", worker.owner())
    worker_init.send(sender=None)
    assert looked == [1]


def test_file_system_error_parks_nothing(
    mails: dict[str, Step], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise PermissionError

    before = states()
    monkeypatch.setattr(restored_database, "identity", broken)
    assert restored_database.recognise() is False
    assert states() == before


@pytest.fixture
def unasked() -> Iterator[None]:
    """The statement for PostgreSQL is not cached."""
    restored_database._statement.cache_clear()
    yield
    restored_database._statement.cache_clear()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="a file tells its number")
def test_identity_asked_before_the_first_migration_stays_the_same(
    unasked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as too_early:
        too_early.setattr(Step._meta, "db_table", "careers_to_come")
        with pytest.raises(ProgrammingError, match="careers_to_come"):
            restored_database.identity()
    asked_early = restored_database.identity()
    restored_database._statement.cache_clear()
    assert asked_early == restored_database.identity()


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="a file tells its number")
def test_identity_leaves_out_what_the_user_may_not_read(
    unasked: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = restored_database.identity()
    restored_database._statement.cache_clear()
    monkeypatch.setattr(restored_database, "_OF_THE_SERVER", ", careers_forbidden()")
    assert everything.startswith(restored_database.identity())
    assert len({restored_database.identity(), everything}) == 2


def test_recognise_takes_few_queries(django_assert_num_queries: Any) -> None:
    restored_database.recognise()
    with django_assert_num_queries(2 if connection.vendor == "postgresql" else 1):
        restored_database.recognise()


def test_after_restore_command_parks_unsent_mails(mails: dict[str, Step]) -> None:
    out = io.StringIO()
    call_command("after_restore", stdout=out)
    assert out.getvalue().startswith("6 mails are now “Unconfirmed”")
    assert {states()[state] for state in NOT_SENT} == {"uncertain"}
    assert DatabaseIdentity.objects.get().restored_at is not None


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="a file beside a file")
class TestPulse:
    @pytest.fixture(autouse=True)
    def _alive(self, mails: dict[str, Step]) -> None:
        restored_database.recognise()
        restored_database.pulse()
        assert restored_database.recognise() is False

    def test_older_copy_under_the_same_name_is_recognised(self, beside: Path) -> None:
        DatabaseIdentity.objects.update(pulse=int(beside.stat().st_mtime) - 10)
        assert restored_database.recognise() is True

    def test_copy_without_the_pulse_file_is_recognised(self, beside: Path) -> None:
        beside.unlink()
        assert restored_database.recognise() is True
        # From then on the copy is the live database.
        restored_database.pulse()
        assert restored_database.recognise() is False

    def test_pulse_file_behind_the_row_is_no_restore(self, beside: Path) -> None:
        second = beside.stat().st_mtime - 100
        os.utime(beside, (second, second))
        assert restored_database.recognise() is False

    def test_slower_sweeper_does_not_set_the_pulse_back(self, beside: Path) -> None:
        later = int(beside.stat().st_mtime) + 60
        DatabaseIdentity.objects.update(pulse=later)
        os.utime(beside, (later, later))
        restored_database.pulse()
        assert DatabaseIdentity.objects.get().pulse == later
        assert restored_database.recognise() is False

    def test_read_only_directory_is_no_restore(
        self, beside: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refuse(*_args: Any) -> None:
            raise PermissionError

        monkeypatch.setattr(os, "utime", refuse)
        restored_database.pulse()
        beside.unlink()
        assert DatabaseIdentity.objects.get().pulse is None
        assert restored_database.recognise() is False
