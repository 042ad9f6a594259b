"""The step that scans files: what it locks, whom it tells, and how it ends."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from careers import archive, notifications, scanning
from careers.applications.errors import EffectError, Misconfigured, Permanent, Transient
from careers.applications.files import Upload
from careers.applications.models import (
    Application,
    ApplicationFile,
    FileBytes,
    FileKind,
    ScanVerdict,
)
from careers.notifications import Delivery
from careers.operations.sweeper import release_forgotten_waiters
from careers.pipeline import actions, registry
from careers.pipeline.effects.scan import scan_files
from careers.pipeline.kinds import (
    MAIL_APPLICANT,
    MAIL_HR,
    MAIL_INFECTED,
    MAIL_INFECTED_HR,
    RENDER_PDF,
    SCAN,
)
from careers.pipeline.models import Step
from careers.pipeline.runner import run
from careers.pipeline.states import State
from careers.pipeline.unscanned import open_unscanned
from tests.support import people
from tests.support.applying import apply_for, ask
from tests.support.factories import ApplicationFileFactory, StepFactory
from tests.support.papers import make_cv, make_docx
from tests.support.servers import EICAR, SIGNATURE, Clamd

pytestmark = pytest.mark.django_db

NOBODY = "tcp://127.0.0.1:1"
CLEAN, INFECTED, WAITING, NOT_SCANNED, OPENED = (
    ScanVerdict.CLEAN,
    ScanVerdict.INFECTED,
    ScanVerdict.WAITING,
    ScanVerdict.NOT_SCANNED,
    ScanVerdict.OPENED,
)
Answers = Callable[..., list[bytes]]


def upload(key: str, content: bytes, filename: str = "secret-name.pdf") -> Upload:
    sha256 = hashlib.sha256(content).hexdigest()
    return Upload(key, filename, "application/pdf", content, sha256)


@pytest.fixture
def two_files(job: Any) -> Any:
    """A job that asks for a CV and a paper."""
    job.questions = [ask("file", "Your paper", key="paper")]
    job.save()
    return job


@pytest.fixture
def scanner(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Answers:
    """``scanner(b"CV"="", b"paper"=error)`` decides what the scanner answers to each content."""
    settings.CLAMAV_URL = NOBODY
    asked: list[bytes] = []
    known: dict[bytes, Any] = {}

    def scan(content: bytes) -> str:
        asked.append(content)
        answer = known.get(content, "")
        if isinstance(answer, EffectError):
            raise answer
        return str(answer)

    def answers(given: dict[bytes, Any] | None = None) -> list[bytes]:
        known.update(given or {})
        return asked

    monkeypatch.setattr(scanning, "scan", scan)
    return answers


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The mails that were sent."""
    mails: list[Any] = []

    def deliver(message: Any, *, before_send: Any) -> Delivery:
        mails.append(message)
        return Delivery(message.extra_headers["Message-ID"], "250 Ok")

    monkeypatch.setattr(notifications, "deliver", deliver)
    return mails


def apply_with(job: Any, cv: bytes = b"CV", paper: bytes | None = None, **more: Any) -> Application:
    uploads = [upload("cv", cv), *([upload("paper", paper)] if paper is not None else [])]
    return apply_for(job, uploads=tuple(uploads), **more)


def verdicts(application: Application) -> list[str]:
    uploads = application.files.exclude(kind=FileKind.PDF).order_by("pk")
    return list(uploads.values_list("scan_verdict", flat=True))


def perform(application: Application, kind: str = SCAN) -> list[Step]:
    """Run the steps of a kind; returns them afterwards."""
    steps = Step.objects.filter(application=application, kind=kind).order_by("pk")
    for step in steps:
        run(step.pk, owner="worker:1")
    return list(steps.all())


def state_of(application: Application, kind: str = SCAN) -> str:
    return str(Step.objects.get(application=application, kind=kind).state)


def kinds_of(application: Application) -> set[str]:
    return set(Step.objects.filter(application=application).values_list("kind", flat=True))


# ── Which applications are scanned ──────────────────────────────────────────────────────


def test_application_with_files_is_locked_until_it_is_scanned(job: Any, scanner: Answers) -> None:
    application = apply_with(job)
    assert verdicts(application) == [WAITING]
    assert state_of(application) == State.SENT
    assert ApplicationFile.objects.get().is_locked
    (step,) = perform(application)
    assert (step.state, step.result) == (State.SUCCEEDED, {"clean": 1, "infected": 0})
    assert verdicts(application) == [CLEAN]
    assert not ApplicationFile.objects.get().is_locked
    assert scanner() == [b"CV"]


