"""Objects in the database, shared by all tests. Traits name their important facts."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory
from wagtail.models import Locale, Page, Site
from wagtail_factories import PageFactory

from careers.applications.files import store_file
from careers.applications.models import (
    Application,
    ApplicationFile,
    ConsentRecord,
    FileBytes,
    FileKind,
)
from careers.intake.velocity import NETWORK
from careers.jobs.models import JobIndexPage, JobPage
from careers.operations.models import Heartbeat
from careers.pipeline.enqueue import create_steps
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, MAIL_OPERATORS, RENDER_PDF
from careers.pipeline.models import Alert, AlertKind, Step, StepEvent
from careers.pipeline.states import ErrorClass, Phase, State
from careers.pipeline.transitions import db_now
from careers.search.applications import index_person
from home.models import HomePage

#: The smallest thing that every reader takes for a PDF.
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def root_page() -> Page:
    """The root of all pages, made anew where a test has emptied the database."""
    # Transactional tests leave a database without what Wagtail's migrations put there.
    Locale.objects.get_or_create(language_code="en")
    return Page.objects.filter(depth=1).first() or Page.add_root(instance=Page(title="Root"))


class HomePageFactory(PageFactory):
    """A home page below the root; ``as_site=True`` also makes it the default site's."""

    title = factory.Sequence(lambda n: f"Home {n}")
    hero_title = "We make clocks that tell the truth."
    parent = factory.LazyFunction(root_page)

    class Meta:
        model = HomePage
        skip_postgeneration_save = True

    @factory.post_generation
    def as_site(self: HomePage, create: bool, extracted: Any, **_kwargs: Any) -> None:
        if create and extracted:
            Site.objects.update_or_create(
                is_default_site=True, defaults={"hostname": "localhost", "root_page": self}
            )


class JobIndexPageFactory(PageFactory):
    """A list of jobs below a home page of its own, unless ``parent`` is given."""

    title = factory.Sequence(lambda n: f"Jobs {n}")
    hr_recipients = "hr@example.com"
    parent = factory.SubFactory(HomePageFactory)

    class Meta:
        model = JobIndexPage


class JobPageFactory(PageFactory):
    """An open job; each one in a part of the tree of its own, unless ``parent`` is given."""

    title = factory.Sequence(lambda n: f"Clockmaker {n}")
    summary = "Build and mend movements."
    parent = factory.SubFactory(JobIndexPageFactory)

    class Meta:
        model = JobPage

    class Params:
        closed = factory.Trait(
            closes_at=factory.LazyFunction(lambda: timezone.now() - dt.timedelta(days=1))
        )


#: The steps of every application.
APPLICATION_STEPS = [RENDER_PDF, ARCHIVE, MAIL_APPLICANT, MAIL_HR]


class ApplicationFactory(DjangoModelFactory):
    """An application by Jane Miller, with no files and no steps.

    Traits: ``test``, ``in_quarantine``; ``with_files`` adds a CV and the PDF, ``with_steps``
    the four steps, all done.
    """

    page = factory.SubFactory(JobPageFactory)
    job_key = factory.LazyAttribute(lambda o: o.page.translation_key)
    language = "en"
    form = factory.LazyAttribute(lambda o: o.page.frozen_form().to_json())
    name = "Jane Miller"
    email = factory.Sequence(lambda n: f"jane{n}@example.com")
    answers = factory.LazyAttribute(lambda o: {"name": o.name, "email": o.email})
    fingerprint = factory.LazyFunction(lambda: uuid.uuid4().hex * 2)
    received_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(minutes=2))

    class Meta:
        model = Application
        skip_postgeneration_save = True

    class Params:
        test = factory.Trait(is_test=True)
        in_quarantine = factory.Trait(quarantined=True, quarantine_reason="links")

    @factory.post_generation
    def with_terms(self: Application, create: bool, extracted: Any, **_kwargs: Any) -> None:
        if create:
            index_person(self)  # as intake does

    @factory.post_generation
    def with_files(self: Application, create: bool, extracted: Any, **_kwargs: Any) -> None:
        if create and extracted:
            ApplicationFileFactory(application=self, kind=FileKind.CV, filename="cv.pdf")
            ApplicationFileFactory(
                application=self, kind=FileKind.PDF, filename=f"{self.reference}.pdf"
            )

    @factory.post_generation
    def with_steps(self: Application, create: bool, extracted: Any, **_kwargs: Any) -> None:
        if create and extracted:
            for kind in APPLICATION_STEPS:
                recipient = "hr@example.com" if kind == MAIL_HR else ""
                StepFactory(application=self, kind=kind, recipient=recipient, succeeded=True)

    @factory.post_generation
    def with_consent(self: Application, create: bool, extracted: Any, **_kwargs: Any) -> None:
        if create and extracted:
            ConsentRecord.objects.create(
                application=self,
                purpose="privacy_notice",
                text="We keep your data for six months.",
                given=True,
                at=self.received_at,
            )


