"""An uploaded file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.blocks import Block

from careers.applications.frozen import Question
from careers.forms.blocks import QuestionBlock
from careers.forms.types import FieldType, register
from careers.forms.uploads import ReceivedFile
from careers.inspection import ACCEPTED
from home.bidi import isolated


@register
class File(FieldType):
    name = "file"
    template = "careers/forms/types/file.html"
    position = 90

    def block(self) -> Block:
        return QuestionBlock(label=gettext_lazy("File"), icon="doc-full")

    def field(self, question: Question) -> forms.Field:
        # The form reports a missing file, because it also counts files of an earlier attempt.
        options = {**self.options(question), "required": False}
        accept = ",".join(ACCEPTED.values())
        return FileField(
            **options, widget=forms.FileInput({"accept": accept}), allow_empty_file=True
        )

    def required_message(self, question: Question) -> str:
        return _("Choose a file for “%(label)s”.") % {"label": isolated(question.label)}

    def fields_sent(self, question: Question) -> int:
        # The file, the token of a kept one, and whether to remove that.
        return 3

    def example(self, question: Question) -> Any:
        return None


class FileField(forms.FileField):
    """Takes any file; the form checks it with ``uploads.check``."""

    def to_python(self, data: Any) -> Any:
        return data or None if not isinstance(data, ReceivedFile) else data

    def clean(self, data: Any, initial: Any = None) -> Any:
        return self.to_python(data)
