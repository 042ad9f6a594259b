"""How the pipeline is, in numbers for machines and in sentences for people."""

from __future__ import annotations

import datetime as dt
import shutil
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q
from django.template.defaultfilters import filesizeformat
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail import hooks

from careers.applications.models import Application
from careers.documents import SCRIPTS
from careers.operations import heartbeat
from careers.pipeline import registry
from careers.pipeline.attention import NEEDS_ATTENTION
from careers.pipeline.models import Heartbeat, ScheduledRun, Step, title_of
from careers.pipeline.states import CLAIMABLE, UNDER_WAY, State
from careers.pipeline.transitions import db_now
from home.models import SiteSettings

#: The worst comes first.
LEVELS = ("critical", "warning", "note")
#: A step that has been ready for so long says that nobody works.
STUCK = dt.timedelta(minutes=5)
#: Bytes of free disk that are as good as none, that are few, and the share of the whole disk
#: above which they are not.
NOTHING = 10_000_000
LITTLE = 500_000_000
LITTLE_SHARE = 0.1


@dataclass(frozen=True)
class Finding:
    """One thing that is not as it should be: what, and what to do about it.

    Attributes:
        code: names it for machines; the same for as long as it is the same thing.
        level: ``critical``, ``warning``, or ``note`` for what is good to know and no fault.
    """

    code: str
    level: str
    message: str
    action: str = ""


@dataclass(frozen=True)
class Health:
    """A look at the whole pipeline at one moment."""

    at: dt.datetime
    applications: int
    steps: dict[str, dict[str, int]]
    needs_attention: int
    waiting: int
    running: int
    done_last_day: int
    oldest_ready_seconds: float | None
    workers: list[Heartbeat]
    sweepers: list[Heartbeat]
    schedulers: list[Heartbeat]
    broker_error: str | None  # None: nobody has asked the broker
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        return not self.faults

    @property
    def faults(self) -> list[Finding]:
        """Findings that somebody has to do something about."""
        return [finding for finding in self.findings if finding.level != "note"]

    @property
    def sentence(self) -> str:
        """One sentence for the top of a page."""
        if self.faults:
            return self.faults[0].message
        if self.waiting or self.running:
            return ngettext(
                "All is well. %(count)d step is on its way.",
                "All is well. %(count)d steps are on their way.",
                self.waiting + self.running,
            ) % {"count": self.waiting + self.running}
        return _("All is well. Nothing is waiting.")

    def as_json(self) -> dict[str, Any]:
        """For ``pipeline_status --json`` and for monitoring."""
        return {
            "at": self.at.isoformat(),
            "applications": self.applications,
            "steps": self.steps,
            "oldest_ready_seconds": self.oldest_ready_seconds,
            "workers": [
                {
                    "name": worker.name,
                    "queues": worker.queues.split(","),
                    "seen_at": worker.seen_at.isoformat(),
                }
                for worker in self.workers
            ],
            "sweeper": {"seen_at": self.sweepers[0].seen_at.isoformat() if self.sweepers else None},
            "broker": {
                "ok": self.broker_error == "",
                "error": "not asked" if self.broker_error is None else self.broker_error,
            },
            "findings": [asdict(finding) for finding in self.findings],
        }