class ApplicationFileFactory(DjangoModelFactory):
    """A file with its bytes in the database; ``archived`` moves them to an object key."""

    application = factory.SubFactory(ApplicationFactory)
    kind = FileKind.CV
    question_key = factory.LazyAttribute(
        lambda o: o.kind if o.kind in (FileKind.CV, FileKind.COVER_LETTER) else ""
    )
    filename = "cv.pdf"
    content_type = "application/pdf"
    content = factory.Sequence(lambda n: PDF + str(n).encode())
    archived = False

    class Meta:
        model = ApplicationFile

    @classmethod
    def _create(cls, model_class: type, *args: Any, **kwargs: Any) -> ApplicationFile:
        archived, verdict = kwargs.pop("archived"), kwargs.pop("scan_verdict", "not_scanned")
        application = kwargs.pop("application")
        file = store_file(application, scan_verdict=verdict, **kwargs)
        if archived:
            key = f"applications/{application.public_id}/{file.kind}-{file.sha256}.pdf"
            ApplicationFile.objects.filter(pk=file.pk).update(
                object_key=key, verified_at=timezone.now()
            )
            FileBytes.objects.filter(file=file).delete()
            file.refresh_from_db()
        return file


class AlertFactory(DjangoModelFactory):
    """An alert that was mailed to operators, without the steps of its mails."""

    kind = AlertKind.PROBLEM
    key = factory.Sequence(lambda n: f"alert.no-worker.20261122T1953{n:02d}")
    code = "no-worker"
    facts = factory.LazyFunction(
        lambda: {
            "message": "No worker is running. Applications are stored and safe.",
            "cause": "",
            "action": "Start the workers. They then do the waiting work.",
            "path": "/admin/tasks/",
            "since": (timezone.now() - dt.timedelta(minutes=5)).isoformat(),
        }
    )
    created_at = factory.LazyFunction(lambda: timezone.now() - dt.timedelta(minutes=5))
    mailed_at = factory.LazyAttribute(lambda o: o.created_at + dt.timedelta(minutes=2))

    class Meta:
        model = Alert


