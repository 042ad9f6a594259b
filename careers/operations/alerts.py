"""Mails to operators: what broke, that it is resolved, and a daily summary.

Each sweeper, and a scheduled task in case no sweeper runs, compares the present findings with the
open alerts. If several do so at once, a constraint in the database lets one of them win.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.applications.models import Application
from careers.operations import causes, health
from careers.pipeline import delivery_reports, dispatch, registry
from careers.pipeline.attention import NOT_SENT, OPEN_BOUNCE, Cause, by_cause
from careers.pipeline.enqueue import create_mails
from careers.pipeline.kinds import MAIL_OPERATORS
from careers.pipeline.models import Alert, AlertKind, Step, StepEvent
from careers.pipeline.states import NEEDS_A_PERSON, UNDER_WAY, State
from careers.pipeline.transitions import db_now
from home.models import SiteSettings

#: A problem that ends earlier may be a restart. Steps that need a person are mailed at once.
LASTS = dt.timedelta(minutes=2)
#: The shortest time between two “resolved” mails about one problem. A problem that returns earlier
#: stays open until this time is over, so that the last mail about it says that it exists.
QUIET = dt.timedelta(hours=1)
#: The codes of steps that need a person begin with it; kind and cause follow.
IN_NEED = "needs-attention"
#: The hour of the day, in the company's time zone, from which on the summary is sent.
DIGEST_HOUR = 7


@dataclass(frozen=True)
class Problem:
    """A problem to mail; ``code`` is the same for as long as it is the same problem."""

    code: str
    message: str
    action: str
    path: str
    cause: str = ""
    at_once: bool = False

    @property
    def service(self) -> str:
        """The service that can't be used; "" for other problems."""
        return causes.service_of(self.code.rpartition(".")[2])

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "message": self.message,
            "cause": self.cause,
            "action": self.action,
            "path": self.path,
        }


def update_alerts(actor: str) -> None:
    """Open alerts for new problems, mail those that last, close those that are over.

    Args:
        actor: who does this, for the history of the mails.
    """
    zone = SiteSettings.of_default_site().zone
    with translation.override(settings.LANGUAGE_CODE), timezone.override(zone):
        wrong = {problem.code: problem for problem in current_problems()}
        now = db_now()
        opened = {
            alert.code: alert
            for alert in Alert.objects.filter(kind=AlertKind.PROBLEM, closed_at=None)
        }
        wrong = _one_for_each_cause(wrong, opened)
        for code in wrong.keys() - opened.keys():
            if (alert := _open(wrong[code], now)) is not None:
                opened[code] = alert
        for code, alert in opened.items():
            if code in wrong:
                _keep_true(alert, wrong[code])
            if code not in wrong:
                if alert.mailed_at is None or not (_is_unfinished(code) or _is_quiet(code, now)):
                    _close(alert, now, actor)
            elif alert.mailed_at is None and _is_due(alert, wrong[code], now):
                _mail_problem(alert, wrong[code], now, actor)


def _one_for_each_cause(wrong: dict[str, Problem], opened: dict[str, Alert]) -> dict[str, Problem]:
    """Leave out what another problem says already: a service, and the steps that wait for it.

    What was mailed first stays. Otherwise the steps stay, because they are mailed at once.
    """

    def rank(problem: Problem) -> tuple[bool, bool]:
        alert = opened.get(problem.code)
        return alert is None or alert.mailed_at is None, not problem.at_once

    kept: list[Problem] = []
    for problem in sorted(wrong.values(), key=rank):
        said = [one for one in kept if problem.service and one.service == problem.service]
        # The steps of each kind are a problem of their own.
        if not said or (problem.at_once and all(one.at_once for one in said)):
            kept.append(problem)
    return {problem.code: problem for problem in kept}


