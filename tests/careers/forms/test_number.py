"""A number question: what is typed, what the form asks back, and what is stored and shown."""

from __future__ import annotations

import json
import re
import uuid
from html import unescape
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.utils import translation
from wagtail_localize.segments.extract import extract_segments

from careers.applications.answers import in_words
from careers.applications.frozen import FrozenForm, Question
from careers.applications.models import Application
from careers.archive.manifest import manifest
from careers.documents import Branding, document_for
from careers.forms.builder import ApplicationForm
from careers.forms.types.number import NumberBlock
from tests.support.applying import ask, kept_token, send
from tests.support.people import ada, logged_in

pytestmark = pytest.mark.django_db

EURO, DINAR, YEN = {"currency": "EUR"}, {"currency": "KWD"}, {"currency": "JPY"}
KWACHA = {"currency": "ZMW"}
#: What may be written beside a number and is no currency; some are codes in small letters.
OTHER = ("all", "top", "try", "m", "weeks", "k m", "lakh", "€ $")
YEARS = {"unit": "years", "minimum": "0", "maximum": "60"}
TWO = {
    "en": "can be read as two numbers. Choose the one you mean for “Pay”.",
    "fr": "peut se lire de deux façons.",
}


def sent(text: str, meant: str = "", language: str = "en", **settings: str) -> ApplicationForm:
    """A form with one number question as it was sent."""
    asked = Question("it", "number", "Pay", settings=tuple(settings.items()))
    data = QueryDict(mutable=True)
    data["q-it"], data["meant-q-it"] = text, meant
    frozen = FrozenForm("Job", "Company", language, "UTC", (asked,))
    with translation.override(language):
        form = ApplicationForm(frozen, job_key=uuid.uuid4(), data=data)
        form.is_valid()
    return form


@pytest.mark.parametrize(
    ("language", "typed", "settings", "stored", "shown"),
    [
        ("en", "", {}, None, None),
        ("en", "40", {}, "40", "40"),
        ("en", "3,5", {}, "3.5", "3.5"),
        ("fr", "3.5", {}, "3.5", "3,5"),
        ("fr", "45 000", {}, "45000", "45\u202f000"),
        ("en", "45\u00a0000", {}, "45000", "45,000"),
        ("fr", "45\u202f000", EURO, "45000 (EUR)", "45\u202f000\u00a0€"),
        ("en", "€45,000.50", EURO, "45000.5 (EUR)", "€45,000.50"),
        ("fr", "45 000 euros", EURO, "45000 (EUR)", "45\u202f000\u00a0€"),
        ("en", "EUR 45 000", EURO, "45000 (EUR)", "€45,000"),
        ("en", "٤٥٬٠٠٠", EURO, "45000 (EUR)", "€45,000"),
        ("en", "7.5", DINAR, "7.5 (KWD)", "KWD\u00a07.500"),
        ("en", "¥5'000'000", YEN, "5000000 (JPY)", "¥5,000,000"),
        ("en", "6 years", YEARS, "6 (years)", "6\u00a0years"),
        ("en", "6Years", YEARS, "6 (years)", "6\u00a0years"),
        ("en", "80 %", {"unit": "%"}, "80 (%)", "80\u00a0%"),
        # A question without a currency keeps the one that the applicant wrote.
        ("en", "$45 000", {}, "45000 $", "45,000\u00a0$"),
        ("fr", "45 000 chf", {}, "45000 CHF", "45\u202f000\u00a0CHF"),
        ("fr", "45 000 FCFA", {}, "45000 FCFA", "45\u202f000\u00a0FCFA"),
        ("en", "Fr. 45'000.-", {}, "45000 Fr.", "45,000\u00a0Fr."),
        ("en", "Rs 45 000", {}, "45000 Rs", "45,000\u00a0Rs"),
        ("en", "45 000,- kr", {}, "45000 kr", "45,000\u00a0kr"),
        ("en", "45 000 zł", {}, "45000 zł", "45,000\u00a0zł"),
        ("en", "R$ 45 000", {}, "45000 R$", "45,000\u00a0R$"),
        ("en", "US$45 000", {}, "45000 US$", "45,000\u00a0US$"),
        ("en", "45 000 dollars", {}, "45000 dollars", "45,000\u00a0dollars"),
        ("en", "€45k", {}, "45000 €", "45,000\u00a0€"),
        ("fr", "45,5 k€", {}, "45500 €", "45\u202f500\u00a0€"),
        ("en", "€45k", EURO, "45000 (EUR)", "€45,000"),
        ("en", "45k", EURO, "45000 (EUR)", "€45,000"),
        ("fr", "1,5 M€", EURO, "1500000 (EUR)", "1\u202f500\u202f000\u00a0€"),
        ("en", "€3.5m", EURO, "3500000 (EUR)", "€3,500,000"),
        ("en", "3.5m €", EURO, "3500000 (EUR)", "€3,500,000"),
        ("en", "3.5 mio", EURO, "3500000 (EUR)", "€3,500,000"),
        ("en", "K45 000", KWACHA, "45000 (ZMW)", "ZMW\u00a045,000"),
    ],
)
def test_number_is_stored_exactly_and_shown_with_its_unit(
    language: str, typed: str, settings: dict[str, str], stored: str | None, shown: str | None
) -> None:
    form = sent(typed, language=language, **settings)
    assert form.errors == {}
    assert form.answers == {"it": stored}
    with translation.override(language):
        assert in_words(form.frozen.questions[0], stored) == ([shown] if shown else [])


