"""The queue and its history: rows, because a row survives what a message does not."""

from __future__ import annotations

from typing import ClassVar, cast

from django.db import models
from django.utils.translation import gettext_lazy as _

from careers.applications.models import Application
from careers.pipeline.attention import NEEDS_ATTENTION
from careers.pipeline.states import CELERY_WORDS, ErrorClass, Phase, State


class StepKind(models.TextChoices):
    """The work that an application sets off, in the order in which people think of it."""

    RENDER_PDF = "render_pdf", _("Make the PDF")
    ARCHIVE = "archive", _("Archive")
    MAIL_APPLICANT = "mail_applicant", _("Receipt to the applicant")
    MAIL_HR = "mail_hr", _("Mail to HR")
    MAIL_OPERATORS = "mail_operators", _("Mail to operators")


class AlertKind(models.TextChoices):
    """Why operators get a mail."""

    PROBLEM = "alert", _("Problem")
    RESOLVED = "recovered", _("Resolved")
    SUMMARY = "digest", _("Daily summary")


class Alert(models.Model):
    """A message to operators; its mails are steps like any others.

    ``facts`` is what the mail says, as plain data without personal data. A problem is open until
    ``closed_at``; only a problem that lasts is mailed, at ``told_at``.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=AlertKind.choices)
    #: Part of the Message-ID, and what keeps two sweepers from saying the same thing twice.
    key = models.CharField(max_length=160, unique=True)
    #: What an alert is about: the code of a finding.
    code = models.CharField(max_length=120, blank=True)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    told_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        # The table keeps its first name: old code runs beside new during an upgrade.
        db_table = "careers_notice"
        default_permissions = ()
        ordering: ClassVar = ["-created_at", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["code"],
                condition=models.Q(kind="alert", closed_at=None),
                name="careers_alert_open_once",
            )
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def reference(self) -> str:
        """What people call it where applications have their reference."""
        return f"alert-{self.pk}"


class StepQuerySet(models.QuerySet["Step"]):
    def needing_a_person(self) -> StepQuerySet:
        return self.filter(NEEDS_ATTENTION.query)


class Step(models.Model):
    """One piece of work for one application, or one mail of an alert to operators.

    See ``states`` for its life.

    ``token`` is a fence: it grows with each claim, and whoever finishes must show the one
    he was given. ``sequence`` counts mails that a person asked for again.
    """

    application = models.ForeignKey(
        Application, null=True, on_delete=models.CASCADE, related_name="steps"
    )
    alert = models.ForeignKey(
        Alert, null=True, on_delete=models.CASCADE, related_name="steps", db_column="notice_id"
    )
    kind = models.CharField(_("step"), max_length=20, choices=StepKind.choices)
    # "" where there is no recipient: NULLs are never equal, so they would allow doubles.
    recipient = models.CharField(max_length=254, blank=True, default="")
    sequence = models.PositiveSmallIntegerField(default=0)

    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    state_since = models.DateTimeField()
    token = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    run_after = models.DateTimeField(null=True)
    #: Since when it waits for a worker; unlike ``state_since``, messages do not change it.
    ready_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True, db_column="rung_at")
    dispatches = models.PositiveIntegerField(default=0, db_column="rings")
    attempts = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    phase = models.CharField(max_length=5, choices=Phase.choices, blank=True, default=Phase.NONE)
    #: A mail was handed over under its key and nobody knows what became of it: until then the
    #: same one may be handed over again, to the same provider; afterwards a person decides.
    repeat_until = models.DateTimeField(null=True)
    repeat_with = models.CharField(max_length=40, blank=True, default="", db_default="")
    #: When the provider first said by itself that it has the mail; and when, by its clock, the
    #: mail last was delivered and last came back: its reports come twice and in any order.
    reported_at = models.DateTimeField(null=True)
    delivered_at = models.DateTimeField(null=True)
    bounced_at = models.DateTimeField(null=True)
    bounce_reason = models.TextField(blank=True, default="", db_default="")
    error_class = models.CharField(max_length=13, choices=ErrorClass.choices, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_public = models.TextField(blank=True)
    result = models.JSONField(default=dict)
    #: The mail that was sent in place of this one; read it through ``attention.REPLACED``. All
    #: steps of an application are deleted together, so the database need not watch the reference.
    replaced_by = models.ForeignKey(
        "self",
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    celery_task_id = models.CharField(max_length=36, blank=True)

    wagtail_reference_index_ignore = True

    objects = StepQuerySet.as_manager()

    class Meta:
        verbose_name = _("step")
        verbose_name_plural = _("steps")
        ordering: ClassVar = ["pk"]
        default_permissions = ("view",)
        permissions: ClassVar = [
            ("retry_step", _("Can retry, resend and confirm steps")),
            ("cancel_step", _("Can cancel steps")),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["application", "kind", "recipient", "sequence"],
                name="careers_step_once",
            ),
            models.UniqueConstraint(
                fields=["alert", "kind", "recipient", "sequence"],
                name="careers_step_once_per_notice",
            ),
            models.CheckConstraint(
                condition=models.Q(application=None, alert__isnull=False)
                | models.Q(application__isnull=False, alert=None),
                name="careers_step_about_one_thing",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["state", "run_after"], name="careers_step_due"),
            models.Index(fields=["state", "lease_until"], name="careers_step_lease"),
            # Deleting a step asks for those that it replaced; few were.
            models.Index(
                fields=["replaced_by"],
                condition=models.Q(replaced_by__isnull=False),
                name="careers_step_replaced_by",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} #{self.pk}"

    @property
    def about(self) -> Application | Alert:
        """What it is work for; the database holds that it is exactly one thing."""
        return self.application if self.application is not None else cast(Alert, self.alert)

    @property
    def celery_word(self) -> str:
        return CELERY_WORDS[State(self.state)]


class StepEvent(models.Model):
    """One change of a step; written with the change, never changed afterwards."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    attempt = models.PositiveIntegerField()
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10, choices=State.choices)
    #: "intake", "sweeper", "provider", "restore", "worker:<uuid>" or "user:<id>".
    actor = models.CharField(max_length=64)
    reason = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["pk"]


