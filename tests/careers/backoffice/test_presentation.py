"""States and spans in words."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.utils import timezone, translation
from wagtail.admin.icons import get_icons

from careers.backoffice import presentation
from careers.pipeline import registry
from careers.pipeline.kinds import MAIL_HR
from careers.pipeline.states import LEAVES_TO, State
from tests.support.factories import ApplicationFactory, StepFactory


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-3, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (12.7, "12 s"),
        (60, "1 min"),
        (200, "3 min 20 s"),
        (3600, "1 h"),
        (3661, "1 h 1 min"),
        (86400, "1 d"),
        (200000, "2 d"),
    ],
)
def test_span_shows_at_most_two_units(seconds: float, words: str) -> None:
    assert presentation.span(dt.timedelta(seconds=seconds)) == words


def test_clock_shows_the_date_only_for_other_days() -> None:
    with time_machine.travel("2026-03-05 12:00:00+00:00", tick=False):
        now = timezone.now()
        assert "2026" not in presentation.clock(now + dt.timedelta(hours=1))
        assert "2026" in presentation.clock(now + dt.timedelta(days=1))
        assert presentation.exactly(now) == "12:00:00"
        assert presentation.exactly(now - dt.timedelta(days=1)).endswith(" 12:00:00")


def test_every_state_has_a_colour_and_a_wagtail_icon(db: None) -> None:
    assert set(presentation.LOOKS) == set(State) == set(presentation.URGENCY)
    sprite = str(get_icons())
    for _tone, icon in presentation.LOOKS.values():
        assert f'id="icon-{icon}"' in sprite, icon
    assert all(len(registry.short_label_of(kind)) <= 12 for kind in registry.kinds())
    assert set(LEAVES_TO) == set(State)


def test_every_state_has_its_own_icon() -> None:
    """Two states of one colour differ in word and icon."""
    icons = [icon for _tone, icon in presentation.LOOKS.values()]
    assert len(set(icons)) == len(icons)


def test_chip_shows_the_most_urgent_step_of_its_kind(db: None) -> None:
    application = ApplicationFactory()
    kind = MAIL_HR
    StepFactory(application=application, kind=kind, recipient="a@example.com", succeeded=True)
    StepFactory(application=application, kind=kind, recipient="b@example.com", failed=True)
    (chip,) = presentation.chips(application.steps.all())
    assert (chip.word, chip.tone, chip.count) == ("Failed", "bad", 2)


def test_configuration_error_has_the_colour_of_failures(db: None) -> None:
    assert presentation.tone(StepFactory(misconfigured=True)) == "bad"
    assert presentation.tone(StepFactory(retrying=True)) == "later"


@pytest.mark.parametrize(
    ("trait", "words"),
    [
        ("failed", "Archive: see the cause, retry"),
        ("misconfigured", "Archive: correct the setting, retry"),
        ("uncertain", "Receipt: find out whether it arrived"),
        ("queued", "None: it is waiting"),
        ("started", "None: it is under way"),
        ("succeeded", ""),
        ("cancelled", ""),
    ],
)
def test_next_action_names_the_task_of_the_person(db: None, trait: str, words: str) -> None:
    step = StepFactory(**{trait: True})
    assert presentation.next_action([step]) == words


def test_application_with_unconfirmed_mail_has_not_ended(db: None) -> None:
    application = ApplicationFactory()
    StepFactory(application=application, succeeded=True)
    assert presentation.ended_at(application.steps.all())
    StepFactory(application=application, uncertain=True)
    assert presentation.ended_at(application.steps.all()) is None


def test_numbers_follow_the_language(db: None) -> None:
    with translation.override("de"):
        assert presentation.span(dt.timedelta(seconds=0.5)) == "0,5 s"
