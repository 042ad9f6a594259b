"""The content of the document, as plain data without any layout."""

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
from home.values import mail_address

if TYPE_CHECKING:
    from careers.applications.answers import Answer
    from careers.applications.models import Application

#: A label and its value.
Fact = tuple[str, str]


@dataclass(frozen=True)
class Branding:
    """The branding of the company.

    Attributes:
        company: its name.
        colour: the accent colour, as ``#rrggbb``.
        logo: a raster image. Without one, the document shows the name.
        logo_type: the media type of the logo.
    """

    company: str
    colour: str
    logo: bytes | None = None
    logo_type: str = ""


@dataclass(frozen=True)
class AnswerText:
    """One question and its answer in words.

    Attributes:
        paragraphs: empty when the question has no answer.
        help: the hint that the form showed.
        is_list: whether each paragraph is an item of a list.
    """

    label: str
    paragraphs: tuple[str, ...] = ()
    help: str = ""
    is_list: bool = False


@dataclass(frozen=True)
class FileLine:
    """One file that the applicant sent, with its checksum."""

    name: str
    kind: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ApplicationDocument:
    """The content of one application's PDF.

    Attributes:
        language: the language of the document's own words. Labels and answers are not translated.
        received_at: an aware datetime.
        time_zone: the IANA name of the zone in which ``received_at`` is shown.
        applicant: name and contact details of the applicant.
        job: the facts that the job page showed.
        contact: the person at the company to ask; empty when there is none.
        is_test: whether it is a test application.
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
        """SHA-256 of the content in hexadecimal, without the branding."""
        content = asdict(self)
        del content["branding"]
        content["company"] = self.branding.company
        text = json.dumps(content, ensure_ascii=True, sort_keys=True, default=_as_text)
        return hashlib.sha256(text.encode()).hexdigest()


def document_for(application: Application, branding: Branding) -> ApplicationDocument:
    """Collect the content of an application's document, in the application's language.

    Args:
        application: a stored application. Its PDF and manifest are left out.
        branding: the name, colour and logo of the company.

    Returns:
        The same data on each call, so that the document can be made again.
    """
    # This package may be imported before Django has loaded its apps; models may not.
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
                    (labels.get(EMAIL) or _("E-mail"), mail_address.for_people(application.email)),
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
    """Whether it is shown among the answers. The others are shown as facts or files."""
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

    made_by_us = (FileKind.PDF, FileKind.MANIFEST)
    return tuple(
        FileLine(
            name=file.filename,
            kind=labels.get(file.question_key) or str(file.get_kind_display()),
            size=file.size,
            sha256=file.sha256,
        )
        for file in application.files.all()
        if file.kind not in made_by_us
    )


def _as_text(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    raise TypeError(f"{type(value).__name__} cannot be part of a document")
