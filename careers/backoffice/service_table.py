"""Services with their last good and last bad answer, and queues, as rows of tables."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _

from careers.backoffice import presentation
from careers.operations import service_answers, words
from careers.operations.health import Health
from careers.operations.models import ServiceAnswer


@dataclass(frozen=True)
class ServiceLine:
    """One service in words."""

    name: str
    state: str
    tone: str
    icon: str
    good: str
    bad: str
    reason: str


@dataclass(frozen=True)
class QueueLine:
    """One queue in words."""

    name: str
    waiting: int
    oldest: str
    workers: int


def lines() -> list[ServiceLine]:
    """Every service that was asked; one query."""
    return [_line(row) for row in ServiceAnswer.objects.all()]


def _line(row: ServiceAnswer) -> ServiceLine:
    if service_answers.is_well(row):
        state, tone, icon = _("Reachable"), "good", "check"
    else:
        state, tone, icon = _("Fails"), "bad", "warning"
    return ServiceLine(
        name=_name(row.name),
        state=state,
        tone=tone,
        icon=icon,
        good=presentation.exactly(row.good_at) if row.good_at else "",
        bad=presentation.exactly(row.bad_at) if row.bad_at else "",
        reason=words.of(row.finding, row.facts).message if row.bad_at else "",
    )


def _name(service: str) -> str:
    names = {
        "archive": _("Archive (S3)"),
        "broker": _("Message broker"),
        "database": _("Database"),
        "mail": _("Mail provider") if settings.EMAIL_PROVIDER else _("Mail server"),
        "scanner": _("Virus scanner"),
        "certificate": _("Certificate"),
    }
    return names.get(service, service)


def queues(found: Health) -> list[QueueLine]:
    """The queues, with how long the oldest step waits in each."""
    return [
        QueueLine(
            name=queue.name,
            waiting=queue.waiting,
            oldest=presentation.span(dt.timedelta(seconds=queue.oldest_seconds))
            if queue.oldest_seconds is not None
            else "",
            workers=queue.workers,
        )
        for queue in found.queues
    ]
