"""The queue and its history. They are rows, because a message may be lost."""

from __future__ import annotations

from typing import ClassVar, cast

from django.conf import settings
from django.db import models
from django.db.models.fields.json import KeyTextTransform
from django.utils.translation import gettext_lazy as _

from careers.applications.models import Application
from careers.pipeline.attention import NEEDS_ATTENTION
from careers.pipeline.states import (
    CELERY_WORDS,
    ENDED,
    FINISHED,
    OPEN,
    UNDER_WAY,
    ErrorClass,
    Phase,
    State,
)

#: The Message-ID of a step's mail; NULL for a step that sent none.
MESSAGE_ID = KeyTextTransform("message_id", "result")


class AlertKind(models.TextChoices):
    """Why operators get a mail."""

    PROBLEM = "alert", _("Problem")
    RESOLVED = "recovered", _("Resolved")
    SUMMARY = "digest", _("Daily summary")


class Alert(models.Model):
    """A message to operators. Its mails are steps.

    ``facts`` holds the content of the mail, as plain data without personal data. A problem is open
    until ``closed_at``; ``mailed_at`` is when it was mailed; None while it is
    too new.
    """

    kind = models.CharField(_("kind"), max_length=10, choices=AlertKind.choices)
    #: Part of the Message-ID; it keeps two sweepers from creating the same alert twice.
    key = models.CharField(max_length=160, unique=True)
    #: The code of the finding that the alert is about.
    code = models.CharField(max_length=120, blank=True)
    facts = models.JSONField(default=dict)
    created_at = models.DateTimeField()
    mailed_at = models.DateTimeField(null=True, db_column="told_at")
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
        """The name of the alert, where an application has its reference."""
        return f"alert-{self.pk}"


class StepQuerySet(models.QuerySet["Step"]):
    def needing_a_person(self) -> StepQuerySet:
        return self.filter(NEEDS_ATTENTION.query)


class Step(models.Model):
    """One piece of work for one application, or one mail of an alert to operators.

    ``states`` holds the state machine. ``token`` is a fence: each claim raises it, and a process
    may write only while it holds the current one. ``sequence`` counts the mails that replaced
    earlier ones.
    """

    application = models.ForeignKey(
        Application, null=True, on_delete=models.CASCADE, related_name="steps"
    )
    alert = models.ForeignKey(
        Alert, null=True, on_delete=models.CASCADE, related_name="steps", db_column="notice_id"
    )
    #: The name of a registered step; see ``careers.pipeline.registry``.
    kind = models.CharField(_("step"), max_length=20)
    # "" where there is no recipient: NULLs are never equal, so they would allow duplicates.
    recipient = models.CharField(max_length=254, blank=True, default="")
    sequence = models.PositiveSmallIntegerField(default=0)

    state = models.CharField(_("state"), max_length=10, choices=State.choices)
    state_since = models.DateTimeField()
    token = models.PositiveIntegerField(default=0)
    owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    run_after = models.DateTimeField(null=True)
    #: Since when the step waits for a worker. Dispatching changes ``state_since``, but not this.
    ready_at = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True, db_column="rung_at")
    dispatches = models.PositiveIntegerField(default=0, db_column="rings")
    attempts = models.PositiveIntegerField(default=0)
    failing_since = models.DateTimeField(null=True)
    phase = models.CharField(max_length=5, choices=Phase.choices, blank=True, default=Phase.NONE)
    #: The mail may have been sent under its idempotency key. Until ``repeat_until`` it may be sent
    #: again to the same provider, which is ``repeat_with``; afterwards a person decides.
    repeat_until = models.DateTimeField(null=True)
    repeat_with = models.CharField(max_length=40, blank=True, default="", db_default="")
    #: When the provider first reported to have the mail, and when, by the provider's clock, the
    #: mail was last delivered and last bounced. Reports come twice and in any order.
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
    #: When a person marked the step as handled by hand; its event says how.
    handled_at = models.DateTimeField(null=True)

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
            ("pause_step", _("Can pause and resume steps")),
            ("operate_site", _("Can handle the steps of the whole site, without names")),
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
            # SQLite does not use an index with a condition for a condition with parameters.
            models.Index(fields=["state", "run_after"], name="careers_step_due"),
            models.Index(fields=["state", "lease_until"], name="careers_step_lease"),
            # Most steps have ended, so what polls and sweepers read is in indexes without these.
            models.Index(
                fields=["state", "kind"],
                condition=models.Q(state__in=OPEN),
                name="careers_step_open",
            ),
            models.Index(
                fields=["state_since"],
                condition=models.Q(state__in=UNDER_WAY),
                name="careers_step_since",
            ),
            models.Index(
                fields=["dispatched_at"],
                condition=models.Q(state=State.SENT),
                name="careers_step_sent",
            ),
            models.Index(
                fields=["ended_at", "kind", "state"],
                condition=models.Q(state__in=ENDED),
                name="careers_step_ended",
            ),
            # For the filters of the task status: the newest applications with such a step.
            models.Index(
                fields=["state", "kind", "application"],
                condition=models.Q(state__in=FINISHED, application__isnull=False),
                name="careers_step_finished",
            ),
            models.Index(
                fields=["application"],
                condition=models.Q(bounced_at__isnull=False),
                name="careers_step_bounced",
            ),
            # What a person may paste into the search.
            models.Index(
                fields=["celery_task_id"],
                condition=models.Q(celery_task_id__gt=""),
                name="careers_step_task",
            ),
            models.Index(MESSAGE_ID, name="careers_step_message"),
            models.Index(
                fields=["recipient", "application"],
                condition=models.Q(recipient__gt=""),
                name="careers_step_recipient",
            ),
            # Deleting a step looks up the steps that it replaced. Few steps are replaced.
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
        """The application or the alert; a database constraint holds that it is exactly one."""
        return self.application if self.application is not None else cast(Alert, self.alert)

    @property
    def celery_word(self) -> str:
        return CELERY_WORDS[State(self.state)]