def check(broker_error: str | None = None) -> Health:
    """Look at the rows; none of it asks anything outside the database.

    Each function that a package above this one registers for the hook ``health_findings``
    adds its findings.

    Args:
        broker_error: what asking the broker just now gave; None takes the sweeper's word.
    """
    now = db_now()
    counts: dict[str, dict[str, int]] = {kind: {} for kind in registry.kinds()}
    for row in Step.objects.order_by().values("kind", "state").annotate(n=Count("pk")):
        counts.setdefault(row["kind"], {})[row["state"]] = row["n"]
    totals = {state: sum(by_state.get(state, 0) for by_state in counts.values()) for state in State}
    facts = Step.objects.aggregate(
        oldest=Min(
            "ready_at",
            filter=Q(state__in=CLAIMABLE) & (Q(run_after=None) | Q(run_after__lte=now)),
        ),
        needs_attention=Count("pk", filter=NEEDS_ATTENTION.query),
        done=Count(
            "pk",
            filter=Q(state=State.SUCCEEDED, ended_at__gt=now - dt.timedelta(days=1)),
        ),
    )
    # A scheduler that is gone is told with the time at which it was.
    seen = list(
        Heartbeat.objects.filter(
            Q(seen_at__gt=now - heartbeat.GONE_AFTER)
            | Q(kind=Heartbeat.Kind.SCHEDULER)
            | Q(kind=Heartbeat.Kind.WEB, seen_at__gt=now - heartbeat.WEB_GONE_AFTER)
        )
    )
    # What was seen in the future was seen before the clock was set back.
    alive = [beat for beat in seen if abs(now - beat.seen_at) < heartbeat.GONE_AFTER]
    schedulers = [beat for beat in seen if beat.kind == Heartbeat.Kind.SCHEDULER]
    servers = [beat for beat in seen if beat.kind == Heartbeat.Kind.WEB]
    workers = [beat for beat in alive if beat.kind == Heartbeat.Kind.WORKER]
    sweepers = [beat for beat in alive if beat.kind == Heartbeat.Kind.SWEEPER]
    sweepers.sort(key=lambda beat: beat.seen_at, reverse=True)
    probed = [fault for beat in sweepers for fault in beat.facts.get("probes", ())]
    if broker_error is None:
        broker_error = sweepers[0].facts.get("broker_error", "") if sweepers else None
    runs = list(ScheduledRun.objects.all())
    oldest = facts["oldest"]
    oldest_seconds = max(0.0, (now - oldest).total_seconds()) if oldest else None
    needs = facts["needs_attention"]
    return Health(
        at=now,
        applications=Application.objects.count(),
        steps=counts,
        needs_attention=needs,
        waiting=sum(totals[state] for state in UNDER_WAY if state != State.STARTED),
        running=totals[State.STARTED],
        done_last_day=facts["done"],
        oldest_ready_seconds=oldest_seconds,
        workers=workers,
        sweepers=sweepers,
        schedulers=[beat for beat in schedulers if beat in alive],
        broker_error=broker_error,
        findings=sorted(
            [
                *disk(),
                *_findings(workers, sweepers, broker_error, oldest_seconds, needs),
                *_fonts(workers),
                *_proxies(servers),
                *(
                    Finding(**fault)
                    for fault in {fault["code"]: fault for fault in probed}.values()
                ),
                *([] if broker_error else _of_the_clock(schedulers, alive, runs)),
                *(Finding(**fault) for run in runs for fault in run.findings or ()),
                *(finding for find in hooks.get_hooks("health_findings") for finding in find()),
                *_of_the_operators(),
            ],
            key=lambda finding: LEVELS.index(finding.level),
        ),
    )


def disk() -> list[Finding]:
    """Whether there is room where this site writes: here, for a full disk takes no notes."""
    usage = shutil.disk_usage(settings.VAR_DIR)
    if usage.free > LITTLE or usage.free > usage.total * LITTLE_SHARE:
        return []
    words = {"free": filesizeformat(usage.free), "place": settings.VAR_DIR}
    if usage.free > NOTHING:
        return [
            Finding(
                "disk-low",
                "warning",
                _("Only %(free)s are free on the disk of %(place)s.") % words,
                _("Make room before it is full: then no application can be taken."),
            )
        ]
    return [
        Finding(
            "disk-full",
            "critical",
            _("The disk of %(place)s is full (%(free)s are free).") % words,
            _(
                "Make room at once. Applicants are asked to try again; what was accepted before is "
                "safe."
            ),
        )
    ]


