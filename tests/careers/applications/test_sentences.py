"""Sentences that are stored without a language."""

from __future__ import annotations

import json
import pickle

from django.utils import translation

from careers.applications.sentences import render, sentence, to_facts

MSGID = "The mail server refused the sender (%(answer)s). Check DEFAULT_FROM_EMAIL."


def test_sentence_returns_the_same_text_as_gettext() -> None:
    with translation.override("en"):
        assert sentence(MSGID) % {"answer": "550"} == MSGID % {"answer": "550"}


def test_sentence_is_rendered_in_another_language() -> None:
    with translation.override("fr"):
        stored = json.loads(json.dumps(to_facts(sentence(MSGID) % {"answer": "550"})))
        french = render(stored)
    with translation.override("en"):
        assert render(stored) == MSGID % {"answer": "550"}
    assert stored == {"sentence": MSGID, "values": {"answer": "550"}}
    assert "550" in french


def test_plain_text_is_kept() -> None:
    """Also with a percent sign, which is no placeholder."""
    assert render(to_facts("100 % wrong")) == "100 % wrong"
    assert render(to_facts("")) == ""


def test_pickled_sentence_keeps_its_message_and_values() -> None:
    again = pickle.loads(pickle.dumps(sentence(MSGID) % {"answer": "550"}))
    assert to_facts(again) == {"sentence": MSGID, "values": {"answer": "550"}}
