"""The access log: who saw, opened or changed an application, downloaded a file, and when.

It is complete: each view that shows an applicant's name or answers calls ``note``. It stays
readable: reading the same thing again within the same hour adds nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.utils import get_user_display_name

from careers.applications.models import (
    ACT,
    Application,
    ApplicationFile,
    ApplicationView,
    FileKind,
    ReviewStage,
)

#: What ``ApplicationView.what`` begins with; some carry more after a colon.
LISTED, FOUND, LOGGED, OPENED = "list", "search", "log", "detail"
DOWNLOADED, SHOWN, STAGED, EXPORTED = "file", "pages", "stage", "export"
ADDRESSED = "address"
#: Acts that change something. Each has a row of its own.
CHANGES = (STAGED,)
#: Names among others in a list. An application's own page leaves them to the whole log.
IN_PASSING = (LISTED, FOUND, LOGGED)
ACTS = {
    OPENED: gettext_lazy("opened the application"),
    DOWNLOADED: gettext_lazy("downloaded a file"),
    SHOWN: gettext_lazy("read a file on the page"),
    EXPORTED: gettext_lazy("downloaded everything about the applicant"),
    STAGED: gettext_lazy("changed the stage"),
    ADDRESSED: gettext_lazy("saw the mail address in the task status"),
    LISTED: gettext_lazy("saw the name in a list"),
    FOUND: gettext_lazy("found the name in a search"),
    LOGGED: gettext_lazy("saw the name in the access log"),
}
#: Rows of each kind that an application's own page reads.
ROWS = 20


@dataclass(frozen=True)
class LogLine:
    """One line of the access log."""

    at: dt.datetime
    who: str
    what: str


def note(application: Application, user: Any, what: str) -> None:
    """Log that ``user`` did ``what``; one row an hour unless it is a change."""
    note_all([application.pk], user, what)


def note_all(applications: Iterable[int], user: Any, what: str) -> None:
    """As ``note`` for the ids of many applications, in one statement."""
    is_change = what.partition(":")[0] in CHANGES
    hour = None if is_change else timezone.now().replace(minute=0, second=0, microsecond=0)
    name = name_of(user)
    ApplicationView.objects.bulk_create(
        [
            ApplicationView(application_id=pk, user=user, user_name=name, what=what, hour=hour)
            for pk in applications
        ],
        ignore_conflicts=not is_change,
    )


def name_of(user: Any) -> str:
    """A person's name together with the user name, as two people may have the same name."""
    shown, login = str(get_user_display_name(user)), user.get_username()
    # People write their own names. Cut off, the user name could not tell who it really was.
    return login if shown == login else f"{shown[:80]} ({login})"


def note_file(file: ApplicationFile, user: Any, act: str = DOWNLOADED) -> None:
    """Log that ``user`` read a file; each file of an application has rows of its own."""
    note(file.application, user, f"{act}:{file.kind}:{file.public_id.hex[:8]}")


def lines(application: Application) -> tuple[list[LogLine], bool]:
    """The newest lines about an application, and whether there are more.

    Changes are read apart from the rest, so that no number of readers hides them.
    """
    log = application.views.select_related("user").exclude(what__in=IN_PASSING)
    parts = [
        list(found[: ROWS + 1])
        for found in (of_act(log, STAGED), log.exclude(what__startswith=STAGED))
    ]
    shown = sorted(
        (entry for part in parts for entry in part[:ROWS]),
        key=lambda entry: (entry.at, entry.pk),
        reverse=True,
    )
    return [LogLine(entry.at, who(entry), what(entry)) for entry in shown], any(
        len(part) > ROWS for part in parts
    )


def of_act(log: QuerySet[ApplicationView], act: str) -> QuerySet[ApplicationView]:
    """The rows of one act of ``ACTS``."""
    return log.alias(act=ACT).filter(act=act[:3])


def who(entry: ApplicationView) -> str:
    """The person, under the name that they had then."""
    if entry.user_name:
        return entry.user_name
    # A row of the release before this one.
    return name_of(entry.user) if entry.user else _("A deleted account")


def what(entry: ApplicationView) -> str:
    """What the person did, in words."""
    act, _colon, more = entry.what.partition(":")
    if act == STAGED:
        label = dict(ReviewStage.choices).get(more, more)
        return _("changed the stage to “%(stage)s”") % {"stage": label}
    if act in (DOWNLOADED, SHOWN):
        kind = more.partition(":")[0]
        label = dict(FileKind.choices).get(kind, kind)
        if act == SHOWN:
            return _("read a file on the page: %(kind)s") % {"kind": label}
        return _("downloaded a file: %(kind)s") % {"kind": label}
    return str(ACTS.get(act, act))
