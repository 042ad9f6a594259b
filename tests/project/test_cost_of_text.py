"""The cost of text from strangers grows no faster than its length, whatever it holds.

Question types, public parameters and functions that handle such text are each given hostile text of
growing length. Types are taken from the registry, so a new type is covered by itself.
"""

from __future__ import annotations

import ast
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.template.defaultfilters import linebreaks, linebreaksbr, urlize
from django.test import Client
from django.urls import reverse
from django.utils.datastructures import MultiValueDict
from django.utils.html import escape

from careers.applications import question_types
from careers.applications.frozen import FrozenForm, Option, Question
from careers.documents import text as documents
from careers.feeds.atom import clean as clean_xml
from careers.forms import types
from careers.forms.builder import EDITION, HONEYPOT, ApplicationForm
from careers.forms.text import SLACK, TextField
from careers.forms.types.long_text import LIMIT
from careers.forms.uploads import PDF, clean_filename
from careers.jobs.listing import NAMES
from careers.notifications import messages
from careers.notifications.refusals import refused, without_addresses
from careersite.logs import masked
from home.bidi import isolated
from home.values import email, name, phone
from home.values import text as typed_text
from tests.support.growth import ALPHABETS, cost, grows_too_fast, text_of

ROOT = Path(__file__).resolve().parents[2]
#: More characters than a form may have; the largest text is eight times as long as a step.
HUGE = 320_000
OPTIONS = (Option("a", "A"), Option("b", "B"))
#: As HR would ask: types without options ignore them.
QUESTIONS = {
    name: Question("it", name, "What?", options=OPTIONS) for name in question_types.names()
}


def handled(question: Question, *texts: str, field: str = "q-it") -> ApplicationForm:
    """A form of one question with these texts, after all that the site does with it."""
    data = QueryDict(mutable=True)
    data.setlist(field, list(texts))
    frozen = FrozenForm("Job", "Company", "en", "UTC", (question,))
    form = ApplicationForm(frozen, job_key=uuid.uuid4(), data=data, files=MultiValueDict())
    if form.is_valid():
        kind = question_types.type_of(question)
        answer = form.answers.get(question.key)
        kind.normalise(answer)
        kind.in_words(question, answer)
        kind.cell(question, answer)
    form.typed()
    form.no_longer_asked()
    assert form.looks_automatic is (field == HONEYPOT)
    assert isinstance(form.is_current, bool)
    return form


