"""The web form that asks a list of questions, and the answers that were entered.

What differs between types of questions is in ``careers.forms.types``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from careers.applications.files import Upload
from careers.applications.frozen import FrozenForm, Question
from careers.applications.question_types import type_of
from careers.forms.models import PendingUpload
from careers.forms.types import field_type
from careers.forms.uploads import (
    ReceivedFile,
    check,
    empty_message,
    judge_kept,
    keep,
    kept_upload,
    too_large_message,
    unchecked,
)
from careers.inspection import Busy, Verdict, words
from home.bidi import isolated
from home.values.size import size_in_words, units

#: A field that people cannot see. Programs that fill in every field fill it in, too.
#: No browser fills in a field of this name by itself.
HONEYPOT = "more"
EDITION = "edition"
BUILT_IN_NAMES = {"name", "email", "phone", "cv", "cover_letter"}
#: What the browser sends for a choice.
CHOICE = re.compile(r"yes|no|on|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def field_name(key: str) -> str:
    """The name of a question's field in the HTML form."""
    return key if key in BUILT_IN_NAMES else f"q-{key}"


class QuestionBoundField(forms.BoundField):
    """A field of the form together with its question, for the templates."""

    @property
    def question(self) -> Question:
        return self.field.question  # type: ignore[attr-defined, no-any-return]

    @property
    def is_file(self) -> bool:
        """Whether the answer is a file."""
        return type_of(self.question).is_file

    @property
    def has_hint(self) -> bool:
        """Whether the field has a hint; for a file, the hint names what is accepted."""
        return bool(self.question.help) or self.is_file

    @property
    def named_errors(self) -> list[str]:
        """The errors for a place that is not beside the label: each names its question."""
        return [self.named(str(message)) for message in self.errors]

    def named(self, message: str) -> str:
        """A message with the label of the question, unless the message has it."""
        label = isolated(self.question.label)
        if label.casefold() in message.casefold():
            return message
        return _("“%(label)s”: %(message)s") % {"label": label, "message": message}

    @property
    def file_words(self) -> dict[str, str]:
        """What the script says about a chosen file, in the words of the server."""
        return {
            "empty": self.named(empty_message()),
            "large": self.named(too_large_message("%size")),
            **units(),
        }

    @property
    def kept(self) -> PendingUpload | None:
        """The file of an earlier attempt, if this is a file question."""
        form: ApplicationForm = self.form  # type: ignore[assignment]
        return form.kept.get(self.question.key)


