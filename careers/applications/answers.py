"""Answers in words, as the PDF, the receipt and HR's page show them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from careers.applications.frozen import Question
from careers.applications.models import Application, ApplicationFile
from careers.applications.question_types import type_of


@dataclass(frozen=True)
class Answer:
    """One question and its answer; without paragraphs and files there is no answer."""

    question: Question
    paragraphs: tuple[str, ...] = ()
    files: tuple[ApplicationFile, ...] = ()

    @property
    def label(self) -> str:
        return self.question.label


def readable(application: Application) -> list[Answer]:
    """Every question of the form in its order, with its answer as people read it.

    Dates, numbers and yes/no are in the active language.
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
        if type_of(question).is_asked
    ]


def in_words(question: Question, value: Any) -> list[str]:
    """A stored answer as paragraphs of text, in the active language."""
    return type_of(question).in_words(question, value)