def too_slow_for(question: Question) -> list[str]:
    """The alphabets for which the cost of a question grows faster than the answer."""
    longest = types.field_type(question).longest
    # The longest text that is refused at sight, that is composed, and that is accepted.
    lengths = {HUGE, SLACK * longest, longest}
    return [
        f"{alphabet}, up to {length} characters"
        for alphabet in ALPHABETS
        for length in sorted(lengths)
        if grows_too_fast(lambda n, a=alphabet: handled(question, text_of(a, n)), length // 8)
    ]


@pytest.mark.parametrize("name", question_types.names())
def test_cost_of_an_answer_grows_with_its_length_only(name: str) -> None:
    assert too_slow_for(QUESTIONS[name]) == []


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Question:
    """A question of a type that validates by a quadratic pattern."""
    for registry in (question_types, types):
        monkeypatch.setattr(registry, "_registered", dict(registry._registered))

    @question_types.register
    class Slow(question_types.QuestionType):
        name = "slow"

    @types.register
    class SlowField(types.FieldType):
        name = "slow"
        longest = 2000

        def field(self, question: Question) -> forms.Field:
            return forms.RegexField(r"^[0-9 ]*[0-9][0-9 ]*\Z", **self.options(question))

    return Question("it", "slow", "What?")


def test_quadratic_pattern_of_a_new_type_is_noticed(slow: Question) -> None:
    assert "digits, up to 8000 characters" in too_slow_for(slow)


def test_answer_over_its_limit_reaches_no_validator(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    field = TextField(limit=10, validators=[seen.append])
    for text in ("x" * 11, "x" * 41):
        with pytest.raises(forms.ValidationError, match="It has"):
            field.clean(text)
    assert seen == []
    assert field.clean("x" * 10) == "x" * 10
    assert seen == ["x" * 10]


@pytest.mark.parametrize("name", question_types.names())
def test_answer_over_its_limit_reaches_no_code_of_its_type(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    question = QUESTIONS[name]
    seen: list[Any] = []
    field = types.field_type(question).field(question)
    monkeypatch.setattr(type(field), "clean", lambda _self, value, *_more: seen.append(value))
    form = handled(question, "x" * HUGE)
    # A tick or a file is no text, whatever was sent for it.
    assert [value for value in seen if isinstance(value, (str, list))] == []
    assert form.is_valid() is bool(seen)


def test_answer_for_many_options_is_bounded_too() -> None:
    form = handled(QUESTIONS["multiple_choice"], *["x" * 300] * 900)
    assert "It has 270000." in form.errors["q-it"][0]


def test_choice_that_was_sent_many_times_counts_once() -> None:
    form = handled(QUESTIONS["multiple_choice"], *["a", "b"] * 400)
    assert form.answers == {"it": ["a", "b"]}


@pytest.mark.parametrize("field", [EDITION, HONEYPOT, "q-gone", "kept-q-it", "drop-q-it"])
def test_cost_of_a_hidden_field_grows_with_its_length_only(db: None, field: str) -> None:
    kind = "file" if "q-it" in field else "name"
    slow = [
        alphabet
        for alphabet in ALPHABETS
        if grows_too_fast(
            lambda n, a=alphabet: handled(QUESTIONS[kind], text_of(a, n), field=field), HUGE // 8
        )
    ]
    assert slow == []


# ── Public addresses ───────────────────────────────────────────────────────────────────

#: The longest line and the longest header field that gunicorn takes, in bytes.
LINE, FIELD = 4094, 8190
#: A request with the longest hostile text may cost this many times as much as one with a letter.
DEARER = 5
HEADERS = (
    *("Accept", "Accept-Language", "Authorization", "Cookie", "Forwarded", "If-Modified-Since"),
    *("If-None-Match", "Origin", "Range", "Referer", "Sec-Fetch-Site", "User-Agent", "Via"),
    *("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Requested-With"),
)


def too_dear(ask: Callable[[bytes], int], length: int) -> list[str]:
    """The alphabets with which a request costs clearly more than an ordinary one."""

    def asking(alphabet: str) -> Callable[[int], object]:
        def work(count: int) -> None:
            assert ask(text_of(alphabet, count).encode("utf-8", "replace")[:count]) < 500

        return work

    asking("letters")(1)
    usual = cost(asking("letters"), 1, runs=5)
    return [
        alphabet
        for alphabet in ALPHABETS
        if cost(asking(alphabet), length) > DEARER * usual
        and cost(asking(alphabet), length, runs=3) > DEARER * usual
    ]


def test_cost_of_a_filter_is_bounded(client: Client, job_index: Any, job: Any) -> None:
    def ask(text: bytes) -> int:
        query = dict.fromkeys([*NAMES, "q", "page"], text)
        return client.get(job_index.url, query).status_code

    assert too_dear(ask, LINE) == []


def test_cost_of_a_header_is_bounded(client: Client, job: Any) -> None:
    def ask(text: bytes) -> int:
        headers = dict.fromkeys(HEADERS, text.decode("latin-1"))
        client.post(job.apply_url, {"confirm": text}, headers=headers)
        return client.get(reverse("atom"), headers=headers).status_code

    assert too_dear(ask, FIELD) == []


@pytest.mark.parametrize("start", ["", "careers/", "fr/received/"])
def test_cost_of_a_path_is_bounded(client: Client, job: Any, start: str) -> None:
    def ask(text: bytes) -> int:
        return client.get(f"/{start}" + "".join(f"%{byte:02x}" for byte in text)).status_code

    assert too_dear(ask, LINE // 3) == []


def test_cost_of_a_content_type_is_bounded(client: Client, job: Any) -> None:
    def ask(text: bytes) -> int:
        kind = "multipart/form-data; boundary=" + text.decode("latin-1")
        return client.post(job.apply_url, b"--x", content_type=kind).status_code

    assert too_dear(ask, FIELD) == []


# ── Functions that handle what was stored, or what other servers say ───────────────────


def refusal(check: Callable[[str], None], typed: str) -> str:
    """Why a value is refused; "" if it is accepted."""
    try:
        check(typed)
    except ValidationError as error:
        return error.messages[0]
    return ""


FUNCTIONS: dict[str, Callable[[str], object]] = {
    "text.clean": typed_text.clean,
    "text.plain": typed_text.plain,
    "name.clean": name.clean,
    "email.clean": email.clean,
    "email.check": lambda typed: refusal(email.check, typed),
    "phone.clean": phone.clean,
    "phone.check": lambda typed: refusal(phone.check, typed),
    "phone.digits": phone.digits,
    "phone.uri": phone.uri,
    "isolated": isolated,
    "documents.clean": documents.clean,
    "documents.breakable": documents.breakable,
    "documents.direction": documents.direction,
    "documents.excerpt": lambda text: documents.excerpt([text], limit=LIMIT, most=1000),
    "messages.one_line": lambda text: messages.one_line(text, 200),
    "clean_filename": lambda text: clean_filename(text, PDF),
    "clean_xml": clean_xml,
    "masked": masked,
    "refused": lambda text: refused("recipient", 550, text.encode("utf-8", "replace"), "a@a.a"),
    "without_addresses": lambda text: without_addresses(
        text.encode("utf-8", "replace"), f"{text[:64]}@a.a"
    ),
    "linebreaks": linebreaks,
    "linebreaksbr": linebreaksbr,
    "urlize": urlize,
    "escape": escape,
    "title_words": lambda text: re.findall(r"[^\W\d_]{4,}", text.casefold()),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_cost_of_a_function_grows_with_the_text_only(name: str) -> None:
    work = FUNCTIONS[name]
    slow = [a for a in ALPHABETS if grows_too_fast(lambda n, a=a: work(text_of(a, n)), LIMIT // 8)]
    assert slow == []


def test_text_is_normalised_only_where_its_marks_are_bounded() -> None:
    """Python's own function takes time with the square of a row of combining marks."""
    found = []
    for folder in ("careers", "home", "site"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                named = getattr(node, "attr", getattr(node, "id", ""))
                if named in ("normalize", "is_normalized") and "unicodedata" in ast.unparse(node):
                    found.append(path.relative_to(ROOT).as_posix())
    assert set(found) == {"careers/search/folding.py", "home/values/text.py"}
