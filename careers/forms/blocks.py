"""Blocks that several types of question share: what HR fills in for one question.

The id of a question's block is its key, and the id of an option's list item is the option's
key. Both survive translation, reordering and copying of the page, so answers stay readable.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks


class QuestionBlock(blocks.StructBlock):
    """A question that the applicant answers in their own words."""

    label = blocks.CharBlock(label=_("Question"), max_length=200)
    help_text = blocks.CharBlock(label=_("Hint"), required=False, max_length=300)
    required = blocks.BooleanBlock(label=_("Required"), required=False)


class ChoiceQuestionBlock(QuestionBlock):
    """A question with options from which the applicant chooses."""

    options = blocks.ListBlock(
        blocks.CharBlock(max_length=150), label=_("Options"), min_num=2, max_num=50
    )
