"""The form of a job: every type of question with valid and invalid answers."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from careers.applications.frozen import FrozenForm, Option, Question
from careers.applications.question_types import names
from careers.forms.builder import BUILT_IN_NAMES, ApplicationForm, field_name
from careers.forms.types.long_text import LIMIT
from careers.forms.uploads import clean_up, keep
from careers.inspection import DOCX, Busy, Judged, Refused, Verdict, words
from home.models import SiteSettings
from tests.support.applying import ADDRESS, JANE, ask, bound, received, the_cv
from tests.support.factories import JobPageFactory
from tests.support.papers import OLD_WORD, PROGRAM, make_cv, make_docx, make_pdf

pytestmark = pytest.mark.django_db

SHIFTS = {"early": "Early", "late": "Late"}
NO_LINK = "Enter the address of a web page for “What?”, such as https://example.com/page."
NO_DATE = "Enter a date with day, month and year for “What?”, such as 31 March 2027."


def add_questions(job: Any, *questions: Any) -> Any:
    job.questions = list(questions)
    job.save()
    return job


def answer(job: Any, kind: str, value: Any, **question: Any) -> Any:
    """The stored answer to one custom question, or its error messages."""
    add_questions(job, ask(kind, "What?", key="it", **question))
    form = bound(job, **{"q-it": value})
    return form.answers["it"] if form.is_valid() else list(form.errors["q-it"])


# ── Standard fields ────────────────────────────────────────────────────────────────────


def test_form_with_required_answers_only_is_valid(job: Any) -> None:
    form = bound(job)
    assert form.is_valid(), form.errors
    assert form.answers == {"name": JANE, "email": "jane@example.org", "phone": ""}
    assert [upload.question_key for upload in form.uploads] == ["cv"]


def test_empty_form_names_each_missing_answer(job: Any) -> None:
    form = bound(job, name=None, email=None, cv=None)
    assert not form.is_valid()
    assert form.errors == {
        "name": ["Enter your full name."],
        "email": ["Enter your e-mail address."],
        "cv": ["Choose a file for “CV”."],
    }


@pytest.mark.parametrize(
    "name",
    [
        "Zoë O’Brien",
        "D'Arcy Ní Dhuibhne",
        "María-José Carreño Quiñones",
        "Nguyễn Thị Minh Khai",
        "李小龍",
        "عبد الرحمن",
        "שרה כהן",
        "X Æ A-12 🚀",
        "O",
        "Jean-Luc <b>Picard</b> & Söhne",
        "=cmd|' /C calc'!A0",
    ],
)
def test_name_in_any_language_is_stored_as_typed(job: Any, name: str) -> None:
    form = bound(job, name=name)
    assert form.is_valid(), form.errors
    assert form.answers["name"] == name


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("  Jane Miller \n", JANE),
        ("\tJane  Miller", JANE),
        ("Jane\r\nBcc: all@example.org", "Jane Bcc: all@example.org"),
        ("Jane\u2028Miller", JANE),
        ("\ufeffJane\x00 Mil\u200bler", JANE),
    ],
)
def test_name_is_stored_on_one_line_without_invisible_characters(
    job: Any, typed: str, stored: str
) -> None:
    form = bound(job, name=typed)
    assert form.is_valid(), form.errors
    assert form.answers["name"] == stored


@pytest.mark.parametrize("name", ["\u200b", "\u2800", "\u3164", "\u0301", " \u202e\u00a0 "])
def test_name_of_nothing_visible_is_missing(job: Any, name: str) -> None:
    form = bound(job, name=name)
    assert form.errors == {"name": ["Enter your full name."]}


def test_name_too_long_names_limit_and_length(job: Any) -> None:
    form = bound(job, name="x" * 151)
    assert not form.is_valid()
    assert form.errors["name"] == ["Shorten this to 150 characters. It has 151."]


def test_name_is_measured_after_normalisation(job: Any) -> None:
    # U+FB2C becomes three characters in NFC.
    form = bound(job, name="\ufb2c" * 150)
    assert not form.is_valid()
    assert form.errors["name"] == ["Shorten this to 150 characters. It has 450."]


@pytest.mark.parametrize(
    "email",
    [
        "jane.miller+jobs@example.org",
        "o'brien@example.ie",
        "JANE@EXAMPLE.ORG",
        "  jane@example.org ",
        "jane@münchen.example.de",
    ],
)
def test_valid_email_is_accepted(job: Any, email: str) -> None:
    form = bound(job, email=email)
    assert form.is_valid(), form.errors
    assert form.answers["email"] == email.strip()


@pytest.mark.parametrize(
    ("email", "error"),
    [
        ("jane", "“jane” has no @."),
        ("jane@", "Nothing stands after the @ in “jane@”."),
        ("@example.org", "Nothing stands before the @ in “@example.org”."),
        ("jane@@example.org", "“jane@@example.org” has more than one @."),
        ("jane@example", "The end is missing after “example”, such as .com."),
        ("a@example.org, b@example.org", "Enter one e-mail address."),
        ("jane@example.org\r\nBcc: all@example.org", "Enter one e-mail address."),
        ("jane miller@example.org", "“jane miller@example.org” has a space in it."),
        ("jane@exam_ple.org", "in the form name@example.com."),
    ],
)
def test_invalid_email_shows_what_is_wrong(job: Any, email: str, error: str) -> None:
    form = bound(job, email=email)
    assert not form.is_valid()
    assert error in form.errors["email"][0]


@pytest.mark.parametrize("email", ["\u200bjane@example.org", "Jane <mailto:jane@example.org>"])
def test_pasted_email_is_understood(job: Any, email: str) -> None:
    form = bound(job, email=email)
    assert form.is_valid(), form.errors
    assert form.answers["email"] == ADDRESS


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("+44 20 7946 0018", "+44 20 7946 0018"),
        ("(0)55 / 12-34", "(0)55 / 12-34"),
        ("0049.30.1234", "0049.30.1234"),
        ("+1 (555) 010-9999 x12", "+1 (555) 010-9999 x12"),
        ("\u202a+44\u201120 7946 0018\u202c", "+44-20 7946 0018"),
        ("١٢٣", "123"),
        ("12\n34", "12 34"),
        *(
            (text, text)
            for text in (
                "+44 20 7946 0018 ext. 1234, or after 5 pm +44 7700 900 123",
                "Mobile: +33 6 12 34 56 78 / office: +33 1 23 45 67 89, extension 4567 (mornings)",
                "9" * 100,
            )
        ),
    ],
)
def test_phone_is_stored_as_it_was_written(job: Any, typed: str, stored: str) -> None:
    form = bound(job, phone=typed)
    assert form.is_valid(), form.errors
    assert form.answers["phone"] == stored


@pytest.mark.parametrize(
    ("phone", "error"),
    [
        ("none", "There is no digit in “none”."),
        ("+", "There is no digit in “+”."),
        ("9" * 101, "Shorten this to 100 characters. It has 101."),
        ("jane1@example.org", "“jane1@example.org” is not a phone number."),
    ],
)
def test_invalid_phone_shows_what_is_wrong(job: Any, phone: str, error: str) -> None:
    form = bound(job, phone=phone)
    assert not form.is_valid()
    assert form.errors["phone"][0].startswith(error)


def test_missing_required_phone_is_an_error(job: Any) -> None:
    job.ask_phone = "required"
    form = bound(job)
    assert not form.is_valid()
    assert form.errors == {"phone": ["Enter your phone number."]}


def test_phone_and_cv_when_off_are_not_asked(job: Any) -> None:
    job.ask_phone = job.ask_cv = "off"
    form = bound(job, cv=None)
    assert list(form.fields) == ["name", "email"]
    assert form.is_valid()


# ── Custom questions ───────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("kind", "typed", "stored"),
    [
        ("short_text", "The tide tables", "The tide tables"),
        ("short_text", "", ""),
        ("short_text", "a\nb\u202e", "a b"),
        ("long_text", "One\r\n\r\nTwo", "One\n\nTwo"),
        ("long_text", "\tOne\x0bTwo\x0c\x00Three\x07", "One\nTwo\nThree"),
        ("long_text", "e\u0301", "é"),
        ("link", "https://example.org/me?a=1", "https://example.org/me?a=1"),
        ("link", "www.linkedin.com/in/anna", "https://www.linkedin.com/in/anna"),
        ("link", "", ""),
        ("yes_no", "yes", True),
        ("yes_no", "no", False),
        ("yes_no", None, None),
        ("number", "40", "40"),
        ("number", "12.50", "12.5"),
        ("number", "1000000", "1000000"),
        ("number", "-3", "-3"),
        ("number", "-0", "0"),
        ("number", "", None),
        ("date", "2027-03-31", "2027-03-31"),
        ("date", "31/3/2027", "2027-03-31"),
        ("date", "", None),
        ("consent", "on", True),
        ("consent", None, False),
    ],
)
def test_answer_is_stored_ready_for_json(job: Any, kind: str, typed: Any, stored: Any) -> None:
    assert answer(job, kind, typed) == stored


def test_choice_is_stored_by_key(job: Any) -> None:
    assert answer(job, "single_choice", "late", options=SHIFTS) == "late"
    assert answer(job, "multiple_choice", ["late", "early"], options=SHIFTS) == ["late", "early"]


@pytest.mark.parametrize(
    ("kind", "typed", "message"),
    [
        ("short_text", "x" * 301, "Shorten this to 300 characters. It has 301."),
        ("link", "example org", NO_LINK),
        ("link", "javascript:alert(1)", NO_LINK),
        ("link", "ftp://example.org/x", NO_LINK),
        ("yes_no", "maybe", "Choose yes or no."),
        ("number", "many", "Enter “What?” as a number, such as 40."),
        ("number", "NaN", "Enter “What?” as a number, such as 40."),
        ("number", "Infinity", "Enter “What?” as a number, such as 40."),
        ("number", "4\x000", "Enter “What?” as a number, such as 40."),
        ("date", "soon", NO_DATE),
        ("date", "2027-02-30", NO_DATE),
        ("single_choice", "night", "Choose one of the answers."),
        ("multiple_choice", ["early", "night"], "Choose among the answers."),
    ],
)
def test_invalid_answer_gets_an_error_with_the_correction(
    job: Any, kind: str, typed: Any, message: str
) -> None:
    options = {"options": SHIFTS} if "choice" in kind else {}
    assert answer(job, kind, typed, **options) == [message]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("short_text", "Enter an answer to “What?”."),
        ("long_text", "Enter an answer to “What?”."),
        ("link", "Enter an answer to “What?”."),
        ("number", "Enter an answer to “What?”."),
        ("date", "Enter an answer to “What?”."),
        ("single_choice", "Choose an answer to “What?”."),
        ("yes_no", "Choose an answer to “What?”."),
        ("multiple_choice", "Choose at least one answer to “What?”."),
        ("consent", "Tick the box to agree to “What?”."),
        ("file", "Choose a file for “What?”."),
    ],
)
def test_missing_required_answer_names_the_question(job: Any, kind: str, message: str) -> None:
    options = {"options": SHIFTS} if "choice" in kind else {}
    assert answer(job, kind, None, required=True, **options) == [message]


def test_note_has_no_answer(job: Any) -> None:
    add_questions(job, ask("note", "No CV?", key="note"))
    form = bound(job, **{"q-note": "typed into nothing"})
    assert form.is_valid()
    assert "note" not in form.answers


@pytest.mark.parametrize("typed", ["1" * 16, "1e40", "1e-9", "9" * 10_000])
def test_number_with_too_many_digits_is_refused(job: Any, typed: str) -> None:
    assert isinstance(answer(job, "number", typed), list)


def test_long_text_of_10000_characters_is_accepted(job: Any) -> None:
    text = "🌊" * LIMIT
    assert answer(job, "long_text", text) == text


def test_long_text_counts_each_line_break_as_one_character(job: Any) -> None:
    # A browser counts a line break as one character and sends two.
    text = "a\r\n" * 5000
    assert answer(job, "long_text", text) == "a\n" * 4999 + "a"


def test_long_text_of_10001_characters_is_refused(job: Any) -> None:
    assert answer(job, "long_text", "x" * 10_001) == [
        "Your text is 10001 characters long. Shorten it to 10000 or attach it as a file."
    ]


def test_question_keeps_its_key_when_reordered_and_renamed(job: Any) -> None:
    why, what = ask("long_text", "Why?", key="why"), ask("short_text", "What?", key="what")
    add_questions(job, why, what)
    before = {question.key: question.type for question in job.frozen_form().questions}
    add_questions(job, {**what, "value": {**what["value"], "label": "What, then?"}}, why)
    after = {question.key: question.type for question in job.frozen_form().questions}
    assert after == before
    assert list(after)[-2:] == ["what", "why"]


def test_custom_question_never_gets_the_field_name_of_a_standard_field() -> None:
    assert field_name("email") == "email"
    assert field_name("website") == "q-website"


#: Something wrong for each type of question.
WRONG = {
    "short_text": "x" * 301,
    "long_text": "x" * 10_001,
    "link": "javascript:alert(1)",
    "yes_no": "maybe",
    "number": "many",
    "date": "soon",
    "consent": None,
    "single_choice": "night",
    "multiple_choice": ["night"],
    "file": received(b""),
}


@pytest.mark.parametrize(
    "kind", [kind for kind in names() if kind not in BUILT_IN_NAMES | {"note"}]
)
@pytest.mark.parametrize("label", ["What?", "100 % %size %(label)s {x}"])
def test_each_message_away_from_its_field_names_the_question(
    job: Any, kind: str, label: str
) -> None:
    options = {"options": SHIFTS} if "choice" in kind else {}
    add_questions(job, ask(kind, label, key="it", required=True, **options))
    for value in (WRONG[kind], None):
        form = bound(job, **{"q-it": value})
        assert not form.is_valid()
        (message,) = form["q-it"].named_errors
        assert message.count(label) == 1, message


def test_each_message_about_a_standard_field_names_it(job: Any) -> None:
    form = bound(job, name="x" * 151, email="x", phone="none", cv=received(PROGRAM))
    assert not form.is_valid()
    for field, label in (("name", "Full name"), ("email", "e-mail address"), ("phone", "phone")):
        (message,) = form[field].named_errors
        assert message.count(label) == 1, message
    (message,) = form["cv"].named_errors
    assert message.startswith("“CV”: The file must be one of these: PDF, DOCX")


# ── Files ───────────────────────────────────────────────────────────────────────────────


def test_file_that_fails_the_check_shows_the_reason(job: Any) -> None:
    form = bound(job, cv=received(OLD_WORD, "cv.doc"))
    assert not form.is_valid()
    (message,) = form.errors["cv"]
    assert message == (
        "The file is password-protected or in the old Word format. "
        "Save it as a PDF without a password and choose it again."
    )


def test_valid_file_is_kept_while_the_form_has_errors(job: Any) -> None:
    form = bound(job, name=None)
    assert not form.is_valid()
    form.keep_files()
    again = bound(job, cv=None, **{"kept-cv": form.kept["cv"].token})
    assert again.is_valid(), again.errors
    (upload,) = again.uploads
    assert (upload.question_key, upload.content, upload.sha256) == (
        "cv",
        the_cv(),
        form.kept["cv"].sha256,
    )


def test_kept_file_is_replaced_by_a_new_file(job: Any) -> None:
    form = bound(job, name=None)
    form.is_valid()
    form.keep_files()
    other = make_cv("Another CV")
    again = bound(job, cv=received(other), **{"kept-cv": form.kept["cv"].token})
    assert again.is_valid(), again.errors
    assert [upload.content for upload in again.uploads] == [other]


def kept_cv(job: Any) -> str:
    """The token of a good CV that was kept while its form had errors."""
    form = bound(job, name=None)
    form.is_valid()
    form.keep_files()
    return form.kept["cv"].token


@pytest.mark.parametrize("required", ["required", "optional"])
@pytest.mark.parametrize(
    ("content", "size"),
    [(PROGRAM, None), (b"", None), (make_cv()[:200], None), (b"", 11 * 1024 * 1024)],
)
def test_wrong_replacement_does_not_discard_the_kept_file(
    job: Any, required: str, content: bytes, size: int | None
) -> None:
    job.ask_cv = required
    token = kept_cv(job)
    wrong = bound(job, cv=received(content, size=size), **{"kept-cv": token})
    assert not wrong.is_valid()
    assert list(wrong.errors) == ["cv"]
    wrong.keep_files()
    assert wrong["cv"].kept.token == token
    again = bound(job, cv=None, **{"kept-cv": token})
    assert again.is_valid(), again.errors
    assert [upload.content for upload in again.uploads] == [the_cv()]


def test_good_replacement_is_kept_in_place_of_the_first_file(job: Any) -> None:
    token = kept_cv(job)
    other = make_cv("Another CV")
    form = bound(job, name=None, cv=received(other), **{"kept-cv": token})
    assert not form.is_valid()
    form.keep_files()
    assert bytes(form.kept["cv"].content) == other


def test_expired_file_is_not_missed_when_there_is_a_new_one(job: Any) -> None:
    form = bound(job, **{"kept-cv": "x" * 43})
    assert form.is_valid(), form.errors
    assert [upload.content for upload in form.uploads] == [the_cv()]


def test_kept_file_is_dropped_on_request(job: Any) -> None:
    form = bound(job, name=None)
    form.is_valid()
    form.keep_files()
    again = bound(job, cv=None, **{"kept-cv": form.kept["cv"].token, "drop-cv": "1"})
    assert not again.is_valid()
    assert again.errors == {"cv": ["Choose a file for “CV”."]}
    assert again.kept == {}


def test_kept_file_of_another_job_is_refused(job: Any, job_index: Any) -> None:
    other = JobPageFactory(parent=job_index)
    form = bound(other, name=None)
    form.is_valid()
    form.keep_files()
    again = bound(job, cv=None, **{"kept-cv": form.kept["cv"].token})
    assert not again.is_valid()
    assert again.errors == {"cv": ["The file is no longer here. Choose it again."]}


def test_kept_file_of_another_question_is_refused(job: Any) -> None:
    add_questions(job, ask("file", "Certificates", key="papers"))
    form = bound(job, name=None)
    form.is_valid()
    form.keep_files()
    again = bound(job, **{"kept-q-papers": form.kept["cv"].token})
    assert not again.is_valid()
    assert again.errors == {"q-papers": ["The file is no longer here. Choose it again."]}


def test_kept_file_expires_after_a_day(job: Any, time_machine: Any) -> None:
    form = bound(job, name=None)
    form.is_valid()
    form.keep_files()
    token = form.kept["cv"].token
    time_machine.move_to(timezone.now() + dt.timedelta(hours=24, seconds=1))
    again = bound(job, cv=None, **{"kept-cv": token})
    assert not again.is_valid()
    assert again.errors == {"cv": ["The file is no longer here. Choose it again."]}
    assert clean_up() == 1


@pytest.mark.parametrize("token", ["\x00", "x" * 5000, "🦑", "' OR 1=1 --"])
def test_invalid_kept_token_is_treated_as_unknown(job: Any, token: str) -> None:
    form = bound(job, cv=None, **{"kept-cv": token})
    assert not form.is_valid()
    assert form.errors == {"cv": ["The file is no longer here. Choose it again."]}


def test_file_beyond_the_quota_must_be_chosen_again(job: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("careers.forms.uploads.KEPT_PER_NETWORK", 0)
    form = bound(job)
    assert form.is_valid()
    form.keep_files()
    assert form.errors == {"cv": ["Choose the file again: it could not be kept."]}


def test_invalid_file_is_never_kept(job: Any) -> None:
    bad = bound(job, cv=received(b"MZ"))
    assert not bad.is_valid()
    bad.keep_files()
    assert bad.kept == {}


def busy(content: bytes) -> Judged:
    raise Busy


def test_file_that_cannot_be_judged_now_is_kept_and_judged_the_next_time(
    job: Any, monkeypatch: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("careers.forms.uploads.judge", busy)
        first = bound(job, cv=received(make_docx(), "../my cv.docx"))
        assert first.errors == {"cv": [words.not_checked()]}
        first.keep_files()
        kept = {"cv": None, "kept-cv": first.kept["cv"].token}
        second = bound(job, **kept)
        assert second.errors == {"cv": [words.not_checked()]}
        assert second.kept["cv"].filename == "my cv.docx"
    third = bound(job, **kept)
    assert third.is_valid()
    (upload,) = third.uploads
    assert (upload.content, upload.content_type) == (make_docx(), DOCX)


def test_kept_file_that_is_refused_later_is_not_kept_any_more(job: Any, monkeypatch: Any) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("careers.forms.uploads.judge", busy)
        first = bound(job, cv=received(PROGRAM))
        assert not first.is_valid()
        first.keep_files()
    again = bound(job, cv=None, **{"kept-cv": first.kept["cv"].token})
    (message,) = again.errors["cv"]
    assert message.startswith("The file must be one of these")
    assert again.kept == {}


def test_form_judges_no_further_file_after_an_expensive_one(job: Any, monkeypatch: Any) -> None:
    add_questions(job, ask("file", "Paper", key="paper"), ask("file", "Plan", key="plan"))
    judged: list[bytes] = []

    def expensive(content: bytes) -> Judged:
        judged.append(content)
        raise Refused(Verdict.TOO_COMPLEX)

    monkeypatch.setattr("careers.forms.uploads.judge", expensive)
    files = {name: received(name.encode()) for name in ("cv", "q-paper", "q-plan")}
    form = bound(job, **files)
    assert form.errors == {"cv": [words.refusal(Verdict.TOO_COMPLEX)]}
    form.keep_files()
    assert judged == [b"cv"]
    assert set(form.kept) == {"paper", "plan"}


def test_mark_of_a_file_outlasts_an_error_in_the_form(job: Any) -> None:
    SiteSettings.objects.update(active_content="mark")
    first = bound(job, name=None, cv=received(make_pdf("/OpenAction<</S/JavaScript/JS(1)>>")))
    first.is_valid()
    first.keep_files()
    again = bound(job, cv=None, **{"kept-cv": first.kept["cv"].token})
    assert again.is_valid()
    assert [upload.marks for upload in again.uploads] == ["script"]


def test_typed_returns_valid_and_invalid_input(job: Any) -> None:
    add_questions(
        job,
        ask("single_choice", "Shift?", key="shift", options=SHIFTS),
        ask("number", "Years?", key="years"),
    )
    form = bound(job, email="not an address", **{"q-shift": "late", "q-years": "many"})
    form.is_valid()
    form.keep_files()
    assert form.typed() == [
        ("Full name", JANE),
        ("E-mail address", "not an address"),
        ("CV", "cv.pdf"),
        ("Shift?", "Late"),
        ("Years?", "many"),
    ]


def test_filled_honeypot_looks_automatic(job: Any) -> None:
    assert bound(job).looks_automatic is False
    assert bound(job, more="  ").looks_automatic is False
    assert bound(job, more="https://spam.example").looks_automatic is True


# ── Any text ────────────────────────────────────────────────────────────────────────────

ALL_TYPES = FrozenForm(
    job_title="Gauge keeper",
    company="Tidewater",
    language="en",
    time_zone="UTC",
    questions=(
        Question("name", "name", "Full name", required=True),
        Question("email", "email", "E-mail address", required=True),
        Question("phone", "phone", "Phone number"),
        *(
            Question(kind, kind, kind, options=(Option("a", "A"), Option("b", "B")))
            for kind in (
                "short_text",
                "long_text",
                "link",
                "single_choice",
                "multiple_choice",
                "yes_no",
                "number",
                "date",
                "consent",
                "note",
            )
        ),
    ),
)
FIELDS = ["name", "email", "phone", *(f"q-{q.key}" for q in ALL_TYPES.questions[3:])]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(entered=st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=60)))
def test_any_text_is_accepted_or_gets_an_error(entered: dict[str, str]) -> None:
    data = QueryDict(mutable=True)
    data.update(entered)
    form = ApplicationForm(ALL_TYPES, job_key=uuid.uuid4(), data=data, files={})
    if form.is_valid():
        assert json.loads(json.dumps(form.answers)) == form.answers
        assert "\x00" not in json.dumps(form.answers)
        assert not {"\n", "\r"} & set(form.answers["name"] + form.answers["email"])
    else:
        assert all(str(message) for messages in form.errors.values() for message in messages)
    assert all(text for _label, text in form.typed())


def test_file_of_a_valid_form_can_be_kept(job: Any) -> None:
    form = bound(job)
    assert form.is_valid()
    pending = keep(form.uploads[0], job_key=job.job_key, network="n")
    assert pending is not None
    assert bytes(pending.content) == the_cv()