def current_problems() -> list[Problem]:
    """What is wrong now. Steps that need a person make one problem for each kind and cause.

    Mails to operators are left out: a mail about a mail that can't be sent would fail too.
    """
    tasks = reverse("careers_tasks:index")
    found = [
        Problem(finding.code, finding.message, finding.action, tasks)
        for finding in health.check().faults
        if finding.code != IN_NEED
    ]
    return found + [
        Problem(
            code=f"{IN_NEED}.{group.kind}.{group.code}",
            message=ngettext(
                "%(step)s: %(count)d step needs attention.",
                "%(step)s: %(count)d steps need attention.",
                group.count,
            )
            % {"step": registry.label_of(group.kind), "count": group.count},
            action=_(
                "Open the list: each page says what to do. Once the cause is fixed, use “Retry "
                "all” there."
            ),
            path=_path_of(group.kind),
            cause=group.words,
            at_once=True,
        )
        for group in _in_need()
        if group.kind != MAIL_OPERATORS
    ]


def _in_need() -> list[Cause]:
    """The steps that need a person, by kind and cause, the most frequent first."""
    return by_cause(Step.objects.needing_a_person().filter(kind__in=registry.kinds()))


def _bounced(begin: dt.datetime, end: dt.datetime) -> list[Cause]:
    """The mails reported as bounced in this time and not replaced since, by kind.

    The time of the report counts: the bounce may be a day older, and that summary was sent.
    """
    reported = StepEvent.objects.filter(
        step=OuterRef("pk"), actor=delivery_reports.ACTOR, at__gte=begin, at__lt=end
    )
    mails = Step.objects.filter(OPEN_BOUNCE.query, Exists(reported), kind__in=registry.kinds())
    return by_cause(mails, words="bounce_reason")


def _path_of(kind: str, state: str = "attention") -> str:
    if kind == MAIL_OPERATORS:
        return f"{reverse('careers_tasks:alerts')}?{urlencode({'state': state})}"
    query = urlencode({"state": state, "kind": kind})
    return f"{reverse('careers_tasks:index')}?{query}"


def _open(problem: Problem, now: dt.datetime) -> Alert | None:
    try:
        with transaction.atomic():
            return Alert.objects.create(
                kind=AlertKind.PROBLEM,
                key=_key("alert", problem.code, now),
                code=problem.code,
                facts={**problem.facts, "since": now.isoformat()},
                created_at=now,
            )
    except IntegrityError:
        return None  # another process opened it at the same moment


def _is_due(alert: Alert, problem: Problem, now: dt.datetime) -> bool:
    return problem.at_once or now - alert.created_at >= LASTS


def _is_unfinished(code: str) -> bool:
    """Whether steps that needed a person are not done yet, so that their result is open.

    These are the steps whose last attempt failed for this cause, and the steps of the kind that had
    failed before: a later attempt may have failed for another cause.
    """
    if not code.startswith(f"{IN_NEED}."):
        return False
    _prefix, kind, cause = code.split(".", 2)
    failed_before = StepEvent.objects.filter(
        step=OuterRef("pk"), to_state=State.FAILED, at__lt=OuterRef("state_since")
    )
    return (
        Step.objects.filter(kind=kind, state__in=(*UNDER_WAY, *NEEDS_A_PERSON))
        .filter(Q(error_code=cause) | Q(Exists(failed_before)))
        .exists()
    )


def _is_quiet(code: str, now: dt.datetime) -> bool:
    return Alert.objects.filter(
        kind=AlertKind.RESOLVED, code=code, mailed_at__gt=now - QUIET
    ).exists()


def _keep_true(alert: Alert, problem: Problem) -> None:
    """Write the present numbers and times into an open alert: people read it later, too.

    Its mails are composed of them. A mail provider takes no other words under the idempotency key
    of an earlier attempt, so they stay as they are while a mail may have been sent.
    """
    facts = {**alert.facts, **problem.facts}
    if facts != alert.facts:
        mails = Step.objects.filter(alert=OuterRef("pk"), state__in=UNDER_WAY)
        sending = mails.filter(Q(state=State.STARTED) | Q(repeat_until__isnull=False))
        free = Alert.objects.filter(~Exists(sending), pk=alert.pk, closed_at=None)
        if free.update(facts=facts):
            alert.facts = facts


def _mail_problem(alert: Alert, problem: Problem, now: dt.datetime, actor: str) -> None:
    facts = {**problem.facts, "since": alert.created_at.isoformat()}
    with transaction.atomic():
        unmailed = Alert.objects.filter(pk=alert.pk, mailed_at=None, closed_at=None)
        if unmailed.update(mailed_at=now, facts=facts):
            _mail(alert, now, actor)


