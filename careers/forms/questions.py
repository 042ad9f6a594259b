"""The list of questions that one form asks, made from HR's settings and custom questions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from careers.applications.frozen import COVER_LETTER as COVER_LETTER_KEY
from careers.applications.frozen import CV, EMAIL, NAME, PHONE, Option, Question
from careers.forms.types import field_type
from home.values.text import title


class Asked(models.TextChoices):
    """Whether a form asks a standard question."""

    REQUIRED = "required", gettext_lazy("Required")
    OPTIONAL = "optional", gettext_lazy("Optional")
    OFF = "off", gettext_lazy("Not asked")


def questions_for(*, phone: str, cv: str, cover_letter: str, custom: Any) -> tuple[Question, ...]:
    """Everything that a form asks, in order, in the active language.

    Args:
        phone, cv, cover_letter: values of ``Asked``.
        custom: the value of the page's ``QuestionsField``.
    """
    asked = [
        Question(NAME, "name", _("Full name"), required=True),
        Question(EMAIL, "email", _("E-mail address"), _("We send the receipt there."), True),
    ]
    if phone != Asked.OFF:
        asked.append(
            Question(
                PHONE,
                "phone",
                _("Phone number"),
                _("With the country code if it is not a local number."),
                phone == Asked.REQUIRED,
            )
        )
    if cv != Asked.OFF:
        asked.append(Question(CV, "file", _("CV"), "", cv == Asked.REQUIRED))
    if cover_letter != Asked.OFF:
        required = cover_letter == Asked.REQUIRED
        asked.append(Question(COVER_LETTER_KEY, "file", _("Cover letter"), "", required))
    return (*asked, *(custom_question(child) for child in custom))


def custom_question(child: Any) -> Question:
    """A question that HR added.

    Args:
        child: a block of the value of the page's ``QuestionsField``.
    """
    value = child.value
    options = value.get("options")
    question = Question(
        key=str(child.id),
        type=child.block_type,
        # An earlier release accepted labels and options that nobody sees.
        label=title(value["label"]) or _("Question"),
        help=value.get("help_text") or "",
        required=bool(value.get("required")),
        options=tuple(
            Option(str(item.id), title(item.value) or _("Option %(number)d") % {"number": number})
            for number, item in enumerate(options.bound_blocks if options is not None else (), 1)
        ),
    )
    return replace(question, settings=field_type(question).settings(value))
