"""``manage.py apply_demo``: apply through the real form, as a browser does, and watch the steps."""

from __future__ import annotations

import http.client
import secrets
import sys
import time
import uuid
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from careers.applications.frozen import EMAIL, NAME, Question
from careers.applications.models import Application
from careers.applications.question_types import type_of
from careers.forms.builder import field_name
from careers.forms.types import field_type
from careers.intake import velocity
from careers.jobs.models import JobPage
from careers.pipeline import registry
from careers.pipeline.actions import release_from_quarantine
from careers.pipeline.acts import Doing
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import UNDER_WAY, State

NAMES = ("Ada Nwosu", "Bjørn Åsen", "Chloé Lefèvre", "Diego Peña", "Elif Şahin", "Fionn O’Shea")


class Command(BaseCommand):
    help = (
        "Send real applications to the running site. Exit 0: every step succeeded; "
        "1: a step did not succeed in time; 2: the site cannot be reached."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--count", type=int, default=1, help="how many applications")
        parser.add_argument("--watch", action="store_true", help="print each step's timeline")
        parser.add_argument(
            "--timeout", type=float, default=120, help="seconds to wait for the steps"
        )
        parser.add_argument("--job", help="slug of the job; the first open one by default")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["count"] < 1:
            raise CommandError("--count must be at least 1.")
        # A job and its translations share a slug. The original comes first in the tree.
        jobs = JobPage.objects.open().order_by("path")
        job = jobs.filter(slug=options["job"]).first() if options["job"] else jobs.first()
        if job is None:
            raise CommandError("No such job is open. Publish one, or run seed_demo.")
        applications = []
        for number in range(options["count"]):
            name = f"{NAMES[number % len(NAMES)]} {secrets.token_hex(2)}"
            applications.append(self._apply(job, name))
        if options["watch"]:
            ended = self._watch(applications, options["timeout"])
        else:
            ended = self._wait(applications, options["timeout"])
        sys.exit(0 if ended else 1)

    def _apply(self, job: JobPage, name: str) -> Application:
        fields = {
            field_name(question.key): answer
            for question in job.frozen_form().questions
            if (answer := _answer(question, name)) is not None
        }
        status, headers = self._post(job.apply_url, fields)
        secret = headers.get("Location", "").rstrip("/").rpartition("/")[2]
        application = Application.objects.filter(receipt_secret=secret).first()
        if status != 303 or application is None:
            self.stderr.write(f"The site answered {status} and gave no receipt.")
            sys.exit(1)
        self.stdout.write(f"{application.reference}  receipt shown, for {job.title}")
        if application.quarantine_reason in (velocity.NETWORK, velocity.JOB):
            self._release(application)
        return application

    def _release(self, application: Application) -> None:
        """Release an application that came too fast, as an operator would: it is no flood."""
        act = release_from_quarantine
        act.do(application, Doing("apply_demo", "Sent by manage.py apply_demo.", act.allowed))
        self.stdout.write(
            f"{application.reference}  quarantined ({application.quarantine_reason}), and released"
        )

    def _post(self, path: str, fields: dict[str, Any]) -> tuple[int, dict[str, str]]:
        boundary = uuid.uuid4().hex
        body = _multipart(fields, boundary)
        site = urlsplit(settings.SITE_URL)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Origin": settings.SITE_URL,
        }
        connect = http.client.HTTPSConnection if settings.SECURE else http.client.HTTPConnection
        connection = connect(site.hostname or "localhost", site.port, timeout=30)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            response.read()
            return response.status, dict(response.getheaders())
        except OSError as error:
            self.stderr.write(
                f"The site cannot be reached at {settings.SITE_URL}: {error}. Start it with "
                "bin/run. If it runs on another port, set PORT or SITE_URL to the same value."
            )
            sys.exit(2)
        finally:
            connection.close()

    def _wait(self, applications: list[Application], timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        steps = Step.objects.filter(application__in=applications)
        while steps.filter(state__in=UNDER_WAY).exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        done = steps.filter(state=State.SUCCEEDED).count()
        self.stdout.write(f"{done} of {steps.count()} steps succeeded.")
        return done == steps.count()

    def _watch(self, applications: list[Application], timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        seen = 0
        steps = Step.objects.filter(application__in=applications)
        references: dict[int | None, str] = {
            application.pk: application.reference for application in applications
        }
        start = min(application.received_at for application in applications)
        while True:
            open_steps = steps.filter(state__in=UNDER_WAY).exists()
            events = StepEvent.objects.filter(step__in=steps, pk__gt=seen).select_related("step")
            for event in events.order_by("pk"):
                seen = event.pk
                after = (event.at - start).total_seconds()
                words = registry.label_of(event.step.kind)
                self.stdout.write(
                    f"{references[event.step.application_id]}  {after:7.2f} s  {words:<26}"
                    f"{State(event.to_state).label}{f'  ({event.reason})' if event.reason else ''}"
                )
            if not open_steps or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        return self._wait(applications, 0)


def _answer(question: Question, name: str) -> Any:
    """What a demo applicant sends for a question; None leaves it empty."""
    if type_of(question).is_file:
        return ("Curriculum vitæ.pdf", curriculum_vitae(name)) if question.required else None
    if question.key == NAME:
        return name
    if question.key == EMAIL:
        local = "".join(c for c in name.lower() if c.isascii() and c.isalnum())
        return f"{local}@example.org"
    return field_type(question).example(question)


def curriculum_vitae(name: str) -> bytes:
    """A real, small PDF with a person's name in it."""
    title = f"\ufeffCurriculum vitæ of {name}".encode("utf-16-be").hex()
    objects = (
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>>>",
        f"<</Title<{title}>>>",
    )
    content, offsets = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, start=1):
        offsets.append(len(content))
        content += f"{number} 0 obj{text}endobj\n".encode()
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    return (
        content
        + (
            f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
            f"trailer<</Size {len(objects) + 1}/Root 1 0 R/Info 4 0 R>>\n"
            f"startxref\n{len(content)}\n%%EOF\n"
        ).encode()
    )


def _multipart(fields: dict[str, Any], boundary: str) -> bytes:
    """A form as browsers send it (RFC 7578)."""
    parts: list[bytes] = []
    for name, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, tuple):
                filename, content = item
                head = (
                    f'Content-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
                    "Content-Type: application/pdf\r\n"
                )
            else:
                content = str(item).encode()
                head = f'Content-Disposition: form-data; name="{name}"\r\n'
            parts.append(f"--{boundary}\r\n{head}\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode()
