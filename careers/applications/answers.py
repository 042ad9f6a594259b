"""Answers in words: what the PDF, the receipt and HR's page all show."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from careers.applications.frozen import Question
from careers.applications.models import Application, ApplicationFile


@dataclass(frozen=True)
class Answer:
    """One question and what was answered; no paragraphs and no files means no answer."""

    question: Question
    paragraphs: tuple[str, ...] = ()
    files: tuple[ApplicationFile, ...] = ()

    @property
    def label(self) -> str:
        return self.question.label


def readable(application: Application) -> list[Answer]:
    """Every question of the form in its order, with its answer as people read it.

    Dates, numbers and yes/no are in the language that is active.
    """
    uploads: dict[str, list[ApplicationFile]] = {}
    for file in application.files.all():
        if file.question_key:
            uploads.setdefault(file.question_key, []).append(file)
    return [
        Answer(
            question=question,
            paragraphs=tuple(in_words(question, application.answers.get(question.key))),
            files=tuple(uploads.get(question.key, ())),
        )
        for question in application.frozen_form.questions
        if question.type != "note"
    ]


def in_words(question: Question, value: Any) -> list[str]:
    """An answer as it is stored (by key) as paragraphs of text."""
    if value is None or value == "" or value == []:
        return []
    match question.type:
        case "single_choice":
            return [question.option_label(value)]
        case "multiple_choice":
            return [question.option_label(key) for key in value]
        case "yes_no":
            return [_("Yes") if value else _("No")]
        case "consent":
            return [_("Agreed") if value else _("Not agreed")]
        case "date":
            return [formats.date_format(dt.date.fromisoformat(value), "DATE_FORMAT")]
        case "number":
            return [formats.number_format(Decimal(value), force_grouping=True)]
        case "file":
            return []
        case _:
            return [line.strip() for line in str(value).splitlines() if line.strip()]