def test_application_without_scanner_gets_no_step_and_no_lock(job: Any) -> None:
    application = apply_with(job)
    assert verdicts(application) == [NOT_SCANNED]
    assert not ApplicationFile.objects.get().is_locked
    assert SCAN not in kinds_of(application)


def test_application_without_files_gets_no_scan(job: Any, scanner: Answers) -> None:
    assert SCAN not in kinds_of(apply_for(job, uploads=()))


def test_no_mail_and_no_pdf_waits_for_the_scan(job: Any, scanner: Answers) -> None:
    assert registry.successors_of(SCAN, needing_success=True) == []
    application = apply_with(job)
    assert state_of(application, MAIL_APPLICANT) == State.SENT
    assert state_of(application, RENDER_PDF) == State.SENT
    perform(application, RENDER_PDF)
    assert state_of(application, MAIL_HR) == State.QUEUED
    # What the site makes itself is neither scanned nor locked.
    pdf = application.files.get(kind=FileKind.PDF)
    assert (pdf.scan_verdict, pdf.is_locked) == (NOT_SCANNED, False)
    perform(application)
    assert scanner() == [b"CV"]


def test_archived_file_is_read_from_the_archive(
    job: Any, scanner: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = apply_with(job)
    file = application.files.get()
    ApplicationFile.objects.update(object_key="applications/a/cv.pdf")
    FileBytes.objects.all().delete()
    asked = []

    def fetch(key: str, *, sha256: str) -> bytes:
        asked.append((key, sha256))
        return b"from the archive"

    monkeypatch.setattr(archive, "fetch", fetch)
    perform(application)
    assert (scanner(), verdicts(application)) == ([b"from the archive"], [CLEAN])
    assert asked == [("applications/a/cv.pdf", file.sha256)]


# ── A real clamd ────────────────────────────────────────────────────────────────────────


def test_clamd_finds_the_eicar_file_raw_and_zipped(two_files: Any, clamd: Clamd) -> None:
    raw, zipped = make_cv() + b"\n%" + EICAR, make_docx(word__media__a_bin=EICAR)
    infected, clean = apply_with(two_files, raw, zipped), apply_with(two_files, make_cv(), b"x")
    for application in (infected, clean):
        perform(application)
    assert (verdicts(infected), verdicts(clean)) == ([INFECTED, INFECTED], [CLEAN, CLEAN])
    assert {file.scan_signature for file in infected.files.all()} == {SIGNATURE}


def test_clamd_that_is_down_is_tried_again(two_files: Any, settings: Any, clamd: Clamd) -> None:
    url, settings.CLAMAV_URL = settings.CLAMAV_URL, NOBODY
    application = apply_with(two_files, b"CV", EICAR)
    (step,) = perform(application)
    assert (step.state, step.error_code) == (State.RETRYING, "scanner-unreachable")
    assert verdicts(application) == [WAITING, WAITING]
    settings.CLAMAV_URL = url
    Step.objects.filter(pk=step.pk).update(run_after=None)
    (step,) = perform(application)
    assert step.state == State.SUCCEEDED
    assert verdicts(application) == [CLEAN, INFECTED]


# ── Infected files ──────────────────────────────────────────────────────────────────────


def test_infected_file_is_told_once_to_the_applicant_and_to_each_hr_recipient(
    two_files: Any, scanner: Answers, sent: list[Any]
) -> None:
    scanner({b"CV": "Win.Evil", b"paper": "Win.Evil"})
    application = apply_with(
        two_files, b"CV", b"paper", recipients=("a@example.org", "b@example.org")
    )
    assert not {MAIL_INFECTED, MAIL_INFECTED_HR} & kinds_of(application)
    perform(application)
    assert {state_of(application, MAIL_INFECTED)} == {State.QUEUED}
    for kind in (MAIL_INFECTED, MAIL_INFECTED_HR):
        for _twice in range(2):
            perform(application, kind)
    assert sorted(mail.to for mail in sent) == [
        ["a@example.org"],
        ["b@example.org"],
        [application.email],
    ]
    assert len({mail.extra_headers["Message-ID"] for mail in sent}) == 3
    for mail in sent:
        for words in (mail.body, str(mail.alternatives[0][0])):
            assert "virus" in words
            assert "Your paper" in words
            assert application.reference in words
            # The file's name is the applicant's words, and the address is not confirmed.
            assert "secret-name" not in words
    (to_applicant,) = [mail for mail in sent if mail.to == [application.email]]
    assert application.receipt_secret in to_applicant.body
    assert all(application.receipt_secret not in m.body for m in sent if m is not to_applicant)


def test_clean_application_gets_no_mail_about_it(job: Any, scanner: Answers) -> None:
    application = apply_with(job)
    perform(application)
    assert not {MAIL_INFECTED, MAIL_INFECTED_HR} & kinds_of(application)


def test_mails_about_a_quarantined_application_wait_for_its_release(
    job: Any, scanner: Answers
) -> None:
    scanner({b"CV": "Win.Evil"})
    application = apply_with(job, suspicion="honeypot")
    perform(application)
    release_forgotten_waiters()
    assert state_of(application, MAIL_INFECTED) == State.WAITING
    application.refresh_from_db()
    actions.release_from_quarantine(application, people.otto())
    assert state_of(application, MAIL_INFECTED) == State.QUEUED


def test_infected_file_stays_locked_when_another_file_fails_for_good(
    two_files: Any, scanner: Answers
) -> None:
    scanner({b"CV": Permanent("scan-too-large", "Too large."), b"paper": "Win.Evil"})
    application = apply_with(two_files, b"CV", b"paper")
    (step,) = perform(application)
    assert (step.state, step.error_code) == (State.FAILED, "scan-too-large")
    assert verdicts(application) == [WAITING, INFECTED]
    # People hear of the infected file although the scan failed.
    assert state_of(application, MAIL_INFECTED) == State.QUEUED


def test_cancelled_scan_does_not_open_files(job: Any, scanner: Answers) -> None:
    application = apply_with(job)
    actions.cancel(Step.objects.get(kind=SCAN), people.otto())
    assert verdicts(application) == [WAITING]


def test_verdict_of_a_worker_that_lost_its_step_is_kept_and_told(
    job: Any, scanner: Answers
) -> None:
    scanner({b"CV": "Win.Evil"})
    application = apply_with(job)
    step = Step.objects.get(kind=SCAN)
    actions.cancel(step, people.otto())
    step.refresh_from_db()
    scan_files(step, lambda *_: None)
    assert verdicts(application) == [INFECTED]
    assert state_of(application, MAIL_INFECTED) == State.WAITING
    release_forgotten_waiters()
    assert state_of(application, MAIL_INFECTED) == State.QUEUED


# ── Errors ──────────────────────────────────────────────────────────────────────────────


def test_scan_continues_where_it_stopped(two_files: Any, scanner: Answers) -> None:
    scanner({b"paper": Transient("scanner-unreachable", "Down.")})
    application = apply_with(two_files, b"CV", b"paper")
    perform(application)
    assert verdicts(application) == [CLEAN, WAITING]
    scanner({b"paper": ""})
    Step.objects.filter(kind=SCAN).update(run_after=None)
    perform(application)
    assert verdicts(application) == [CLEAN, CLEAN]
    assert scanner() == [b"CV", b"paper", b"paper"]


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (Transient("scanner-unreachable", "Down."), State.RETRYING),
        (Misconfigured("scanner-address", "Wrong."), State.RETRYING),
        (Permanent("scan-too-large", "Large."), State.FAILED),
        (ValueError("a bug"), State.RETRYING),
    ],
)
def test_no_error_opens_a_file(
    job: Any, scanner: Answers, monkeypatch: pytest.MonkeyPatch, error: Exception, state: State
) -> None:
    def fail(content: bytes) -> str:
        raise error

    monkeypatch.setattr(scanning, "scan", fail)
    application = apply_with(job)
    perform(application)
    assert (state_of(application), verdicts(application)) == (state, [WAITING])