@pytest.mark.parametrize(
    ("language", "typed", "settings", "choices"),
    [
        ("en", "45.000", {}, {"45000": "45,000", "45": "45"}),
        ("en", "45,000", {}, {"45000": "45,000", "45": "45"}),
        ("fr", "45.000", EURO, {"45000 (EUR)": "45\u202f000\u00a0€", "45 (EUR)": "45\u00a0€"}),
        ("fr", "45,000", EURO, {"45000 (EUR)": "45\u202f000\u00a0€", "45 (EUR)": "45\u00a0€"}),
        ("en", "€45,000", {}, {"45000 €": "45,000\u00a0€", "45 €": "45\u00a0€"}),
        ("en", "-1.250", {}, {"-1250": "-1,250", "-1.25": "-1.25"}),
        ("en", "1.250", DINAR, {"1250 (KWD)": "KWD\u00a01,250", "1.25 (KWD)": "KWD\u00a01.250"}),
        # What the question does not accept is not offered, and the other is not guessed.
        ("en", "45.000", YEARS, {"45 (years)": "45\u00a0years"}),
        ("en", "1.250", YEN, {"1250 (JPY)": "¥1,250"}),
        ("en", "1.250", {"whole": "yes"}, {"1250": "1,250"}),
        ("en", "1,0000", {}, {"10000": "10,000", "1": "1"}),
        ("en", "045.000", {}, {"45000": "45,000", "45": "45"}),
        ("en", "45k", {}, {"45000": "45,000", "45": "45"}),
        ("en", "10k", {"unit": "km"}, {"10000 (km)": "10,000\u00a0km", "10 (km)": "10\u00a0km"}),
        ("en", "4000 m", EURO, {"4000000000 (EUR)": "€4,000,000,000", "4000 (EUR)": "€4,000"}),
        ("en", "3.5 m", EURO, {"3500000 (EUR)": "€3,500,000", "3.5 (EUR)": "€3.50"}),
        ("en", "3.5M.", EURO, {"3500000 (EUR)": "€3,500,000", "3.5 (EUR)": "€3.50"}),
        ("en", "40k", KWACHA, {"40000 (ZMW)": "ZMW\u00a040,000", "40 (ZMW)": "ZMW\u00a040"}),
    ],
)
def test_number_that_can_be_two_is_asked_back_and_stored_as_chosen(
    language: str, typed: str, settings: dict[str, str], choices: dict[str, str]
) -> None:
    form = sent(typed, language=language, **settings)
    (error,) = form.errors["q-it"]
    assert TWO[language] in error
    offered = form.fields["q-it"].choices
    assert [(words, chosen) for _value, words, chosen in offered] == [
        (words, False) for words in choices.values()
    ]
    for (value, _words, _chosen), stored in zip(offered, choices, strict=True):
        again = sent(typed, value, language, **settings)
        assert again.errors == {}
        assert again.answers == {"it": stored}
        assert (value, True) in [(it, chosen) for it, _w, chosen in again.fields["q-it"].choices]
    assert TWO[language] in str(sent(typed, "99", language, **settings).errors)