class DatabaseIdentity(models.Model):
    """What identifies this database: one row. See ``careers.pipeline.restored_database``."""

    identity = models.CharField(max_length=120)
    #: Seconds since 1970 when it last lived; None where nothing beside it can keep the same.
    pulse = models.BigIntegerField(null=True)
    restored_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        # As above: the first name of the table.
        db_table = "careers_lineage"
        default_permissions = ()

    def __str__(self) -> str:
        return self.identity


class Heartbeat(models.Model):
    """A process of ours that is alive, by its own word."""

    class Kind(models.TextChoices):
        WORKER = "worker", _("Worker")
        SWEEPER = "sweeper", _("Sweeper")
        SCHEDULER = "scheduler", _("Scheduler")
        #: Only the release before writes it; web servers report findings now.
        WEB = "web", _("Web server")

    kind = models.CharField(max_length=10, choices=Kind.choices)
    name = models.CharField(max_length=120)
    queues = models.CharField(max_length=120, blank=True)
    #: What else the process knows, such as the sweeper about the broker.
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


#: What each scheduled task does, for people.
TITLES = {
    "careers.publish_scheduled": _("Publish and unpublish pages on schedule"),
    "careers.clean_up_uploads": _("Delete uploads of forms that were not sent"),
    "careers.check_archive": _("Check that every file is in the archive"),
    "careers.watch": _("Check for problems to report to operators"),
    "careers.daily_digest": _("Daily summary: checked every hour, sent once each morning"),
    "careers.translate_pages": _("Update the translations of pages"),
}


def title_of(task: str) -> str:
    """What a task does, in words; its own name where there are none."""
    return str(TITLES.get(task, task))


class ScheduledRun(models.Model):
    """The last run of a scheduled task."""

    task = models.CharField(max_length=120, unique=True)
    started_at = models.DateTimeField()
    #: None while it runs, and for ever when the worker was lost.
    ended_at = models.DateTimeField(null=True)
    #: The class of the exception that ended it; "" when it went well.
    error = models.CharField(max_length=120, blank=True)
    #: Only the release before reads and writes it; tasks report findings now.
    findings = models.JSONField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["task"]
