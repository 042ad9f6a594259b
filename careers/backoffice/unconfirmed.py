"""``/admin/tasks/unconfirmed/``: unconfirmed mails by kind, cause and hour, decided in groups.

After a restore, every mail that was not sent is unconfirmed. The mail server's log says up to which
moment mails arrived, so a group can be decided as a whole or hour by hour.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Max, Min
from django.db.models.functions import TruncHour
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from careers.backoffice import presentation
from careers.backoffice.permissions import SEE_TASKS, scope_of
from careers.backoffice.same_cause import actionable, url_of
from careers.backoffice.views import Crumb, DetailPage
from careers.pipeline import actions, registry
from careers.pipeline.states import State

#: Hours of one group that the page lists, the latest first; the whole group is always offered.
SHOWN = 24


@dataclass
class Part:
    """Mails of one kind and cause that became unconfirmed within a span of time."""

    number: int
    since: dt.datetime
    until: dt.datetime
    arrived_url: str
    again_url: str

    @property
    def when(self) -> str:
        first, last = presentation.clock(self.since), presentation.clock(self.until)
        return first if first == last else _("%(from)s to %(to)s") % {"from": first, "to": last}


@dataclass
class UnconfirmedGroup:
    """All unconfirmed mails of one kind and cause."""

    title: str
    code: str
    cause: str
    whole: Part
    list_url: str
    hours: list[Part] = field(default_factory=list)


def groups(user: Any) -> list[UnconfirmedGroup]:
    """The unconfirmed mails about which this user may decide, in groups; one query."""
    rows = (
        actionable(user, actions.confirm_arrival)
        .order_by()
        .annotate(hour=TruncHour("state_since", tzinfo=timezone.get_current_timezone()))
        .values("kind", "error_code", "hour")
        .annotate(
            number=Count("pk"),
            since=Min("state_since"),
            until=Max("state_since"),
            words=Max("error_public"),
        )
        .order_by("kind", "error_code", "-hour")
    )
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["kind"], row["error_code"]), []).append(dict(row))
    made = [_group(kind, code, hours) for (kind, code), hours in found.items()]
    return sorted(made, key=lambda group: -group.whole.number)


def _group(kind: str, code: str, rows: list[dict[str, Any]]) -> UnconfirmedGroup:
    return UnconfirmedGroup(
        title=registry.label_of(kind),
        code=code,
        cause=rows[0]["words"],
        whole=_part(kind, code, rows),
        list_url=_list_url(kind, code),
        hours=[_part(kind, code, [row], dated=True) for row in rows[:SHOWN]]
        if len(rows) > 1
        else [],
    )


def _list_url(kind: str, code: str) -> str:
    """The list with the mails of one group."""
    chosen = {"state": State.UNCERTAIN.value}
    if kind not in registry.kinds_about_applications():
        return f"{reverse('careers_tasks:alerts')}?{urlencode(chosen)}"
    # The search finds the code of an error.
    chosen |= {"kind": kind, **({"q": code} if code else {})}
    return f"{reverse('careers_tasks:index')}?{urlencode(chosen)}"


def _part(kind: str, code: str, rows: list[dict[str, Any]], *, dated: bool = False) -> Part:
    since = min(row["since"] for row in rows)
    until = max(row["until"] for row in rows)
    chosen = {"kind": kind, "code": code}
    if dated:
        chosen |= {"since": since.isoformat(), "until": until.isoformat()}
    return Part(
        number=sum(row["number"] for row in rows),
        since=since,
        until=until,
        arrived_url=url_of(actions.confirm_arrival, **chosen),
        again_url=url_of(actions.send_again, **chosen),
    )


class UnconfirmedPage(DetailPage):
    """Every group on one page."""

    right = SEE_TASKS
    template_name = "careers/backoffice/unconfirmed.html"
    page_title = gettext_lazy("Unconfirmed mails")
    header_icon = "mail"

    def trail(self) -> list[Crumb]:
        return [{"url": reverse("careers_tasks:index"), "label": _("Task status")}]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        may = scope_of(self.request.user, actions.send_again.permission)
        return {
            **super().get_context_data(**kwargs),
            "groups": groups(self.request.user) if may else [],
        }
