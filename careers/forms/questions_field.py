"""The page field that holds HR's custom questions."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from wagtail.blocks import StreamBlock, StreamBlockValidationError, StreamValue
from wagtail.fields import StreamField

from careers.applications.question_types import type_of
from careers.forms.questions import custom_question
from careers.forms.types import choosable, field_type

#: What the standard questions and the hidden fields of a form take of the limits of one request.
OTHER_FIELDS, OTHER_FILES = 20, 2


class QuestionsBlock(StreamBlock):
    """HR's custom questions: no more than an applicant can send and an editor can save."""

    class Meta:
        max_num = 300

    def clean(self, value: Any) -> StreamValue:
        cleaned: StreamValue = super().clean(value)
        if errors := _beyond_limits(cleaned):
            raise StreamBlockValidationError(non_block_errors=errors)
        return cleaned


def _beyond_limits(questions: StreamValue) -> list[ValidationError]:
    most_fields = settings.PUBLIC_FORM_MAX_FIELDS - OTHER_FIELDS
    most_files = settings.DATA_UPLOAD_MAX_NUMBER_FILES - OTHER_FILES
    asked = [custom_question(child) for child in questions]
    fields = sum(field_type(question).fields_sent(question) for question in asked)
    files = sum(type_of(question).is_file for question in asked)
    errors = []
    if fields > most_fields:
        words = _(
            "Applicants could not send this form: it has up to %(count)d answers, and "
            "%(limit)d are possible. Each option of a multiple choice question is one answer. "
            "Remove questions or options."
        )
        errors.append(ValidationError(words, params={"count": fields, "limit": most_fields}))
    if files > most_files:
        words = _(
            "Applicants could not send this form: it asks for %(count)d files, and %(limit)d are "
            "possible. Remove questions for files."
        )
        errors.append(ValidationError(words, params={"count": files, "limit": most_files}))
    return errors


class QuestionsField(StreamField):
    """A StreamField with one block for each type of question that HR may add.

    It collects the types on first use, when the types of every installed app are known.
    Migrations name this class and not its blocks. So a new type or label needs no migration,
    and a data migration that saves a page keeps the questions of every type.
    """

    def __init__(self, *_args: Any, **kwargs: Any) -> None:
        super().__init__([], **kwargs)

    @cached_property
    def stream_block(self) -> StreamBlock:
        block = QuestionsBlock(choosable())
        block.set_meta_options(self.block_opts)
        return block

    def deconstruct(self) -> Any:
        name, path, _args, kwargs = models.Field.deconstruct(self)
        return name, path, [], kwargs
