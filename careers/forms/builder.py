"""The web form that asks a list of questions, and the answers it gives."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import (
    EmailValidator,
    MaxLengthValidator,
    ProhibitNullCharactersValidator,
    RegexValidator,
)
from django.utils.datastructures import MultiValueDict
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from careers.applications.files import Upload
from careers.applications.frozen import EMAIL, NAME, PHONE, FrozenForm, Question
from careers.forms.models import PendingUpload
from careers.forms.uploads import ACCEPTED, TYPES_IN_WORDS, ReceivedFile, check, keep, kept_upload

#: The trap field: no person sees it, and what fills in everything fills in this too.
#: Named so that no browser fills it in by itself.
HONEYPOT = "more"
EDITION = "edition"
LIMITS = {"name": 150, "email": 254, "phone": 40, "short_text": 300, "link": 500}
LONG_TEXT_LIMIT = 10_000
#: What one line of text never holds: in a header it would begin another one.
CONTROL_CHARACTERS = r"[\x00-\x1f\x7f\x85\u2028\u2029]"
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
    def kept(self) -> PendingUpload | None:
        """The file that an earlier try brought, if this is a file question."""
        form: ApplicationForm = self.form  # type: ignore[assignment]
        return form.kept.get(self.question.key)

    @property
    def limit(self) -> int | None:
        """How many characters a long answer may have; None for other questions."""
        return LONG_TEXT_LIMIT if self.question.type == "long_text" else None


class ApplicationForm(forms.Form):
    """One job's form.

    Args:
        frozen: the questions to ask.
        job_key: ties kept uploads to this job.
        network: hash of the sender's network, for the upload quotas.
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
        #: Files from earlier tries that still count, by question key.
        self.kept: dict[str, PendingUpload] = {}
        self._fresh: dict[str, Upload] = {}
        for question in frozen.questions:
            self.fields[field_name(question.key)] = _field(question)

    # ── Reading what was sent ───────────────────────────────────────────────────────────

    def _clean_fields(self) -> None:
        self._take_kept_files()
        super()._clean_fields()  # type: ignore[misc]

    def _take_kept_files(self) -> None:
        for question in self._file_questions:
            name = field_name(question.key)
            token = self.data.get(f"kept-{name}", "")
            if token and not self.data.get(f"drop-{name}") and not self.files.get(name):
                found = kept_upload(token, job_key=self.job_key, question_key=question.key)
                if found:
                    self.kept[question.key] = found
                else:
                    self.add_error(name, _("The file is no longer here. Choose it again."))

    @property
    def _file_questions(self) -> list[Question]:
        return [question for question in self.frozen.questions if question.type == "file"]

    def clean(self) -> dict[str, Any]:
        for question in self._file_questions:
            name = field_name(question.key)
            received = self.cleaned_data.get(name)
            if isinstance(received, ReceivedFile):
                try:
                    self._fresh[question.key] = check(received, question.key)
                except ValidationError as error:
                    self.add_error(name, error)
            elif question.required and question.key not in self.kept and name not in self.errors:
                self.add_error(
                    name,
                    _("Choose a file for “%(label)s”.") % {"label": question.label},
                )
        return self.cleaned_data

    @property
    def looks_automatic(self) -> bool:
        """Whether something filled in the field that people cannot see."""
        return bool(self.data.get(HONEYPOT, "").strip())

    # ── Results ─────────────────────────────────────────────────────────────────────────

    def keep_files(self) -> None:
        """Keep the good files of a form that can't be accepted yet."""
        for key, upload in self._fresh.items():
            name = field_name(key)
            if name in self.errors:
                continue
            pending = keep(upload, job_key=self.job_key, network=self.network)
            if pending is not None:
                self.kept[key] = pending
            else:
                self.add_error(name, _("Choose the file again: it could not be kept."))

    @cached_property
    def uploads(self) -> tuple[Upload, ...]:
        """Every file of a valid form, fresh or kept, in the order of the questions."""
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
                    )
                )
        return tuple(found)

    @cached_property
    def answers(self) -> dict[str, Any]:
        """The answers of a valid form by question key, ready for JSON."""
        return {
            question.key: _plain(self.cleaned_data.get(field_name(question.key)))
            for question in self.frozen.questions
            if question.type not in ("file", "note")
        }

    def typed(self) -> list[tuple[str, str]]:
        """Everything that was typed, as label and text, valid or not: never empty hands."""
        lines = []
        for question in self.frozen.questions:
            name = field_name(question.key)
            values = self.data.getlist(name) if hasattr(self.data, "getlist") else []
            if question.type == "file":
                file = self._fresh.get(question.key) or self.kept.get(question.key)
                values = [file.filename] if file else []
            text = "\n".join(question.option_label(value) for value in values if value)
            if text and question.type != "note":
                lines.append((question.label, text))
        return lines

    @property
    def is_of_today(self) -> bool:
        """Whether the applicant read the questions and the notice as they are now."""
        return self.data.get(EDITION, "") in ("", self.frozen.edition)

    def no_longer_asked(self) -> list[str]:
        """Texts and files for questions that were taken out since the form was opened."""
        names = [
            name
            for name in (*self.data, *self.files)
            if name not in self.fields and (name.startswith("q-") or name in BUILT_IN_NAMES)
        ]
        texts = [text for name in names for text in _sent(self.data, name)]
        files = [file.name for name in names for file in _sent(self.files, name)]
        # A choice is only a key here; what it meant went with the question.
        return [text for text in texts if text.strip() and not CHOICE.fullmatch(text)] + files


