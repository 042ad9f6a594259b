"""What the application form of a job asks."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy
from wagtail.fields import RichTextField

from careers.applications.frozen import Question
from careers.applications.question_types import type_of
from careers.forms.questions import Asked, questions_for
from careers.forms.questions_field import QuestionsField
from home.blocks import TEXT_FEATURES


class FormFields(models.Model):
    """The application form of a job, as fields of its page."""

    privacy_notice = RichTextField(
        gettext_lazy("privacy notice"),
        blank=True,
        features=TEXT_FEATURES,
        help_text=gettext_lazy(
            "If left empty, the notice of the list of jobs or of the company is shown."
        ),
    )
    ask_phone = models.CharField(
        gettext_lazy("phone number"),
        max_length=8,
        choices=Asked.choices,
        default=Asked.OPTIONAL,
    )
    ask_cv = models.CharField(
        gettext_lazy("CV"), max_length=8, choices=Asked.choices, default=Asked.REQUIRED
    )
    ask_cover_letter = models.CharField(
        gettext_lazy("cover letter"), max_length=8, choices=Asked.choices, default=Asked.OFF
    )
    questions = QuestionsField(verbose_name=gettext_lazy("custom questions"), blank=True)

    class Meta:
        abstract = True

    # The page class provides these.
    company: Any
    locale: Any
    get_parent: Any

    def asked(self) -> tuple[Question, ...]:
        """Everything that the form asks, in order, in the active language."""
        return questions_for(
            phone=self.ask_phone,
            cv=self.ask_cv,
            cover_letter=self.ask_cover_letter,
            custom=self.questions,
        )

    @property
    def minutes(self) -> int:
        """About how many minutes it takes to fill in the form."""
        total = sum(type_of(question).minutes for question in self.asked())
        return max(2, round(total + 1))

    def notice(self) -> str:
        """The privacy notice of this job, as rich text."""
        parent = self.get_parent().specific
        return (
            self.privacy_notice
            or getattr(parent, "privacy_notice", "")
            or self.company.notice_in(self.locale.language_code)
        )
