"""The form that is stored with an application."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from careers.applications import question_types
from careers.applications.frozen import FrozenForm, Option, Question

options = st.builds(Option, key=st.text(max_size=8), label=st.text(max_size=20))
questions = st.builds(
    Question,
    key=st.text(max_size=36),
    type=st.sampled_from(question_types.names()),
    label=st.text(max_size=40),
    help=st.text(max_size=20),
    required=st.booleans(),
    options=st.lists(options, max_size=3).map(tuple),
    settings=st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=2).map(tuple),
)
forms = st.builds(
    FrozenForm,
    job_title=st.text(max_size=40),
    company=st.text(max_size=40),
    language=st.just("en"),
    time_zone=st.just("Europe/Oslo"),
    questions=st.lists(questions, max_size=4).map(tuple),
    privacy_notice=st.text(max_size=40),
    facts=st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=3).map(tuple),
)


@given(forms)
def test_form_is_the_same_after_json(form: FrozenForm) -> None:
    assert FrozenForm.from_json(json.loads(json.dumps(form.to_json()))) == form


def test_question_is_found_by_its_key() -> None:
    asked = Question("why", "long_text", "Why?")
    form = FrozenForm("Keeper", "Tidewater", "en", "UTC", (asked,))
    assert form.question("why") is asked
    assert form.question("what") is None


def test_option_label_of_an_unknown_key_is_the_key() -> None:
    asked = Question("s", "single_choice", "Shift?", options=(Option("a", "Early"),))
    assert (asked.option_label("a"), asked.option_label("gone")) == ("Early", "gone")


def test_form_without_settings_is_stored_as_in_earlier_releases() -> None:
    asked = Question("why", "long_text", "Why?")
    form = FrozenForm("Keeper", "Tidewater", "en", "UTC", (asked,))
    stored = form.to_json()
    assert stored["questions"] == [
        {"key": "why", "type": "long_text", "label": "Why?", "help": "", "required": False}
        | {"options": ()}
    ]
    assert form.edition == "310353f845de82fd"
    assert FrozenForm.from_json(stored) == form


def test_form_of_a_later_release_is_readable() -> None:
    form = FrozenForm("Keeper", "Tidewater", "en", "UTC", (Question("why", "long_text", "Why?"),))
    stored = json.loads(json.dumps(form.to_json()))
    stored["colour"] = stored["questions"][0]["colour"] = "red"
    assert FrozenForm.from_json(stored) == form


def test_setting_of_a_question_is_found_by_its_name() -> None:
    asked = Question("n", "number", "Years?", settings=(("unit", "years"),))
    assert (asked.setting("unit"), asked.setting("currency")) == ("years", "")