@pytest.mark.parametrize(
    ("typed", "settings", "message"),
    [
        *((text, {}, "Enter “Pay” as a number, such as 40.") for text in ("1e3", "1_000", "nan")),
        ("inf", {}, "Enter “Pay” as a number, such as 40."),
        *((f"40 {mark}", {}, "Enter “Pay” as a number only, such as 40.") for mark in OTHER),
        ("€5/h", {}, "Enter “Pay” as a number only, such as 40."),
        ("5 €/h", EURO, "Enter “Pay” as a number only, such as €40."),
        ("40 all", EURO, "Enter “Pay” as a number only, such as €40."),
        ("40.000k", {}, "Enter “Pay” as a number only, such as 40."),
        ("40k m", EURO, "Enter “Pay” as a number only, such as €40."),
        ("Fr. 40", EURO, "Enter “Pay” in this currency: Euro (EUR), such as €40."),
        ("6 weeks", YEARS, "Enter “Pay” as a number only, such as 40\u00a0years."),
        ("€6", YEARS, "Enter “Pay” as a number only, such as 40\u00a0years."),
        ("$40", EURO, "Enter “Pay” in this currency: Euro (EUR), such as €40."),
        ("-1", YEARS, "Enter 0\u00a0years or more for “Pay”."),
        ("61", YEARS, "Enter 60\u00a0years or less for “Pay”."),
        ("61.000", YEARS, "Enter 60\u00a0years or less for “Pay”."),
        ("6.5", {"whole": "yes"}, "Enter a whole number for “Pay”, such as 40."),
        ("6.5", YEN, "Enter a whole number for “Pay”, such as ¥40."),
        ("6.55555", {}, "Enter at most 4 digits after the decimal separator for “Pay”."),
        ("3", {"minimum": "40.5", "whole": "yes"}, "Enter 40.5 or more for “Pay”."),
        ("x", {"minimum": "40.5", "whole": "yes"}, "Enter “Pay” as a number, such as 41."),
        ("6.5555", EURO, "Enter at most 2 digits after the decimal separator for “Pay”."),
        ("1" * 16, {}, "Enter at most 15 digits for “Pay”."),
    ],
)
def test_refusal_names_the_question_and_what_it_accepts(
    typed: str, settings: dict[str, str], message: str
) -> None:
    assert sent(typed, **settings).errors["q-it"] == [message]


def test_choice_for_a_text_that_was_corrected_is_ignored() -> None:
    assert sent("50 000", "45000").answers == {"it": "50000"}


def test_number_of_an_earlier_release_is_readable() -> None:
    asked = Question("it", "number", "Pay")
    assert in_words(asked, "-1234567.5") == ["-1,234,567.5"]


# ── The whole way ──────────────────────────────────────────────────────────────────────


#: What is typed into a question of a type, its settings, what is stored, and what people read.
WAYS = [
    ("number", {"currency": "EUR", "minimum": "0"}, "45.000", "45000 (EUR)", "€45,000"),
    ("number", {"currency": "KWD"}, "KWD 1 250,5", "1250.5 (KWD)", "KWD\u00a01,250.500"),
    ("number", {"currency": "JPY", "whole": True}, "٥٬٠٠٠٬٠٠٠ ¥", "5000000 (JPY)", "¥5,000,000"),
    ("number", {"unit": "heures <h>"}, "37,5", "37.5 (heures <h>)", "37.5\u00a0heures <h>"),
    ("number", {}, "-1’234’567.25", "-1234567.25", "-1,234,567.25"),
    ("number", {}, "80 000 ₹", "80000 ₹", "80,000\u00a0₹"),
    ("date", {}, "31/3/2027", "2027-03-31", "31 March 2027"),
    ("date", {}, "٢٠٢٧-٠٣-٣١", "2027-03-31", "31 March 2027"),
    ("link", {}, "www.linkedin.com/in/anna", *["https://www.linkedin.com/in/anna"] * 2),
    ("link", {}, "例え.テスト/ａ", *["https://例え.テスト/ａ"] * 2),
]