def test_scan_that_waits_when_the_scanner_is_removed_opens_the_files(
    two_files: Any, scanner: Answers, settings: Any
) -> None:
    scanner({b"CV": "Win.Evil", b"paper": Transient("scanner-unreachable", "Down.")})
    application = apply_with(two_files, b"CV", b"paper")
    perform(application)
    settings.CLAMAV_URL = ""
    Step.objects.filter(kind=SCAN).update(run_after=None)
    (step,) = perform(application)
    assert step.state == State.SUCCEEDED
    assert "No virus scanner" in step.events.last().reason
    # An infected file stays what it is.
    assert verdicts(application) == [INFECTED, NOT_SCANNED]


# ── Opening a file without a scan ───────────────────────────────────────────────────────


@pytest.fixture
def helen(job_index: Any) -> Any:
    return people.hanna(job_index, "helen", (*people.HR_RIGHTS, "open_unscanned"))


def failed_file(application: Any) -> ApplicationFile:
    StepFactory(application=application, kind=SCAN, failed=True)
    return ApplicationFileFactory(application=application, scan_verdict=WAITING)


def test_file_whose_scan_failed_is_opened_with_a_reason(application: Any, helen: Any) -> None:
    file = failed_file(application)
    assert open_unscanned.offered(file, helen)
    assert open_unscanned(file, helen, "They brought it on paper, too.")
    file.refresh_from_db()
    assert (file.scan_verdict, file.is_locked) == (OPENED, False)
    step = Step.objects.get(kind=SCAN)
    event = step.events.last()
    assert (event.actor, event.reason) == (
        f"user:{helen.pk}:helen",
        "They brought it on paper, too.",
    )
    assert (step.state, step.result) == (State.FAILED, {"opened": [str(file.public_id)]})
    # A second person, or a second click, changes nothing.
    assert not open_unscanned(file, helen, "Again.")
    assert step.events.last() == event