def _sent(values: Any, name: str) -> list[Any]:
    return list(values.getlist(name)) if hasattr(values, "getlist") else []


def _field(question: Question) -> forms.Field:
    """The form field for one question, with errors that say how to put it right."""
    label = question.label
    common: dict[str, Any] = {
        "label": label,
        "help_text": question.help,
        "required": question.required and question.type != "file",
        "error_messages": {"required": _required_message(question)},
    }
    field: forms.Field
    match question.type:
        case "name" | "short_text":
            field = _TextField(**common, validators=[_one_line(), *_length(question)])
        case "email":
            field = _TextField(
                **common,
                widget=forms.EmailInput,
                validators=[
                    *_length(question),
                    EmailValidator(_("Enter an e-mail address in the form name@example.com.")),
                ],
            )
        case "phone":
            field = _TextField(
                **common,
                widget=forms.TextInput(attrs={"type": "tel"}),
                validators=[
                    *_length(question),
                    RegexValidator(
                        r"^[0-9+()/.\- \u00a0\u202fx]*[0-9][0-9+()/.\- \u00a0\u202fx]*\Z",
                        _("Enter a phone number, such as +44 20 7946 0018."),
                    ),
                ],
            )
        case "link":
            field = _TextField(
                **common,
                widget=forms.URLInput,
                validators=[*_length(question), _check_link],
            )
        case "long_text":
            field = _LongTextField(
                **common,
                widget=forms.Textarea(attrs={"rows": 6}),
                validators=[
                    MaxLengthValidator(
                        LONG_TEXT_LIMIT,
                        _(
                            "Your text is %(show_value)s characters long. "
                            "Shorten it to %(limit_value)s or attach it as a file."
                        ),
                    )
                ],
            )
        case "single_choice":
            field = forms.ChoiceField(
                **common, widget=forms.RadioSelect, choices=_choices(question)
            )
            field.error_messages["invalid_choice"] = _("Choose one of the answers.")
        case "multiple_choice":
            field = forms.MultipleChoiceField(
                **common, widget=forms.CheckboxSelectMultiple, choices=_choices(question)
            )
            field.error_messages["invalid_choice"] = _("Choose among the answers.")
        case "yes_no":
            field = forms.TypedChoiceField(
                **common,
                widget=forms.RadioSelect,
                choices=[("yes", _("Yes")), ("no", _("No"))],
                coerce=lambda value: value == "yes",
                empty_value=None,
            )
            field.error_messages["invalid_choice"] = _("Choose yes or no.")
        case "number":
            field = forms.DecimalField(
                **common,
                localize=True,
                max_digits=15,
                decimal_places=4,
                widget=forms.TextInput(attrs={"inputmode": "decimal"}),
            )
            field.error_messages["invalid"] = _("Enter a number, such as 40.")
        case "date":
            field = forms.DateField(
                **common, widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
            )
            field.error_messages["invalid"] = _(
                "Enter a date with day, month and year, such as 2027-03-31."
            )
        case "file":
            accept = ",".join(ACCEPTED.values())
            field = _FileField(
                **common, widget=forms.FileInput(attrs={"accept": accept}), allow_empty_file=True
            )
        case "consent":
            field = forms.BooleanField(**common)
        case "note":
            field = forms.Field(label=label, help_text=question.help, required=False)
        case _:
            raise ValueError(f"unknown question type {question.type!r}")
    field.question = question  # type: ignore[attr-defined]
    return field