def test_confirmed_number_and_all_else_are_the_same_everywhere(client: Client, job: Any) -> None:
    questions = [ask(kind, f"Nr. {at}?", key=str(at)) for at, (kind, *_) in enumerate(WAYS)]
    for question, (_kind, settings, *_) in zip(questions, WAYS, strict=True):
        question["value"] |= settings
    job.questions = questions
    job.save()
    typed = {f"q-{at}": way[2] for at, way in enumerate(WAYS)}
    page = send(client, job, **typed)
    html = page.content.decode()
    assert page.status_code == 422
    assert html.count("field--wrong") == 1
    assert 'value="45.000"' in html
    radios = re.findall(r'type="radio".*?name="(.*?)" value="(.*?)".*?<span .*?>(.*?)</span>', html)
    assert radios == [("meant-q-0", "45000", "€45,000"), ("meant-q-0", "45", "€45")]
    again = {**typed, "meant-q-0": "45000", "cv": None, "kept-cv": kept_token(page)}
    answer = send(client, job, **again)
    assert answer.status_code == 303

    application = Application.objects.get()
    stored = {str(at): way[3] for at, way in enumerate(WAYS)}
    assert {key: application.answers[key] for key in stored} == stored
    archived = json.loads(manifest(application, ()))
    assert {key: archived["answers"][key] for key in stored} == stored
    assert archived["form"]["questions"][-len(WAYS)]["options"] == [
        {"key": "setting:currency", "label": "EUR"},
        {"key": "setting:minimum", "label": "0"},
    ]
    shown = [way[4] for way in WAYS]
    document = document_for(application, Branding("Tidewater", "#0e5c46"))
    assert [answer.paragraphs for answer in document.answers] == [(words,) for words in shown]
    reader = logged_in(ada())
    for read in (
        client.get(answer["Location"]),
        reader.get(f"/admin/applications/{application.reference}/"),
    ):
        text = unescape(read.content.decode())
        assert [words for words in shown if words not in text] == []


def test_question_is_frozen_with_what_hr_set(job: Any) -> None:
    years = ask("number", "Years", key="years")
    years["value"] |= {"unit": "years", "maximum": "60", "whole": True}
    job.questions = [years, ask("number", "Any", key="any")]
    job.save()
    job.refresh_from_db()
    frozen = job.frozen_form()
    assert frozen.question("years").settings == (
        ("unit", "years"),
        ("maximum", "60"),
        ("whole", "yes"),
    )
    assert frozen.question("any").settings == ()


# ── What HR sets ───────────────────────────────────────────────────────────────────────


def posted(**changes: str) -> Any:
    """The value of a number block as the page editor posts it."""
    block = NumberBlock()
    data = {"n-label": "Pay", "n-help_text": "", "n-unit": "", "n-currency": "", "n-minimum": ""}
    data |= {"n-maximum": "", **{f"n-{name}": text for name, text in changes.items()}}
    return block.clean(block.value_from_datadict(data, {}, "n"))


def test_hr_sets_a_currency_by_its_name_and_limits_as_people_write_them() -> None:
    value = posted(currency="Euro (EUR)", minimum="20 000", maximum="90.000,5", whole="on")
    assert (value["currency"], value["whole"]) == ("EUR", True)
    assert (str(value["minimum"]), str(value["maximum"])) == ("20000", "90000.5")
    assert posted(currency="swiss franc")["currency"] == "CHF"
    for low, high, more in (("2.2", "3", "whole"), ("0.2", "1", "whole"), ("2.2", "2.8", "")):
        assert posted(minimum=low, maximum=high, **({more: "on"} if more else {}))["minimum"]


def test_question_of_an_earlier_release_can_be_translated(job: Any) -> None:
    job.questions = [ask("number", "Pay", key=str(uuid.uuid4()))]
    job.save()
    job.refresh_from_db()
    asked = [segment for segment in extract_segments(job) if segment.path.startswith("questions")]
    assert [segment.string.data for segment in asked] == ["Pay"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"unit": "years", "currency": "EUR"}, "currency"),
        ({"minimum": "2", "maximum": "1"}, "maximum"),
        ({"minimum": "2.2", "maximum": "2.8", "whole": "on"}, "maximum"),
        ({"minimum": "-0.8", "maximum": "-0.2", "whole": "on"}, "maximum"),
        ({"minimum": "0.2", "maximum": "0.8", "currency": "JPY"}, "maximum"),
        ({"minimum": "0.001", "maximum": "0.004", "currency": "EUR"}, "maximum"),
        ({"minimum": "1.000"}, "minimum"),
        ({"minimum": "1e3"}, "minimum"),
        ({"currency": "DEM"}, "currency"),
    ],
)
def test_settings_that_contradict_are_refused(changes: dict[str, str], field: str) -> None:
    with pytest.raises(Exception) as caught:  # noqa: PT011 -- the errors of a block have no text
        posted(**changes)
    assert list(caught.value.block_errors) == [field]
