"""Text between questions. It asks nothing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy
from wagtail import blocks

from careers.applications.frozen import Question
from careers.forms.types import FieldType, register
from home.text_blocks import LineBlock, LinesBlock


class NoteBlock(blocks.StructBlock):
    """Text that HR puts between questions."""

    label = LineBlock(label=gettext_lazy("Heading"), max_length=200)
    help_text = LinesBlock(label=gettext_lazy("Text"), required=False, max_length=1000)


@register
class Note(FieldType):
    name = "note"
    template = "careers/forms/types/note.html"
    position = 110

    def block(self) -> blocks.Block:
        return NoteBlock(label=gettext_lazy("Note"), icon="info-circle")

    def field(self, question: Question) -> forms.Field:
        return forms.Field(**{**self.options(question), "required": False})

    def example(self, question: Question) -> Any:
        return None