def _close(alert: Alert, now: dt.datetime, actor: str) -> None:
    """Mail that a problem is resolved; delete an alert that was never mailed."""
    with transaction.atomic():
        still_open = Alert.objects.filter(pk=alert.pk, closed_at=None)
        if still_open.filter(mailed_at=None).delete()[0] or not still_open.update(closed_at=now):
            return
        _mail(
            Alert.objects.create(
                kind=AlertKind.RESOLVED,
                key=_key("recovered", alert.code, now),
                code=alert.code,
                facts={**alert.facts, "until": now.isoformat()},
                created_at=now,
                mailed_at=now,
            ),
            now,
            actor,
        )


def daily_digest(actor: str) -> None:
    """Send the summary of yesterday, once, in the morning."""
    company = SiteSettings.of_default_site()
    now = db_now()
    local = timezone.localtime(now, company.zone)
    if not company.daily_digest or local.hour < DIGEST_HOUR:
        return
    yesterday = local.date() - dt.timedelta(days=1)
    key = f"digest.{yesterday:%Y%m%d}"
    if Alert.objects.filter(key=key).exists():
        return
    with translation.override(settings.LANGUAGE_CODE), timezone.override(company.zone):
        facts = _summary(yesterday, partial(dt.datetime.combine, tzinfo=company.zone))
    try:
        with transaction.atomic():
            alert = Alert.objects.create(
                kind=AlertKind.SUMMARY, key=key, facts=facts, created_at=now, mailed_at=now
            )
            _mail(alert, now, actor)
    except IntegrityError:
        return  # another worker was faster


def _summary(day: dt.date, midnight: Callable[[dt.date, dt.time], dt.datetime]) -> dict[str, Any]:
    begin = midnight(day, dt.time.min)
    end = midnight(day + dt.timedelta(days=1), dt.time.min)
    applications = Application.objects.filter(
        received_at__gte=begin, received_at__lt=end, is_test=False
    )
    jobs = (
        applications.order_by()
        .values("job_key")
        .annotate(n=Count("pk"), title=Max("page__title"))
        .order_by("-n", "title")
    )
    ended = (
        Step.objects.filter(
            ended_at__gte=begin, ended_at__lt=end, state__in=[State.SUCCEEDED, State.FAILED]
        )
        .order_by()
        .values_list("kind", "state")
        .annotate(n=Count("pk"))
    )
    counts = {(kind, state): number for kind, state, number in ended}
    return {
        "date": day.isoformat(),
        "path": reverse("careers_tasks:index"),
        "jobs": [[row["title"], row["n"]] for row in jobs],
        # The key keeps its first name: workers of the previous release read it during an upgrade.
        "held_back": applications.filter(quarantined=True).count(),
        "not_sent": Step.objects.filter(
            NOT_SENT.query, ended_at__gte=begin, ended_at__lt=end
        ).count(),
        "steps": [
            [
                registry.label_of(kind),
                counts.get((kind, "succeeded"), 0),
                counts.get((kind, "failed"), 0),
            ]
            for kind in registry.kinds_to_show(kind for kind, _state in counts)
        ],
        "attention": [
            {
                "step": registry.label_of(group.kind),
                "count": group.count,
                "cause": group.words,
                "path": _path_of(group.kind),
            }
            for group in _in_need()
        ]
        + [
            {
                "step": _("%(step)s, bounced") % {"step": registry.label_of(group.kind)},
                "count": group.count,
                "cause": group.words,
                "path": _path_of(group.kind, "came-back"),
            }
            for group in _bounced(begin, end)
        ],
        "findings": [
            {"message": finding.message, "action": finding.action}
            for finding in health.check().faults
            if finding.code != IN_NEED
        ],
    }


def _key(kind: str, code: str, now: dt.datetime) -> str:
    # To the second: the same alert twice within one second is one alert.
    return f"{kind}.{code}.{now:%Y%m%dT%H%M%S}"


def _mail(alert: Alert, now: dt.datetime, actor: str) -> None:
    ready = create_mails(alert, SiteSettings.operator_addresses(), at=now, actor=actor)
    transaction.on_commit(partial(dispatch.dispatch_steps, ready, actor=actor))
