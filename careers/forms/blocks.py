"""Blocks that several types of question share: what HR fills in for one question.

The id of a question's block is its key, and the id of an option's list item is the option's
key. Both survive translation, reordering and copying of the page, so answers stay readable.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail import blocks
from wagtail.blocks.list_block import ListBlockValidationError, ListValue

from home.text_blocks import LineBlock
from home.values.text import clean


class QuestionBlock(blocks.StructBlock):
    """A question that the applicant answers in their own words."""

    label = LineBlock(label=gettext_lazy("Question"), max_length=200)
    help_text = LineBlock(label=gettext_lazy("Hint"), required=False, max_length=300)
    required = blocks.BooleanBlock(label=gettext_lazy("Required"), required=False)


class OptionsBlock(blocks.ListBlock):
    """The options of a question. No two of them may read alike.

    A new question has two empty options: with fewer, Wagtail's editor shows an error before
    anybody has typed.
    """

    def __init__(self, **kwargs: Any) -> None:
        option = LineBlock(max_length=150)
        super().__init__(option, min_num=2, max_num=50, default=["", ""], **kwargs)

    def clean(self, value: Any) -> ListValue:
        errors = _repeated(self.normalize(value))
        try:
            cleaned: ListValue = super().clean(value)
        except ListBlockValidationError as error:
            raise ListBlockValidationError(
                block_errors=errors | error.block_errors, non_block_errors=error.non_block_errors
            ) from None
        if errors:
            raise ListBlockValidationError(block_errors=errors)
        return cleaned


def _repeated(options: ListValue) -> dict[int, ValidationError]:
    """An error for each option that reads like an earlier one, by its place in the list."""
    first: dict[str, int] = {}
    errors = {}
    for place, text in enumerate(options):
        # Applicants can't tell apart what differs in invisible characters, or in case only.
        read = clean(text or "").casefold()
        if read and first.setdefault(read, place) != place:
            errors[place] = ValidationError(
                _("This is the same as option %(number)d. Change or remove one of them."),
                params={"number": first[read] + 1},
            )
    return errors


class ChoiceQuestionBlock(QuestionBlock):
    """A question with options from which the applicant chooses."""

    options = OptionsBlock(label=gettext_lazy("Options"))