class ApplicationForm(forms.Form):
    """One job's form.

    Args:
        frozen: the questions to ask.
        job_key: the job for which uploads are kept; another job cannot use them.
        network: a hash of the sender's network, from ``network_of``.
    """

    bound_field_class = QuestionBoundField

    def __init__(
        self,
        frozen: FrozenForm,
        *,
        job_key: UUID,
        network: str = "",
        data: Mapping[str, Any] | None = None,
        files: MultiValueDict[str, Any] | None = None,
    ) -> None:
        super().__init__(data=data, files=files, label_suffix="", use_required_attribute=False)
        self.frozen = frozen
        self.job_key = job_key
        self.network = network
        #: Files of earlier attempts that still count, by question key.
        self.kept: dict[str, PendingUpload] = {}
        self._fresh: dict[str, Upload] = {}
        #: Questions whose files nobody has judged. They are kept for the next attempt.
        self.unchecked: set[str] = set()
        for question in frozen.questions:
            field = field_type(question).field(question)
            field.question = question  # type: ignore[attr-defined]
            self.fields[field_name(question.key)] = field

    # ── Validation ──────────────────────────────────────────────────────────────────────

    def _clean_fields(self) -> None:
        self._take_kept_files()
        for name, field in self.fields.items():
            question: Question = field.question  # type: ignore[attr-defined]
            try:
                value = self[name].data
                field_type(question).check_length(question, value)
                self.cleaned_data[name] = field.clean(value)
            except ValidationError as error:
                self.add_error(name, error)

    def _take_kept_files(self) -> None:
        for question in self._file_questions:
            name = field_name(question.key)
            token = self.data.get(f"kept-{name}", "")
            if token and not self.data.get(f"drop-{name}"):
                # It stays while a file that was chosen in its place is wrong.
                found = kept_upload(token, job_key=self.job_key, question_key=question.key)
                if found:
                    self.kept[question.key] = found
                elif not self.files.get(name):
                    self.add_error(name, _("The file is no longer here. Choose it again."))

    @property
    def _file_questions(self) -> list[Question]:
        return [question for question in self.frozen.questions if type_of(question).is_file]

    def clean(self) -> dict[str, Any]:
        #: One form may cost as much as one expensive file, not as many as it has questions.
        is_expensive = False
        for question in self._file_questions:
            name = field_name(question.key)
            received = self.cleaned_data.get(name)
            try:
                if isinstance(received, ReceivedFile):
                    self._check(question.key, received, judge=not is_expensive)
                elif question.key in self.kept:
                    self._check_kept(question.key, judge=not is_expensive)
                elif question.required and name not in self.errors:
                    self.add_error(name, field_type(question).required_message(question))
            except ValidationError as error:
                is_expensive = is_expensive or error.code == Verdict.TOO_COMPLEX
                self.add_error(name, error)
            except Busy:
                self.unchecked.add(question.key)
                self.add_error(name, words.not_checked())
        return self.cleaned_data

    def _check(self, key: str, received: ReceivedFile, *, judge: bool) -> None:
        # It stays when nobody can judge it now.
        self._fresh[key] = unchecked(received, key)
        if not judge:
            self.unchecked.add(key)
            return
        try:
            self._fresh[key] = check(self._fresh[key])
        except ValidationError:
            del self._fresh[key]
            raise

    def _check_kept(self, key: str, *, judge: bool) -> None:
        kept = self.kept[key]
        if kept.is_checked:
            return
        if not judge:
            self.unchecked.add(key)
            return
        try:
            judge_kept(kept)
        except ValidationError:
            del self.kept[key]
            raise

    @property
    def looks_automatic(self) -> bool:
        """Whether the field that people cannot see is filled in."""
        return bool(self.data.get(HONEYPOT, "").strip())

    # ── Results ─────────────────────────────────────────────────────────────────────────

    def keep_files(self) -> None:
        """Keep the files of a form that has errors, but those that were refused."""
        for key, upload in self._fresh.items():
            name = field_name(key)
            if name in self.errors and key not in self.unchecked:
                continue
            pending = keep(upload, job_key=self.job_key, network=self.network)
            if pending is not None:
                self.kept[key] = pending
            else:
                self.add_error(name, _("Choose the file again: it could not be kept."))

    @cached_property
    def uploads(self) -> tuple[Upload, ...]:
        """Every file of a valid form, new or kept, in the order of the questions."""
        found = []
        for question in self._file_questions:
            if question.key in self._fresh:
                found.append(self._fresh[question.key])
            elif pending := self.kept.get(question.key):
                found.append(
                    Upload(
                        question_key=question.key,
                        filename=pending.filename,
                        content_type=pending.content_type,
                        content=bytes(pending.content),
                        sha256=pending.sha256,
                        marks=pending.marks,
                    )
                )
        return tuple(found)

    @cached_property
    def answers(self) -> dict[str, Any]:
        """The answers of a valid form by question key, ready for JSON."""
        return {
            question.key: kind.to_json(self.cleaned_data.get(field_name(question.key)))
            for question in self.frozen.questions
            if (kind := type_of(question)).is_asked and not kind.is_file
        }

    def typed(self) -> list[tuple[str, str]]:
        """Everything that the applicant entered, valid or not, as label and text."""
        lines = []
        for question in self.frozen.questions:
            kind = type_of(question)
            name = field_name(question.key)
            values = self.data.getlist(name) if hasattr(self.data, "getlist") else []
            if kind.is_file:
                file = self._fresh.get(question.key) or self.kept.get(question.key)
                values = [file.filename] if file else []
            text = "\n".join(question.option_label(value) for value in values if value)
            if text and kind.is_asked:
                lines.append((question.label, text))
        return lines

    @property
    def is_current(self) -> bool:
        """Whether the applicant saw the current questions and privacy notice."""
        return self.data.get(EDITION, "") in ("", self.frozen.edition)

    def no_longer_asked(self) -> list[str]:
        """Texts and file names for questions that were removed after the form was opened."""
        names = [
            name
            for name in (*self.data, *self.files)
            if name not in self.fields and (name.startswith("q-") or name in BUILT_IN_NAMES)
        ]
        texts = [text for name in names for text in _sent(self.data, name)]
        files = [file.name for name in names for file in _sent(self.files, name)]
        # A choice is only a key here; its label was removed together with the question.
        return [text for text in texts if text.strip() and not CHOICE.fullmatch(text)] + files


def _sent(values: Any, name: str) -> list[Any]:
    return list(values.getlist(name)) if hasattr(values, "getlist") else []


def upload_limit() -> str:
    """The largest file that a form takes, in words."""
    return size_in_words(settings.UPLOAD_MAX_BYTES)


__all__ = ["EDITION", "HONEYPOT", "ApplicationForm", "field_name", "upload_limit"]
