"""The log of who looked at an application, took a file out of it or changed its stage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from wagtail.admin.utils import get_user_display_name

from careers.applications.models import Application, ApplicationView, FileKind, ReviewStage

#: What ``ApplicationView.what`` begins with; files and stages carry more after a colon.
LOOKED, TOOK, STAGED = "detail", "file", "stage"
#: Rows that are read to show the log; a reload makes a row, so they are many.
ROWS = 200


@dataclass(frozen=True)
class LogLine:
    """Who did what, in words."""

    at: dt.datetime
    who: str
    what: str


def note(application: Application, user: Any, what: str) -> None:
    """Write down that ``user`` did ``what``."""
    ApplicationView.objects.create(application=application, user=user, what=what)


def told(application: Application) -> Iterator[LogLine]:
    """The log, newest first, without what a person did again right afterwards the same day."""
    previous = None
    for entry in application.views.select_related("user")[:ROWS]:
        line = in_words(entry)
        what = (line.who, line.what, timezone.localdate(line.at))
        if what != previous:
            yield line
        previous = what


def in_words(entry: ApplicationView) -> LogLine:
    """A row of the log as a line to read."""
    who = get_user_display_name(entry.user) if entry.user else _("Somebody whose account is gone")
    act, _colon, more = entry.what.partition(":")
    if act == STAGED:
        label = dict(ReviewStage.choices).get(more, more)
        what = _("changed the stage to “%(stage)s”") % {"stage": label}
    elif act == TOOK:
        label = dict(FileKind.choices).get(more, more)
        what = _("took a file: %(kind)s") % {"kind": label}
    else:
        what = _("looked at the application")
    return LogLine(entry.at, who, what)
