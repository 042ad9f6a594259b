"""Steps that have ended are done again: as new rows, with what depends on them."""

from __future__ import annotations

from typing import Any

import pytest

from careers import archive
from careers.applications.errors import Permanent
from careers.applications.models import ApplicationFile, FileKind
from careers.pipeline import actions, registry, successors
from careers.pipeline.effects import mails
from careers.pipeline.effects.archive import archive_files
from careers.pipeline.effects.render_pdf import render_pdf
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.registry import StepDefinition, succeeded
from careers.pipeline.runner import run
from careers.pipeline.states import State
from tests.support import people
from tests.support.factories import ApplicationFileFactory, StepFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def otto(db: None) -> Any:
    return people.otto()


def step_of(application: Any, kind: str, **more: Any) -> Step:
    recipient = "hr@example.org" if kind == MAIL_HR else ""
    made: Step = StepFactory(
        application=application, kind=kind, recipient=recipient, events=False, **more
    )
    return made


def rows(application: Any) -> set[tuple[str, int, str]]:
    found = Step.objects.filter(application=application)
    return set(found.values_list("kind", "sequence", "state"))


def test_cancelled_receipt_is_sent_after_all(application: Any, otto: Any) -> None:
    step = step_of(application, MAIL_APPLICANT, queued=True)
    assert actions.cancel(step, otto)
    step.refresh_from_db()
    new = actions.do_after_all(step, otto, "They called.")
    assert (new.sequence, new.state) == (1, State.QUEUED)
    step.refresh_from_db()
    assert (step.state, step.replaced_by_id) == (State.CANCELLED, new.pk)
    first = StepEvent.objects.filter(step=new).first()
    assert first is not None
    assert (first.actor, first.reason) == (f"user:{otto.pk}:otto", "They called.")


