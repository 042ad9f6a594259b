"""Fill in a job's form and send it, as a browser does."""

from __future__ import annotations

import functools
import hashlib
import re
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse, QueryDict
from django.test import Client
from django.utils.datastructures import MultiValueDict

from careers.applications.files import Upload
from careers.applications.models import Application
from careers.forms.builder import ApplicationForm
from careers.forms.uploads import ReceivedFile
from careers.intake.submit import Submission, submit
from careers.jobs.models import JobPage
from tests.support.papers import make_cv

JANE = "Jane Miller"
ADDRESS = "jane@example.org"
#: Keys as two browsers make them.
OWN_KEY, OTHER_KEY = "0a" * 16, "0b" * 16


def ask(
    kind: str,
    label: str,
    *,
    key: str,
    required: bool = False,
    help_text: str = "",
    options: dict[str, str] | None = None,
) -> dict[str, Any]:
    """A question as StreamField data; ``options`` are labels by key."""
    value: dict[str, Any] = {"label": label, "help_text": help_text}
    if kind != "note":
        value["required"] = required
    if options is not None:
        value["options"] = [
            {"type": "item", "id": option_key, "value": text}
            for option_key, text in options.items()
        ]
    return {"type": kind, "id": key, "value": value}


@functools.cache
def the_cv() -> bytes:
    return make_cv()


def pdf(content: bytes | None = None, name: str = "cv.pdf") -> SimpleUploadedFile:
    """A file as the test client sends it."""
    return SimpleUploadedFile(name, the_cv() if content is None else content, "application/pdf")


def received(content: bytes, name: str = "cv.pdf", size: int | None = None) -> ReceivedFile:
    """A file as it comes out of the upload handler."""
    file = ReceivedFile(name, content, "application/pdf")
    file.true_size = len(content) if size is None else size
    return file


def filled_in(**changes: Any) -> dict[str, Any]:
    """What a form that asks for the least needs; None takes a field away."""
    data = {"name": JANE, "email": ADDRESS, "cv": pdf(), **changes}
    return {name: value for name, value in data.items() if value is not None}


def send(client: Client, job: JobPage, **changes: Any) -> HttpResponse:
    """Post the form of a job from its own page."""
    return client.post(job.apply_url, filled_in(**changes), headers={"origin": settings.SITE_URL})


def kept_token(response: HttpResponse, field: str = "cv") -> str:
    """The token of a kept file, as the page holds it."""
    found = re.search(f'name="kept-{field}" value="([^"]+)"', response.content.decode())
    assert found, "the page holds no kept file"
    return found.group(1)


def confirm_token(response: HttpResponse) -> str:
    found = re.search('name="confirm" value="([^"]+)"', response.content.decode())
    assert found, "the page asks for no confirmation"
    return found.group(1)


def submission(job: JobPage, **changes: Any) -> Submission:
    """A valid form as ``submit`` takes it."""
    answers = {"name": JANE, "email": ADDRESS, "phone": "", **changes.pop("answers", {})}
    content = the_cv()
    form = job.frozen_form()
    cv = Upload(
        question_key="cv",
        filename="cv.pdf",
        content_type="application/pdf",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
    )
    given: dict[str, Any] = {
        "page_id": job.pk,
        "job_key": job.job_key,
        "revision_id": job.live_revision_id,
        "form": form,
        "answers": answers,
        "uploads": (cv,),
        "recipients": ("hr@example.org",),
        "sender_key": OWN_KEY,
        **changes,
    }
    return Submission(**given)


def apply_for(job: JobPage, **changes: Any) -> Application:
    """An application that ``submit`` created."""
    return submit(submission(job, **changes))


def bound(job: JobPage, **changes: Any) -> ApplicationForm:
    """The form of a job with entered values; files are ``ReceivedFile``."""
    data, files = QueryDict(mutable=True), MultiValueDict[str, Any]()
    entered = {"name": JANE, "email": ADDRESS, "cv": received(the_cv()), **changes}
    for name, value in entered.items():
        if value is None:
            continue
        values = value if isinstance(value, list) else [value]
        (files if isinstance(values[0], ReceivedFile) else data).setlist(name, values)
    return ApplicationForm(job.frozen_form(), job_key=job.job_key, data=data, files=files)
