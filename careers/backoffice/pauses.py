"""The banner that says what is paused, by whom, why, until when, and what it means."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from wagtail.admin.ui.components import Component

from careers.backoffice import presentation
from careers.backoffice.permissions import READ, SEE_TASKS, is_operator, scope_of
from careers.pipeline import pauses
from careers.pipeline.models import Pause
from careers.pipeline.transitions import db_now


@dataclass(frozen=True)
class PauseLine:
    """A pause in words.

    Attributes:
        resume_url: where the reader may end it; "" for one that has ended, or who may not.
    """

    name: str
    who: str
    since: str
    until: str
    reason: str
    effect: str
    ended: str
    resume_url: str


def lines(user: Any, found: list[Pause]) -> list[PauseLine]:
    """Pauses for this reader; one query for the names where there is a pause."""
    if not found:
        return []
    actors = presentation.Actors.of(
        actor for pause in found for actor in (pause.actor, pause.resumed_by)
    )
    may = is_operator(user, pauses.PAUSE)
    now = db_now()
    return [_line(pause, actors, may, now) for pause in found]


def _line(pause: Pause, actors: presentation.Actors, may: bool, now: dt.datetime) -> PauseLine:
    goes_on = pause.resumed_at is None and pause.until > now
    ended = ""
    if pause.resumed_by and pause.resumed_at:
        ended = _("Resumed by %(name)s at %(time)s") % {
            "name": actors.name(pause.resumed_by),
            "time": presentation.clock(pause.resumed_at),
        }
    elif not goes_on:
        ended = _("Ended by itself")
    return PauseLine(
        name=pauses.name_of(pause.scope),
        who=actors.name(pause.actor),
        since=presentation.clock(pause.since),
        until=presentation.clock(pause.until),
        reason=pause.reason,
        effect=pauses.effect_of(pause.scope),
        ended=ended,
        resume_url=reverse("careers_tasks:resume", args=[pause.pk]) if may and goes_on else "",
    )


class HomePanel(Component):
    """The banner on Wagtail's home page, for people who read applications or steps."""

    name = "careers-pauses"
    order = 10
    template_name = "careers/backoffice/pauses_home.html"

    def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
        request = (parent_context or {})["request"]
        concerned = scope_of(request.user, READ) or scope_of(request.user, SEE_TASKS)
        active = pauses.read().active if concerned else []
        return {"pauses": lines(request.user, active), "request": request}


def add_home_panel(request: HttpRequest, panels: list[Component]) -> None:
    """For Wagtail's hook ``construct_homepage_panels``."""
    panels.append(HomePanel())
