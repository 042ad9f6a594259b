"""What the document says, as plain data: nothing here knows how it will look."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.utils import translation
from django.utils.translation import gettext as _

from careers.applications.frozen import COVER_LETTER, CV, EMAIL, NAME, PHONE
from careers.applications.question_types import type_of

if TYPE_CHECKING:
    from careers.applications.answers import Answer
    from careers.applications.models import Application

#: A label and what stands beside it.
Fact = tuple[str, str]


@dataclass(frozen=True)
class Branding:
    """How the company shows itself.

    Attributes:
        company: its name.
        colour: the accent, as ``#rrggbb``.
        logo: a raster image, or none; then the name stands in its place.
        logo_type: its media type.
    """

    company: str
    colour: str
    logo: bytes | None = None
    logo_type: str = ""


@dataclass(frozen=True)
class AnswerText:
    """One question and its answer in words.

    Attributes:
        paragraphs: none means that the question was left empty.
        help: what stood beside the question.
        is_list: whether each paragraph is one of several choices.
    """

    label: str
    paragraphs: tuple[str, ...] = ()
    help: str = ""
    is_list: bool = False


@dataclass(frozen=True)
class FileLine:
    """One file that came with the application, and the checksum that proves it."""

    name: str
    kind: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ApplicationDocument:
    """One application as it is to be printed.

    Attributes:
        language: of the words that are ours; labels and answers come as they are.
        received_at: aware.
        time_zone: the IANA name of the zone in which ``received_at`` is told.
        applicant: how to reach the person.
        job: what the job page said about the job.
        contact: whom to ask about this application; empty for nobody.
        is_test: whether it must not be taken for a real application.
    """

    branding: Branding
    language: str
    reference: str
    job_title: str
    name: str
    received_at: dt.datetime
    time_zone: str
    applicant: tuple[Fact, ...] = ()
    job: tuple[Fact, ...] = ()
    answers: tuple[AnswerText, ...] = ()
    files: tuple[FileLine, ...] = ()
    contact: str = ""
    is_test: bool = False

    @property
    def digest(self) -> str:
        """SHA-256 of all that is said, in hexadecimal; how it looks does not count."""
        said = asdict(self)
        del said["branding"]
        said["company"] = self.branding.company
        text = json.dumps(said, ensure_ascii=True, sort_keys=True, default=_as_text)
        return hashlib.sha256(text.encode()).hexdigest()


def document_for(application: Application, branding: Branding) -> ApplicationDocument:
    """Gather what an application's document says, in the language of the application.

    Args:
        application: as it is stored; files that we made of it (PDF, manifest) do not count.
        branding: how the company shows itself.

    Returns:
        The same data whenever it is called, so that the document can be made again.
    """
    # Models cannot be imported before Django has loaded its apps; this package can.
    from careers.applications.answers import readable

    form = application.frozen_form
    with translation.override(application.language):
        answers = readable(application)
        labels = {answer.question.key: answer.label for answer in answers}
        contact = " · ".join(filter(None, (form.contact_name, form.contact_email)))
        return ApplicationDocument(
            branding=branding,
            language=application.language,
            reference=application.reference,
            job_title=form.job_title,
            name=application.name,
            received_at=application.received_at,
            time_zone=form.time_zone,
            applicant=tuple(
                (label, value)
                for label, value in (
                    (labels.get(NAME) or _("Name"), application.name),
                    (labels.get(EMAIL) or _("E-mail"), application.email),
                    (labels.get(PHONE) or _("Phone"), application.phone),
                )
                if value
            ),
            job=tuple(form.facts),
            answers=tuple(map(_answer, filter(_is_answer, answers))),
            files=_files(application, labels),
            contact=contact,
            is_test=application.is_test,
        )


def _is_answer(answer: Answer) -> bool:
    """Whether it belongs among the answers: the rest stands above or among the files."""
    return answer.question.key not in (NAME, EMAIL, PHONE, CV, COVER_LETTER)


def _answer(answer: Answer) -> AnswerText:
    names = tuple(file.filename for file in answer.files)
    return AnswerText(
        label=answer.label,
        paragraphs=(*answer.paragraphs, *names),
        help=answer.question.help,
        is_list=type_of(answer.question).is_list or len(names) > 1,
    )


def _files(application: Application, labels: dict[str, str]) -> tuple[FileLine, ...]:
    from careers.applications.models import FileKind

    ours = (FileKind.PDF, FileKind.MANIFEST)
    return tuple(
        FileLine(
            name=file.filename,
            kind=labels.get(file.question_key) or str(file.get_kind_display()),
            size=file.size,
            sha256=file.sha256,
        )
        for file in application.files.all()
        if file.kind not in ours
    )


def _as_text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    raise TypeError(f"{type(value).__name__} has no place in a document")