class _TextField(forms.CharField):
    """Text in composed form (NFC), which can be longer, before its length is judged."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Every kind of text has validators of its own that refuse NUL, in our words.
        self.validators = [
            validator
            for validator in self.validators
            if not isinstance(validator, ProhibitNullCharactersValidator)
        ]

    def to_python(self, value: Any) -> str:
        return unicodedata.normalize("NFC", super().to_python(value) or "")


class _LongTextField(_TextField):
    """Text of many lines, pasted from anywhere: what nobody can see nobody can correct."""

    def to_python(self, value: Any) -> str:
        text = re.sub(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]", "\n", super().to_python(value))
        return re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", text).strip()


class _FileField(forms.FileField):
    """Takes whatever came; ``uploads.check`` judges it."""

    def to_python(self, data: Any) -> Any:
        return data or None if not isinstance(data, ReceivedFile) else data

    def clean(self, data: Any, initial: Any = None) -> Any:
        return self.to_python(data)


def _required_message(question: Question) -> str:
    match question.key, question.type:
        case (k, _type) if k == NAME:
            return _("Enter your full name.")
        case (k, _type) if k == EMAIL:
            return _("Enter your e-mail address.")
        case (k, _type) if k == PHONE:
            return _("Enter your phone number.")
        case _k, "single_choice" | "yes_no":
            return _("Choose an answer to “%(label)s”.") % {"label": question.label}
        case _k, "multiple_choice":
            return _("Choose at least one answer to “%(label)s”.") % {"label": question.label}
        case _k, "consent":
            return _("Tick the box to agree to “%(label)s”.") % {"label": question.label}
    return _("Enter an answer to “%(label)s”.") % {"label": question.label}


def _length(question: Question) -> list[Any]:
    limit = LIMITS[question.type]
    message = _("Shorten this to %(limit_value)s characters. It has %(show_value)s.")
    return [MaxLengthValidator(limit, message)]


def _one_line() -> Any:
    message = _("Remove line breaks and control characters.")
    return RegexValidator(CONTROL_CHARACTERS, message, inverse_match=True)


def _check_link(value: str) -> None:
    from django.core.validators import URLValidator

    try:
        # The validator's own pattern takes any character in the path that is no space.
        RegexValidator(CONTROL_CHARACTERS, inverse_match=True)(value)
        URLValidator(schemes=["http", "https"])(value)
    except ValidationError:
        raise ValidationError(_("Enter a whole address that starts with https://.")) from None


def _choices(question: Question) -> list[tuple[str, str]]:
    return [(option.key, option.label) for option in question.options]


def _plain(value: Any) -> Any:
    match value:
        case Decimal():
            return format((value + 0).normalize(), "f")  # -0 is 0
        case dt.date():
            return value.isoformat()
    return value


def upload_limit() -> str:
    """The largest file that a form takes, in words."""
    return _("%(size)d MB") % {"size": settings.UPLOAD_MAX_BYTES // 1024**2}


__all__ = ["EDITION", "HONEYPOT", "TYPES_IN_WORDS", "ApplicationForm", "field_name", "upload_limit"]