def _findings(
    workers: list[Heartbeat],
    sweepers: list[Heartbeat],
    broker_error: str | None,
    oldest_seconds: float | None,
    needs: int,
) -> list[Finding]:
    found = []
    safe = _("Applications are stored and safe.")
    if broker_error:
        found.append(
            Finding(
                "broker",
                "critical",
                broker_error,
                safe + " " + _("The sweeper works meanwhile."),
            )
        )
    served = {queue for worker in workers for queue in worker.queues.split(",")}
    if not workers:
        found.append(
            Finding(
                "no-worker",
                "critical",
                _("No worker is running.") + " " + safe,
                _("Start the workers; what waits is done then."),
            )
        )
    elif missing := sorted({"cpu", "io"} - served):
        found.append(
            Finding(
                "queue-unserved",
                "critical",
                _("No worker serves the queue %(queue)s.") % {"queue": ", ".join(missing)}
                + " "
                + safe,
                _("Start a worker for it with -Q."),
            )
        )
    if not sweepers:
        found.append(
            Finding(
                "no-sweeper",
                "critical",
                _("The sweeper is not running: lost messages are not noticed.") + " " + safe,
                _("Start manage.py pipeline_sweep."),
            )
        )
    if oldest_seconds is not None and oldest_seconds > STUCK.total_seconds():
        found.append(
            Finding(
                "oldest-step",
                "warning",
                ngettext(
                    "The oldest step has been ready for %(minutes)d minute.",
                    "The oldest step has been ready for %(minutes)d minutes.",
                    int(oldest_seconds // 60),
                )
                % {"minutes": int(oldest_seconds // 60)},
                _("Look whether the workers are busy or stuck."),
            )
        )
    if needs:
        found.append(
            Finding(
                "needs-attention",
                "warning",
                ngettext(
                    "%(count)d step needs attention.", "%(count)d steps need attention.", needs
                )
                % {"count": needs},
                ngettext(
                    "Open it: the cause and what to do stand at the top.",
                    "Open each: the cause and what to do stand at the top.",
                    needs,
                ),
            )
        )
    return found


def _proxies(servers: list[Heartbeat]) -> list[Finding]:
    """What the web servers say of the proxy that visitors come through."""
    told = {beat.facts.get("proxy"): beat.facts.get("address") or "?" for beat in servers}
    action = _(
        "Let the proxy send X-Forwarded-For and X-Forwarded-Proto, as the section “Deploy” of "
        "docs/operations.md shows."
    )
    found = []
    if (address := told.get("unknown")) is not None:
        found.append(
            Finding(
                "proxy-unknown",
                "warning",
                _(
                    "Visitors come through a proxy (%(address)s) that TRUSTED_PROXIES does not "
                    "name. To the site all of them are one, and share one limit for uploads."
                )
                % {"address": address},
                _("Put the proxy's address into TRUSTED_PROXIES and start the web server again."),
            )
        )
    if (address := told.get("no-address")) is not None:
        found.append(
            Finding(
                "proxy-no-address",
                "warning",
                _(
                    "The proxy %(address)s does not say who the visitor is. To the site all "
                    "visitors are one, and share one limit for uploads."
                )
                % {"address": address},
                action,
            )
        )
    if (address := told.get("no-scheme")) is not None:
        found.append(
            Finding(
                "proxy-no-scheme",
                "warning",
                _(
                    "The proxy %(address)s does not say that it speaks TLS with visitors, as "
                    "SITE_URL has it. Browsers are not told to keep to TLS."
                )
                % {"address": address},
                action,
            )
        )
    return found


def _fonts(workers: list[Heartbeat]) -> list[Finding]:
    """A note when PDFs of answers in some scripts would show boxes."""
    told = {key for worker in workers for key in worker.facts.get("missing_scripts", ())}
    missing = [script for key, script in SCRIPTS.items() if key in told]
    if not missing:
        return []
    packages = " ".join(sorted({script.package for script in missing}))
    return [
        Finding(
            "fonts",
            "note",
            _("PDFs show boxes for answers in %(scripts)s: a worker has no font for them.")
            % {"scripts": ", ".join(str(script.name) for script in missing)},
            _(
                "If you expect such answers, run “apt-get install %(packages)s” where PDFs are "
                "made, and start the workers for the queue cpu again."
            )
            % {"packages": packages},
        )
    ]


def _of_the_clock(
    schedulers: list[Heartbeat], alive: list[Heartbeat], runs: list[ScheduledRun]
) -> list[Finding]:
    found = []
    if not any(beat in alive for beat in schedulers):
        late = _("Pages that are scheduled do not go live or expire, and no daily summary is sent.")
        words = (
            _("The scheduler has not rung since %(time)s.") % {"time": clock(schedulers[0].seen_at)}
            if schedulers
            else _("The scheduler has never rung.")
        )
        found.append(Finding("no-scheduler", "warning", f"{words} {late}", _("Start celery beat.")))
    found += [
        Finding(
            f"schedule-failed.{run.task}",
            "warning",
            _("“%(task)s” failed at %(time)s (%(error)s).")
            % {
                "task": title_of(run.task),
                "time": clock(run.ended_at or run.started_at),
                "error": run.error,
            },
            _("The worker’s log tells where. It runs again at its next time."),
        )
        for run in runs
        if run.error
    ]
    return found


def _of_the_operators() -> list[Finding]:
    if SiteSettings.operator_addresses():
        return []
    return [
        Finding(
            "no-operators",
            "note",
            _("Nobody is told when something breaks."),
            _(
                "Name an address under Settings, Company, Operation, or give an administrator "
                "an e-mail address."
            ),
        )
    ]


def clock(moment: dt.datetime) -> str:
    """A time of today as a time, any other with its date; in the reader's zone and language."""
    local = timezone.localtime(moment)
    if local.date() == timezone.localdate():
        return formats.time_format(local.time(), "TIME_FORMAT")
    return formats.date_format(local, "SHORT_DATETIME_FORMAT")