def test_mail_that_an_app_sends_after_the_archive_is_not_sent_twice(
    application: Any, otto: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = StepDefinition(
        kind="tell",
        label="Tell",
        short_label="Tell",
        effect=mails.mail_hr,
        after=(succeeded(ARCHIVE),),
        is_mail=True,
    )
    monkeypatch.setitem(registry.REGISTERED, "tell", tell)
    pdf = step_of(application, RENDER_PDF, succeeded=True)
    step_of(application, ARCHIVE, succeeded=True)
    step_of(application, "tell", succeeded=True)
    assert actions.make_pdf_again(pdf, otto)
    assert Step.objects.filter(kind=ARCHIVE).count() == 2
    assert Step.objects.filter(kind="tell").count() == 1


@pytest.mark.parametrize("state", ["queued", "sent", "started", "retrying"])
def test_new_pdf_is_archived_although_the_archive_step_runs_before_it(
    application: Any, otto: Any, effects: Any, state: str
) -> None:
    pdf = step_of(application, RENDER_PDF, succeeded=True)
    step_of(application, ARCHIVE, **{state: True})
    new = actions.make_pdf_again(pdf, otto)
    assert (ARCHIVE, 0, state) in rows(application)
    assert (ARCHIVE, 1, "waiting") in rows(application)
    (archived,) = run(new.pk, owner="worker:1")
    assert Step.objects.get(pk=archived).sequence == 1


def test_second_click_does_nothing(application: Any, otto: Any) -> None:
    step = step_of(application, MAIL_APPLICANT, cancelled=True)
    assert actions.do_after_all(step, otto)
    assert actions.do_after_all(step, otto) is None
    assert Step.objects.count() == 2


def test_pdf_after_all_brings_back_the_steps_that_were_cancelled_with_it(
    application: Any, otto: Any, effects: Any
) -> None:
    pdf = step_of(application, RENDER_PDF, queued=True)
    step_of(application, ARCHIVE)
    mail = step_of(application, MAIL_HR, succeeded=True)
    actions.cancel(pdf, otto)
    pdf.refresh_from_db()
    new = actions.do_after_all(pdf, otto)
    assert rows(application) == {
        (RENDER_PDF, 0, "cancelled"),
        (RENDER_PDF, 1, "queued"),
        (ARCHIVE, 0, "cancelled"),
        (ARCHIVE, 1, "waiting"),
        (MAIL_HR, 0, "succeeded"),
    }
    (archived,) = run(new.pk, owner="worker:1")
    run(archived, owner="worker:1")
    assert (ARCHIVE, 1, "succeeded") in rows(application)
    mail.refresh_from_db()
    assert mail.replaced_by_id is None


def test_archive_after_all_brings_back_the_pdf_that_it_needs(application: Any, otto: Any) -> None:
    step_of(application, RENDER_PDF, cancelled=True)
    archived = step_of(application, ARCHIVE, cancelled=True)
    actions.do_after_all(archived, otto)
    assert rows(application) == {
        (RENDER_PDF, 0, "cancelled"),
        (RENDER_PDF, 1, "queued"),
        (ARCHIVE, 0, "cancelled"),
        (ARCHIVE, 1, "waiting"),
    }


def test_mail_after_all_waits_while_the_application_is_quarantined(
    application: Any, otto: Any
) -> None:
    type(application).objects.update(quarantined=True)
    step = step_of(application, MAIL_APPLICANT, cancelled=True)
    assert actions.do_after_all(step, otto).state == State.WAITING


def test_receipt_is_sent_a_second_time(application: Any, otto: Any) -> None:
    step = step_of(application, MAIL_APPLICANT, succeeded=True)
    new = actions.send_receipt_again(step, otto)
    assert (new.state, new.sequence) == (State.QUEUED, 1)
    assert actions.send_receipt_again(step, otto) is None
    step.refresh_from_db()
    assert step.state == State.SUCCEEDED


def test_receipt_that_follows_one_for_the_applicant_gets_the_next_number(
    application: Any, otto: Any
) -> None:
    """An applicant who asks for a new link gets a receipt that replaces none."""
    step = step_of(application, MAIL_APPLICANT, cancelled=True)
    step_of(application, MAIL_APPLICANT, sequence=1, succeeded=True)
    assert actions.do_after_all(step, otto).sequence == 2


def test_pdf_made_again_is_archived_after_it_is_made(
    application: Any, otto: Any, effects: Any
) -> None:
    pdf = step_of(application, RENDER_PDF, succeeded=True)
    step_of(application, ARCHIVE, succeeded=True)
    new = actions.make_pdf_again(pdf, otto)
    # The old PDF does not count: the archive waits for the new one.
    successors.release_successors(pdf, actor="sweeper")
    assert (ARCHIVE, 1, "waiting") in rows(application)
    run(new.pk, owner="worker:1")
    assert (ARCHIVE, 1, "queued") in rows(application)


def test_old_pdf_stays_when_it_is_made_again(application: Any) -> None:
    old = ApplicationFileFactory(application=application, kind=FileKind.PDF, archived=True)
    step = step_of(application, RENDER_PDF, sequence=1)
    render_pdf(step, lambda *_: None).record()
    kept = ApplicationFile.objects.filter(application=application, kind=FileKind.PDF)
    assert kept.count() == 2
    assert kept.get(pk=old.pk).object_key == old.object_key


def test_archive_done_again_reads_each_file_back(
    application: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ApplicationFileFactory(application=application, archived=True)
    read: list[tuple[str, str]] = []
    monkeypatch.setattr(archive, "fetch", lambda key, *, sha256: read.append((key, sha256)))
    monkeypatch.setattr(archive, "put", lambda key, *_: archive.StoredObject(key, "", "", 0))
    archive_files(step_of(application, ARCHIVE, sequence=1), lambda *_: None).record()
    assert read == [(file.object_key, file.sha256)]
    assert ApplicationFile.objects.get(pk=file.pk).verified_at > file.verified_at


def test_archive_done_again_fails_when_a_file_is_missing(
    application: Any, otto: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ApplicationFileFactory(application=application, archived=True)
    step_of(application, RENDER_PDF, succeeded=True)
    step = step_of(application, ARCHIVE, succeeded=True)

    def fetch(key: str, *, sha256: str) -> bytes:
        raise Permanent("archive-missing", "The file is missing.")

    monkeypatch.setattr(archive, "fetch", fetch)
    new = actions.archive_again(step, otto)
    run(new.pk, owner="worker:1")
    new.refresh_from_db()
    assert (new.state, new.error_code) == (State.FAILED, "archive-missing")