@pytest.mark.parametrize("who", ["otto", "hanna", "bob"])
def test_opening_needs_a_permission_of_its_own(application: Any, job_index: Any, who: str) -> None:
    file = failed_file(application)
    user = people.otto() if who == "otto" else getattr(people, who)(job_index)
    assert not open_unscanned.offered(file, user)
    with pytest.raises(PermissionDenied):
        open_unscanned(file, user, "Because.")


@pytest.mark.parametrize("verdict", [INFECTED, CLEAN, NOT_SCANNED])
def test_only_a_file_that_waits_can_be_opened(
    application: Any, helen: Any, verdict: ScanVerdict
) -> None:
    StepFactory(application=application, kind=SCAN, failed=True)
    file = ApplicationFileFactory(application=application, scan_verdict=verdict)
    assert not open_unscanned.offered(file, helen)
    assert not open_unscanned(file, helen, "Because.")
    file.refresh_from_db()
    assert file.scan_verdict == verdict


@pytest.mark.parametrize("state", ["queued", "started", "retrying"])
def test_file_is_not_opened_while_its_scan_is_under_way(
    application: Any, helen: Any, state: str
) -> None:
    StepFactory(application=application, kind=SCAN, **{state: True})
    file = ApplicationFileFactory(application=application, scan_verdict=WAITING)
    assert not open_unscanned(file, helen, "Because.")


def test_file_opened_by_a_person_is_locked_when_a_retry_finds_a_virus(
    application: Any, helen: Any, scanner: Answers
) -> None:
    file = failed_file(application)
    open_unscanned(file, helen, "Because.")
    scanner({bytes(file.stored.content): "Win.Evil"})
    step = Step.objects.get(kind=SCAN)
    actions.retry(step, people.otto())
    run(step.pk, owner="worker:1")
    assert verdicts(application) == [INFECTED]


# ── Scanning later ──────────────────────────────────────────────────────────────────────


def test_scan_files_scans_what_was_received_without_a_scanner(
    job: Any, scanner: Answers, settings: Any
) -> None:
    settings.CLAMAV_URL = ""
    application, without = apply_with(job), apply_for(job, uploads=())
    settings.CLAMAV_URL = NOBODY
    for _twice in range(2):
        call_command("scan_files", verbosity=0)
    assert state_of(application) == State.QUEUED
    assert SCAN not in kinds_of(without)
    # It can be opened meanwhile, as before.
    assert verdicts(application) == [NOT_SCANNED]
    perform(application)
    assert verdicts(application) == [CLEAN]
    call_command("scan_files", verbosity=0)
    assert state_of(application) == State.SUCCEEDED


def test_scan_files_with_a_reference_scans_again_after_a_false_alarm(
    job: Any, scanner: Answers
) -> None:
    scanner({b"CV": "Win.Evil"})
    application = apply_with(job)
    perform(application)
    call_command("scan_files", application.reference.lower(), verbosity=0)
    assert verdicts(application) == [WAITING]
    scanner({b"CV": ""})
    (_first, again) = perform(application)
    assert (again.sequence, again.state) == (1, State.SUCCEEDED)
    file = application.files.get()
    assert (file.scan_verdict, file.scan_signature) == (CLEAN, "")


def test_scan_files_without_scanner_or_with_unknown_reference_refuses(
    scanner: Answers, settings: Any
) -> None:
    with pytest.raises(CommandError, match="no application"):
        call_command("scan_files", "AAAA-AAAA")
    settings.CLAMAV_URL = ""
    with pytest.raises(CommandError, match="CLAMAV_URL"):
        call_command("scan_files")
