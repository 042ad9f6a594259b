"""The form as the applicant saw it, kept with the application.

The same classes describe a form before it is answered: ``careers.forms`` builds the web
form from a ``FrozenForm``, and the application stores the same object. Questions are
identified by keys that survive translation, reordering and renaming.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

#: Keys of the questions that every form asks, in the order in which they are asked.
NAME, EMAIL, PHONE, CV, COVER_LETTER = "name", "email", "phone", "cv", "cover_letter"


@dataclass(frozen=True)
class Option:
    key: str
    label: str


@dataclass(frozen=True)
class Question:
    """One question of a form; ``type`` is the name of a type in ``question_types``."""

    key: str
    type: str
    label: str
    help: str = ""
    required: bool = False
    options: tuple[Option, ...] = ()

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
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> FrozenForm:
        questions = tuple(
            Question(**{**raw, "options": tuple(Option(**option) for option in raw["options"])})
            for raw in data["questions"]
        )
        facts = tuple((label, value) for label, value in data["facts"])
        return cls(**{**data, "questions": questions, "facts": facts})

    @property
    def edition(self) -> str:
        """Identifies the words that an applicant reads: 16 hexadecimal digits.

        A page with the form may be hours old. The edition tells whether its questions and
        its privacy notice are still the current ones.
        """
        read = [[asdict(question) for question in self.questions], self.privacy_notice]
        text = json.dumps(read, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def question(self, key: str) -> Question | None:
        return next((question for question in self.questions if question.key == key), None)