class StepEvent(models.Model):
    """One change of a step. It is written together with the change and never changed."""

    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField()
    attempt = models.PositiveIntegerField()
    from_state = models.CharField(max_length=10, blank=True)
    to_state = models.CharField(max_length=10, choices=State.choices)
    #: "intake", "applicant", "operator", "sweeper", "provider", "restore", "worker:<uuid>" or
    #: "user:<id>:<user name>"; "user:<id>" in events of earlier releases.
    actor = models.CharField(max_length=64)
    reason = models.TextField(blank=True)
    traceback = models.TextField(blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["pk"]


class Pause(models.Model):
    """A person holds steps back until a moment. See ``careers.pipeline.pauses``.

    Attributes:
        scope: what is paused, such as ``mails`` or ``kind:archive``.
        actor: who paused it, as in ``StepEvent.actor``.
        until: when it ends by itself.
        resumed_at, resumed_by: when and by whom it was ended; by nobody where it ended by itself
            and another pause of the same scope followed.
    """

    scope = models.CharField(max_length=40)
    reason = models.TextField()
    actor = models.CharField(max_length=64)
    since = models.DateTimeField()
    until = models.DateTimeField()
    resumed_at = models.DateTimeField(null=True)
    resumed_by = models.CharField(max_length=64, blank=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["-since", "-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["scope"], condition=models.Q(resumed_at=None), name="careers_pause_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.scope} until {self.until}"


class BulkAct(models.Model):
    """One act on many steps. See ``careers.pipeline.bulk``.

    Attributes:
        key: the same for the same act on the same choice; one at a time is under way.
        chosen: which steps are meant.
        total: how many there were when the person asked.
        done: to how many it was done; others had changed meanwhile.
        cursor, last: the id of the last step that was looked at, and of the last one to look at.
        touched_at: when somebody last worked on it; None while nobody does.
    """

    act = models.CharField(max_length=20)
    key = models.CharField(max_length=64)
    chosen = models.JSONField()
    #: Without a constraint: the release before does not know this table when it deletes a user.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        db_constraint=False,
        related_name="+",
    )
    reason = models.TextField()
    total = models.BigIntegerField()
    done = models.BigIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    last = models.BigIntegerField()
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        default_permissions = ()
        ordering: ClassVar = ["-pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(finished_at=None),
                name="careers_bulk_act_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.act} #{self.pk}"


class DatabaseIdentity(models.Model):
    """The identity of this database, in one row. See ``careers.pipeline.restored_database``."""

    identity = models.CharField(max_length=120)
    #: When the sweeper last ran, in seconds since 1970; None where no file can hold the same time.
    pulse = models.BigIntegerField(null=True)
    restored_at = models.DateTimeField(null=True)

    wagtail_reference_index_ignore = True

    class Meta:
        # As above: the first name of the table.
        db_table = "careers_lineage"
        default_permissions = ()

    def __str__(self) -> str:
        return self.identity