class StepFactory(DjangoModelFactory):
    """A step with the history that leads to its state.

    Traits, one for each state: ``queued``, ``sent``, ``started``, ``retrying``,
    ``misconfigured`` (retrying without success), ``succeeded``, ``failed``, ``uncertain``,
    ``cancelled``; ``waiting`` without any. ``to_operators`` makes it a mail about an alert.
    """

    application = factory.SubFactory(ApplicationFactory)
    kind = ARCHIVE
    state = State.WAITING
    created_at = factory.LazyAttribute(
        lambda o: o.application.received_at if o.application else o.alert.created_at
    )
    state_since = factory.LazyAttribute(lambda o: o.created_at + dt.timedelta(seconds=40))
    ready_at = factory.LazyAttribute(
        lambda o: None if o.state == State.WAITING else (o.run_after or o.state_since)
    )
    run_after = None
    celery_task_id = factory.LazyAttribute(
        lambda o: "" if o.state in (State.WAITING, State.QUEUED) else str(uuid.uuid4())
    )

    class Meta:
        model = Step
        skip_postgeneration_save = True

    class Params:
        queued = factory.Trait(state=State.QUEUED)
        sent = factory.Trait(
            state=State.SENT, dispatches=1, dispatched_at=factory.LazyFunction(timezone.now)
        )
        started = factory.Trait(
            state=State.STARTED,
            attempts=1,
            token=1,
            owner="worker:1a2b3c4d",
            started_at=factory.LazyAttribute(lambda o: o.state_since),
            lease_until=factory.LazyFunction(lambda: timezone.now() + dt.timedelta(seconds=180)),
        )
        retrying = factory.Trait(
            state=State.RETRYING,
            attempts=2,
            token=2,
            run_after=factory.LazyFunction(lambda: timezone.now() + dt.timedelta(minutes=10)),
            failing_since=factory.LazyAttribute(lambda o: o.created_at),
            error_class=ErrorClass.TRANSIENT,
            error_code="archive-unavailable",
            error_public="The archive (S3) did not answer. The site tries again.",
        )
        misconfigured = factory.Trait(
            state=State.RETRYING,
            attempts=4,
            token=4,
            run_after=factory.LazyFunction(lambda: timezone.now() + dt.timedelta(minutes=10)),
            failing_since=factory.LazyAttribute(lambda o: o.created_at),
            error_class=ErrorClass.CONFIGURATION,
            error_code="archive-key",
            error_public=(
                "The archive (S3) refused the access key. Check AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            ),
        )
        succeeded = factory.Trait(
            state=State.SUCCEEDED,
            attempts=1,
            token=1,
            started_at=factory.LazyAttribute(lambda o: o.created_at + dt.timedelta(seconds=1)),
            ended_at=factory.LazyAttribute(lambda o: o.state_since),
        )
        failed = factory.Trait(
            state=State.FAILED,
            attempts=5,
            token=5,
            ended_at=factory.LazyAttribute(lambda o: o.state_since),
            failing_since=factory.LazyAttribute(lambda o: o.created_at),
            error_class=ErrorClass.UNKNOWN,
            error_code="ValueError",
            error_public="An unexpected error occurred (ValueError).",
        )
        uncertain = factory.Trait(
            kind=MAIL_APPLICANT,
            state=State.UNCERTAIN,
            attempts=1,
            token=1,
            phase=Phase.DATA,
            ended_at=factory.LazyAttribute(lambda o: o.state_since),
            error_class=ErrorClass.UNKNOWN,
            error_code="worker-lost",
            error_public=(
                "The worker was lost after it had passed the mail to the mail server. "
                "The mail may have arrived. Ask the recipient, then choose “It arrived” or "
                "“Send again”."
            ),
        )
        to_operators = factory.Trait(
            application=None,
            alert=factory.SubFactory(AlertFactory),
            kind=MAIL_OPERATORS,
            recipient="ops@example.com",
        )
        cancelled = factory.Trait(
            state=State.CANCELLED, ended_at=factory.LazyAttribute(lambda o: o.state_since)
        )

    @factory.post_generation
    def events(self: Step, create: bool, extracted: Any, **_kwargs: Any) -> None:
        if create and extracted is not False:
            write_history(self)


#: The way into each state; every pair is (state, the actor of the change).
HISTORIES: dict[str, list[tuple[State, str]]] = {
    State.WAITING: [],
    State.QUEUED: [(State.QUEUED, "worker:1a2b3c4d")],
    State.SENT: [(State.QUEUED, "worker:1a2b3c4d"), (State.SENT, "worker:1a2b3c4d")],
    State.STARTED: [
        (State.QUEUED, "worker:1a2b3c4d"),
        (State.SENT, "worker:1a2b3c4d"),
        (State.STARTED, "worker:1a2b3c4d"),
    ],
}
for _state in (
    State.RETRYING,
    State.SUCCEEDED,
    State.FAILED,
    State.UNCERTAIN,
    State.CANCELLED,
):
    HISTORIES[_state] = [*HISTORIES[State.STARTED], (_state, "worker:1a2b3c4d")]


def write_history(step: Step) -> None:
    """Events that end in the step's state, one attempt for each that it counts."""
    path = [(State.WAITING, "intake"), *HISTORIES[step.state]]
    if step.state in (State.RETRYING, State.FAILED) and step.attempts > 1:
        loop = [(State.RETRYING, "worker:1a2b3c4d"), (State.STARTED, "worker:5e6f7a8b")]
        path = [*path[:-1], *(loop * (step.attempts - 1)), path[-1]]
    length = (step.state_since - step.created_at) / max(1, len(path) - 1)
    before, attempt = "", 0
    for number, (state, actor) in enumerate(path):
        attempt += state == State.STARTED
        is_last = number == len(path) - 1
        StepEvent.objects.create(
            step=step,
            at=step.created_at + length * number,
            attempt=attempt,
            from_state=before,
            to_state=state,
            actor=actor,
            reason=step.error_public if is_last or state == State.RETRYING else "",
            traceback="careers/archive/store.py:12 in put\nValueError"
            if is_last and step.error_class == ErrorClass.UNKNOWN
            else "",
        )
        before = state


class HeartbeatFactory(DjangoModelFactory):
    """A worker that serves both queues and was seen just now.

    ``sweeper`` and ``scheduler`` make it one.
    """

    kind = Heartbeat.Kind.WORKER
    name = factory.Sequence(lambda n: f"worker{n}@host")
    queues = "cpu,io"
    started_at = factory.LazyFunction(timezone.now)
    seen_at = factory.LazyFunction(timezone.now)

    class Meta:
        model = Heartbeat

    class Params:
        scheduler = factory.Trait(kind=Heartbeat.Kind.SCHEDULER, name="beat", queues="")
        sweeper = factory.Trait(kind=Heartbeat.Kind.SWEEPER, queues="", facts={"broker_error": ""})


def quarantined_flood(page: JobPage, number: int = 3, network: str = "office") -> list[Application]:
    """Applications from one network, which the rate of the network quarantined."""
    made = []
    for _ in range(number):
        application = ApplicationFactory(
            page=page, quarantined=True, quarantine_reason=NETWORK, network=network
        )
        create_steps(application, ["hr@example.org"], at=db_now())
        made.append(application)
    return made
