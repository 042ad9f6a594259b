"""Which processes run, what they report as wrong, and which advice people dismissed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from careers.operations import words


class Heartbeat(models.Model):
    """A process of this site that reported to be alive."""

    class Kind(models.TextChoices):
        WORKER = "worker", _("Worker")
        SWEEPER = "sweeper", _("Sweeper")
        SCHEDULER = "scheduler", _("Scheduler")
        FLOWER = "flower", _("Flower")
        #: Only the previous release writes it; web servers report findings now.
        WEB = "web", _("Web server")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=120)
    queues = models.CharField(max_length=120, blank=True)
    #: What else the process reports; see ``careers.operations.heartbeat``.
    facts = models.JSONField(default=dict)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["kind", "name"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "name"], name="careers_heartbeat_once")
        ]


class ServiceAnswer(models.Model):
    """The last good and the last bad answer of a service. See ``operations.service_answers``.

    Attributes:
        name: the name of its probe, such as ``archive``.
        finding, facts: what the last bad answer was, as for ``Finding``.
    """

    name = models.CharField(max_length=40, unique=True)
    good_at = models.DateTimeField(null=True)
    bad_at = models.DateTimeField(null=True)
    finding = models.CharField(max_length=120, blank=True)
    facts = models.JSONField(default=dict)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name


class ScheduledRun(models.Model):
    """The last run of a scheduled task."""

    task = models.CharField(max_length=120, unique=True)
    started_at = models.DateTimeField()
    #: None while the task runs, and when the worker was lost.
    ended_at = models.DateTimeField(null=True)
    #: The class of the exception that ended the run; "" after a success.
    error = models.CharField(max_length=120, blank=True)
    #: Only the previous release reads and writes it; tasks report findings now.
    findings = models.JSONField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["task"]


class FinishedWork(models.Model):
    """How many applications and finished steps there are, in one row. See ``operations.tally``.

    Attributes:
        until: everything that ended or was received earlier is counted; None for nothing.
        last_step, last_application: the highest ids that were looked at. A row with a higher id may
            have ended earlier.
        steps: the number of finished steps by kind and state.
        hours: the number of steps that succeeded in each of the last hours (UTC).
        generation: how often counted rows were deleted. A count during which it rises is dropped.
        thinned_application: the id up to which ``operations.thinning`` has deleted old history.
    """

    CONTENT = ("until", "last_step", "last_application", "applications", "steps", "hours")

    until = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)
    last_application = models.BigIntegerField(default=0)
    applications = models.BigIntegerField(default=0)
    steps = models.JSONField(default=dict)
    hours = models.JSONField(default=dict)
    generation = models.BigIntegerField(default=0)
    thinned_application = models.BigIntegerField(default=0)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"finished until {self.until}"


class Severity(models.TextChoices):
    """How much a finding matters, the worst first."""

    CRITICAL = "critical", _("Critical")
    WARNING = "warning", _("Warning")
    #: For information; nothing is broken.
    ADVICE = "advice", _("Advice")


class Finding(models.Model):
    """One thing that is not as it should be, as one process or probe reports it.

    The row holds plain facts: no rendered text and no personal data. ``message`` and ``action``
    render them in the reader's language. A finding that its source does not renew expires.

    Attributes:
        source: who reports it, such as ``worker:io@host`` or ``schedule:careers.check_archive``.
        code: the name for machines; it is the same for as long as it is the same problem.
        facts: what the sentences need, as plain JSON. See ``careers.operations.words``.
        since: when this source first reported it; None for a finding that is not stored.
        expires_at: until when it counts if the source does not renew it.
    """

    source = models.CharField(max_length=160)
    code = models.CharField(max_length=120)
    severity = models.CharField(max_length=10, choices=Severity.choices)
    facts = models.JSONField(default=dict)
    since = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["since", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "code"], name="careers_finding_once")
        ]

    def __str__(self) -> str:
        return f"{self.code} from {self.source}"

    @property
    def message(self) -> str:
        """What happened, and what it means for applicants."""
        return words.of(self.code, self.facts).message

    @property
    def action(self) -> str:
        """What to do."""
        return words.of(self.code, self.facts).action

    @property
    def is_advice(self) -> bool:
        return self.severity == Severity.ADVICE

    @property
    def digest(self) -> str:
        """The same for the same code and facts, from any source."""
        plain = json.dumps([self.code, self.facts], sort_keys=True)
        return hashlib.sha256(plain.encode()).hexdigest()

    def as_json(self) -> dict[str, Any]:
        """For ``pipeline_status --json`` and for monitors."""
        return {
            "code": self.code,
            "level": self.level,
            "message": self.message,
            "action": self.action,
        }

    @property
    def level(self) -> str:
        """The severity for machines: monitors and dashboards know advice as ``note``."""
        return "note" if self.is_advice else str(self.severity)


class Dismissal(models.Model):
    """The dismissal of an advice by a person.

    It is not a column of ``Finding``: a worker that starts under another name reports the same
    advice again, and the dismissal still holds. Other facts have another digest.
    """

    digest = models.CharField(max_length=64, unique=True)
    code = models.CharField(max_length=120)
    #: Without a constraint: the release before does not know this table when it deletes a user.
    dismissed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        db_constraint=False,
        related_name="+",
    )
    dismissed_at = models.DateTimeField()

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["-dismissed_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.code} {self.digest[:8]}"
