"""The applications of a campaign: who applies, and with what. A seed fixes every byte."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.support.servers import EICAR, HOST
from tests.support.stack import a_cv, sha256

FIRST = ("Ada", "Bo", "Cléo", "Dinh", "Ewa", "Gül", "Hana", "José", "Kaïs", "Oğuz", "Søren")
LAST = ("Abel", "Brodén", "Çelik", "Dvořák", "Fofana", "Grün", "Haddad", "Jónsson", "Łuczak")
#: A mark in each name and address: texts with different marks belong to different people.
MARK = re.compile(r"Zq[a-z]{4}", re.IGNORECASE)
REFERENCE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{4}-[0-9A-HJKMNP-TV-Z]{4}\b")
#: The job that everybody applies for; it asks everything that a form can ask.
JOB = "tide-reader"
#: Each of them gets its own mail and step.
HR = ("crew@tidewater.test", "harbour@tidewater.test")
LANGUAGES = ("en", "fr")
#: Key, kind, the labels in both languages, and those of the options by their keys.
QUESTIONS: tuple[tuple[str, str, tuple[str, str], dict[str, tuple[str, str]]], ...] = (
    ("study", "short_text", ("What did you study?", "Qu’avez-vous étudié ?"), {}),
    ("why", "long_text", ("Why tides?", "Pourquoi les marées ?"), {}),
    (
        "tool",
        "single_choice",
        ("Your favourite tool", "Votre outil préféré"),
        {"staff": ("Tide staff", "Échelle de marée"), "float": ("Float gauge", "Marégraphe")},
    ),
    (
        "seas",
        "multiple_choice",
        ("Seas that you know", "Mers que vous connaissez"),
        {
            "north": ("North Sea", "Mer du Nord"),
            "irish": ("Irish Sea", "Mer d’Irlande"),
            "white": ("White Sea", "Mer Blanche"),
        },
    ),
    ("boat", "yes_no", ("May we put you on a boat?", "Accepteriez-vous d’embarquer ?"), {}),
    ("years", "number", ("Years at sea", "Années en mer"), {}),
    ("from", "date", ("Earliest day", "Premier jour possible"), {}),
    ("work", "link", ("Something you wrote", "Un texte de vous"), {}),
    ("paper", "file", ("A paper of yours", "Un article de vous"), {}),
    ("keep", "consent", ("Keep it for next year", "Conserver pour l’an prochain"), {}),
)
SUBJECTS = ("Océanographie", "Vermessung", "Hydrology & law", "Naïve <b>statistics</b>", "Łódź")
REASONS = (
    "The moon asked me to.",
    "J’ai grandi près d’un port.",
    "Wasser kommt & geht, “pünktlich”.",
    "5 < 7 metres, at springs > 9.",
)
#: One application in so many has an infected file.
INFECTED = 10
#: How an application is sent, and how often that is so.
MANNERS = {
    "once": 74,
    "twice at once": 8,
    "answer lost": 6,
    "upload cut": 6,
    "sent by another": 6,
}
#: One sender in so many has a browser without JavaScript, and so no key.
WITHOUT_SCRIPT = 3


@dataclass(frozen=True)
class Sender:
    """Who sends a form, as the site sees it.

    Attributes:
        name: "self", or "other" for somebody who sends the same content.
        key: what the script of the form makes; "" without JavaScript.
        network: the address that the connection comes from.
    """

    name: str
    key: str
    network: str


@dataclass(frozen=True)
class Form:
    """What one person sends; the seed fixes every byte of it.

    Attributes:
        sender: the person.
        other: sends the same content in the manner "sent by another".
        paper: the file that one of the job's custom questions asks for.
        answers: to the others, by key.
        infected: whether the paper holds the EICAR test file.
    """

    number: int
    name: str
    email: str
    phone: str
    cv: bytes
    manner: str
    letter: bytes
    paper: bytes
    language: str
    answers: dict[str, Any]
    sender: Sender
    other: Sender
    infected: bool = False

    def as_plan(self) -> str:
        """One line that differs when any byte differs."""
        answers = sha256(json.dumps(self.answers, sort_keys=True).encode())
        return (
            f"{self.number}: {self.name} <{self.email}> {self.phone} cv {sha256(self.cv)[:16]}"
            f" of {len(self.cv)} bytes, letter {sha256(self.letter)[:16]}, paper"
            f" {sha256(self.paper)[:16]}, answers {answers[:16]} in {self.language}, {self.manner},"
            f" key {self.sender.key or 'none'}, other's {self.other.key or 'none'}"
        )

    def fields(self, sender: Sender | None = None) -> dict[str, str | list[str]]:
        """The form fields as the browser of a sender sends them; by default without a key."""
        sent: dict[str, str | list[str]] = {
            "name": self.name,
            "email": self.email,
            "phone": self.phone,
        }
        for key, kind, _labels, _options in QUESTIONS:
            if kind == "file":
                continue
            answer = self.answers[key]
            match kind:
                case "yes_no":
                    answer = "yes" if answer else "no"
                case "consent":
                    answer = ["on"] if answer else []
                case "number" if self.language == "fr":
                    answer = answer.replace(".", ",")
                case "long_text":
                    answer = answer.replace("\n", "\r\n")
            sent[f"q-{key}"] = answer
        if sender is not None and sender.key:
            sent["sender"] = sender.key
        return sent

    def uploads(self) -> dict[str, tuple[str, bytes]]:
        """Name and content of the files, by their place in the form."""
        return {
            "cv": ("CV.pdf", self.cv),
            "cover_letter": ("Letter.pdf", self.letter),
            "q-paper": ("Paper.pdf", self.paper),
        }

    def promised(self) -> dict[str, Any]:
        """What a receipt for it promises, as plain facts for the checker."""
        place = LANGUAGES.index(self.language)
        person = {"name": self.name, "email": self.email, "phone": self.phone}
        words = []
        for key, kind, _labels, options in QUESTIONS:
            if options:
                chosen = self.answers[key]
                chosen = [chosen] if isinstance(chosen, str) else chosen
                words += [options[option][place] for option in chosen]
            elif kind in ("short_text", "long_text", "number", "link"):
                words += str(self.fields()[f"q-{key}"]).splitlines()
        return {
            **person,
            "language": self.language,
            "answers": {**person, **self.answers},
            "asked": {key: labels[place] for key, _kind, labels, _options in QUESTIONS},
            "consents": {
                labels[place]: self.answers[key]
                for key, kind, labels, _options in QUESTIONS
                if kind == "consent"
            },
            "words": [line for line in words if line],
            "files": {
                "cv": sha256(self.cv),
                "cover_letter": sha256(self.letter),
                "answer": sha256(self.paper),
            },
            "hr": list(HR),
            "infected": ["answer"] if self.infected else [],
        }


def publish_job() -> None:
    """Publish the job in both languages; call it in a process of the site."""
    from wagtail.models import Locale

    from careers.jobs.models import JobIndexPage, JobPage

    default = Locale.get_default()
    job = JobPage(
        title="Tide reader",
        slug=JOB,
        locale=default,
        summary="Read the gauge, and believe it.",
        hr_recipients="\n".join(HR),
        ask_phone="required",
        ask_cover_letter="required",
        questions=_asked(0),
    )
    JobIndexPage.objects.get(locale=default).add_child(instance=job)
    job.save_revision().publish()
    french = job.copy_for_translation(Locale.objects.get(language_code="fr"))
    french.title, french.questions = "Releveur de marées", _asked(1)
    french.save_revision().publish()


def _asked(place: int) -> list[dict[str, Any]]:
    """The questions as StreamField data, in one of the languages."""
    found = []
    for key, kind, labels, options in QUESTIONS:
        value: dict[str, Any] = {"label": labels[place], "help_text": ""}
        value["required"] = kind != "consent"
        if options:
            value["options"] = [
                {"type": "item", "id": option, "value": words[place]}
                for option, words in options.items()
            ]
        found.append({"type": kind, "id": key, "value": value})
    return found


def _answers(chance: random.Random, number: int) -> dict[str, Any]:
    """Unique answers, so that a swapped or truncated one shows."""
    tools, seas = (list(options) for _key, _kind, _labels, options in QUESTIONS if options)
    return {
        "study": f"{chance.choice(SUBJECTS)} no. {number}",
        "why": f"{chance.choice(REASONS)}\n\n{chance.choice(REASONS)} That is reason {number}.",
        "tool": chance.choice(tools),
        "seas": [sea for sea in seas if sea == seas[number % 3] or chance.random() < 0.5],
        "boat": chance.random() < 0.5,
        "years": f"{chance.randint(1, 40)}.{chance.randint(1, 9)}",
        "from": f"2027-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        "work": f"https://example.org/tides/{number}",
        "keep": chance.random() < 0.5,
    }


def forms(seed: int, count: int) -> Iterator[Form]:
    """The applications of a campaign, in the order in which they are sent."""
    chance = random.Random(f"applications {seed}")
    senders = random.Random(f"senders {seed}")
    before: tuple[str, str] = ("", "")
    for number in range(count):
        # One in fifteen is an earlier person with another CV.
        if chance.randrange(15) or not before[0]:
            mark = "Zq" + "".join(chr(97 + number // 26**place % 26) for place in (3, 2, 1, 0))
            name = f"{chance.choice(FIRST)} {mark} {chance.choice(LAST)}"
            before = (name, f"{mark.lower()}.{number}@example.org")
            person = before
        else:
            person, before = before, ("", "")
        manner = chance.choices(list(MANNERS), list(MANNERS.values()))[0]
        size = chance.choice((2_000, 20_000, 60_000))
        cv, letter, paper = (
            a_cv(f"{person[0]} {number} {what}", noise=chance.randbytes(length // 2).hex())
            for what, length in (("CV", size), ("letter", 2_000), ("paper", 4_000))
        )
        infected = chance.randrange(INFECTED) == 0
        if infected:
            paper = paper.replace(b"ET\n%", b"ET\n%" + EICAR, 1)
        yield Form(
            number,
            *person,
            phone=f"+47 {40_000_000 + number}",
            cv=cv,
            manner=manner,
            letter=letter,
            paper=paper,
            language="fr" if chance.random() < 0.2 else "en",
            answers=_answers(chance, number),
            sender=Sender("self", _key(senders), HOST),
            # Somebody else has another key, or no key and another network.
            other=Sender("other", _key(senders), "127.0.0.2"),
            infected=infected,
        )


def _key(chance: random.Random) -> str:
    return chance.randbytes(16).hex() if chance.randrange(WITHOUT_SCRIPT) else ""
