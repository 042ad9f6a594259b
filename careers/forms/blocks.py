"""The questions that HR may add to a job, as StreamField blocks.

The id of a question's block is its key, and the id of an option's list item is the option's
key: both survive translation, reordering and copying of the page, so answers stay readable.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from wagtail import blocks


class QuestionBlock(blocks.StructBlock):
    """What every question has."""

    label = blocks.CharBlock(label=_("Question"), max_length=200)
    help_text = blocks.CharBlock(label=_("Hint"), required=False, max_length=300)
    required = blocks.BooleanBlock(label=_("Must be answered"), required=False)


class ChoiceQuestionBlock(QuestionBlock):
    """A question whose answers HR gives."""

    options = blocks.ListBlock(
        blocks.CharBlock(max_length=150), label=_("Options"), min_num=2, max_num=50
    )


class ConsentBlock(blocks.StructBlock):
    """One unticked box for one purpose."""

    label = blocks.CharBlock(
        label=_("What the applicant agrees to"),
        max_length=300,
        help_text=_("One purpose only, such as “Keep my application for other jobs for a year”."),
    )
    help_text = blocks.CharBlock(label=_("Hint"), required=False, max_length=300)
    required = blocks.BooleanBlock(
        label=_("Must be ticked"),
        required=False,
        help_text=_("Consent that must be given is not freely given. Leave this off if you can."),
    )


class NoteBlock(blocks.StructBlock):
    """Words between questions."""

    label = blocks.CharBlock(label=_("Heading"), max_length=200)
    help_text = blocks.TextBlock(label=_("Text"), required=False, max_length=1000)


class QuestionsBlock(blocks.StreamBlock):
    """HR's own questions, in the order in which they are asked."""

    short_text = QuestionBlock(label=_("Short text"), icon="edit")
    long_text = QuestionBlock(label=_("Long text"), icon="pilcrow")
    single_choice = ChoiceQuestionBlock(label=_("One of several"), icon="radio-full")
    multiple_choice = ChoiceQuestionBlock(label=_("Any of several"), icon="tick-inverse")
    yes_no = QuestionBlock(label=_("Yes or no"), icon="help")
    number = QuestionBlock(label=_("Number"), icon="order")
    date = QuestionBlock(label=_("Date"), icon="date")
    link = QuestionBlock(label=_("Link"), icon="link")
    file = QuestionBlock(label=_("File"), icon="doc-full")
    consent = ConsentBlock(label=_("Consent"), icon="check")
    note = NoteBlock(label=_("Note"), icon="info-circle")
