"""What an application shows of values that an earlier release stored uncleaned."""

from __future__ import annotations

from careers.applications.models import Application


def test_link_to_write_has_no_invisible_characters() -> None:
    application = Application(email="\u200bada+jobs@exam\u200bple.org")
    assert application.email_uri == "mailto:ada%2Bjobs@example.org"


def test_link_to_call_needs_a_clear_number() -> None:
    assert Application(phone="+44 (0)20 7946 0018").phone_uri == "tel:+442079460018"
    assert Application(phone="").phone_uri == Application(phone="x").phone_uri == ""


def test_name_of_nothing_visible_is_shown_as_such() -> None:
    assert Application(name="\u3164").shown_name == "(no name)"
