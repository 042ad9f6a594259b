"""The form as the applicant saw it, kept with the application.

The same classes describe a form before it is answered: ``careers.forms`` builds the web
form from a ``FrozenForm``, and the application stores the same object. Questions are
identified by keys that survive translation, reordering and renaming.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

#: Keys of the questions that every form asks, in the order in which they are asked.
NAME, EMAIL, PHONE, CV, COVER_LETTER = "name", "email", "phone", "cv", "cover_letter"

#: Types whose answers release 0.1 cannot read, and the names under which they are stored. It
#: shows the answer to a question of an unknown type as it is stored.
_STORED_TYPES = {"number": "number_text"}
_TYPES = {stored: name for name, stored in _STORED_TYPES.items()}
#: Settings are stored as options with such keys: release 0.1 refuses other data of a question.
_SETTING = "setting:"


@dataclass(frozen=True)
class Option:
    key: str
    label: str


@dataclass(frozen=True)
class Question:
    """One question of a form.

    Attributes:
        type: the name of a type in ``question_types``.
        settings: what HR set for this question and only its type has, such as the unit of a
            number; pairs of a name and a text.
    """

    key: str
    type: str
    label: str
    help: str = ""
    required: bool = False
    options: tuple[Option, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()

    def setting(self, name: str) -> str:
        """The value of a setting; "" where HR set none."""
        return dict(self.settings).get(name, "")

    def to_json(self) -> dict[str, Any]:
        """Plain data that release 0.1 can read, too."""
        settings = (Option(f"{_SETTING}{name}", value) for name, value in self.settings)
        options = tuple({**vars(option)} for option in (*self.options, *settings))
        data = {**vars(self), "options": options, "type": _STORED_TYPES.get(self.type, self.type)}
        del data["settings"]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Question:
        """The question of stored data; what a later release added is left out."""
        stored = [Option(**_known(Option, option)) for option in data["options"]]
        # Before release 0.2 was complete, settings had a place of their own.
        settings = [(name, value) for name, value in data.get("settings", ())]
        settings += [
            (option.key.removeprefix(_SETTING), option.label)
            for option in stored
            if option.key.startswith(_SETTING)
        ]
        return cls(
            **{
                **_known(cls, data),
                "type": _TYPES.get(data["type"], data["type"]),
                "options": tuple(
                    option for option in stored if not option.key.startswith(_SETTING)
                ),
                "settings": tuple(settings),
            }
        )

    def option_label(self, key: str) -> str:
        """The words of an option; the key itself when the option is unknown."""
        return next((option.label for option in self.options if option.key == key), key)


@dataclass(frozen=True)
class FrozenForm:
    job_title: str
    company: str
    language: str
    time_zone: str
    questions: tuple[Question, ...]
    privacy_notice: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    contact_name: str = ""
    contact_email: str = ""

    def to_json(self) -> dict[str, Any]:
        data = {field.name: getattr(self, field.name) for field in fields(self)}
        return data | {"questions": [question.to_json() for question in self.questions]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FrozenForm:
        questions = tuple(map(Question.from_json, data["questions"]))
        facts = tuple((label, value) for label, value in data["facts"])
        return cls(**{**_known(cls, data), "questions": questions, "facts": facts})

    @cached_property
    def edition(self) -> str:
        """Identifies the words that an applicant reads: 16 hexadecimal digits.

        A page with the form may be hours old. The edition tells whether its questions and
        its privacy notice are still the current ones.
        """
        read = [[_as_read(question) for question in self.questions], self.privacy_notice]
        text = json.dumps(read, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def question(self, key: str) -> Question | None:
        return next((question for question in self.questions if question.key == key), None)


def _as_read(question: Question) -> dict[str, Any]:
    """A question for the edition, which is the same in release 0.1 if there are no settings."""
    data = asdict(question)
    if not question.settings:
        del data["settings"]
    return data


def _known(kind: type[Any], data: dict[str, Any]) -> dict[str, Any]:
    """The stored data without what a later release added."""
    return {field.name: data[field.name] for field in fields(kind) if field.name in data}
