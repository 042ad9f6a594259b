"""The access log: who opened an application, downloaded a file or changed the stage."""

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
OPENED, DOWNLOADED, STAGED = "detail", "file", "stage"
#: Rows that are read to show the log. Every reload writes one, so there are many.
ROWS = 200


@dataclass(frozen=True)
class LogLine:
    """One line of the access log."""

    at: dt.datetime
    who: str
    what: str


def note(application: Application, user: Any, what: str) -> None:
    """Log that ``user`` did ``what``."""
    ApplicationView.objects.create(application=application, user=user, what=what)


def lines(application: Application) -> Iterator[LogLine]:
    """The log, newest first, without immediate repetitions by the same person on the same day."""
    previous = None
    for entry in application.views.select_related("user")[:ROWS]:
        line = in_words(entry)
        what = (line.who, line.what, timezone.localdate(line.at))
        if what != previous:
            yield line
        previous = what


def in_words(entry: ApplicationView) -> LogLine:
    """A row of the log as a line."""
    who = get_user_display_name(entry.user) if entry.user else _("A deleted account")
    act, _colon, more = entry.what.partition(":")
    if act == STAGED:
        label = dict(ReviewStage.choices).get(more, more)
        what = _("changed the stage to “%(stage)s”") % {"stage": label}
    elif act == DOWNLOADED:
        label = dict(FileKind.choices).get(more, more)
        what = _("downloaded a file: %(kind)s") % {"kind": label}
    else:
        what = _("opened the application")
    return LogLine(entry.at, who, what)
