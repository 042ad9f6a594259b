"""The data in background work: mails, files and their history."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from careers.retention.data_map import Erasure, Kept, Personal, Purpose, Reader, Subject, declare

STEP = Personal(
    _("Step"),
    Purpose.OPERATION,
    Kept.APPLICATION,
    (Reader.HR, Reader.OPERATORS),
    Erasure.ROW,
)

declare(
    "careers.Step",
    _("Step of an application"),
    subject=Subject.APPLICANT,
    path="application",
    personal={
        "kind": STEP.but(_("What is done")),
        "recipient": STEP.but(_("HR’s address to which it is mailed")),
        "state": STEP.but(_("State")),
        "state_since": STEP.but(_("Since when")),
        "delivered_at": STEP.but(_("When the mail was delivered")),
        "bounced_at": STEP.but(_("When the mail bounced")),
        "bounce_reason": STEP.but(_("Why the mail bounced, without addresses")),
        "error_public": STEP.but(_("What failed, in words")),
        "result": STEP.but(_("Message-ID, the server’s answer, name of the object")),
    },
    plain=(
        "sequence token owner lease_until run_after ready_at dispatched_at dispatches attempts "
        "failing_since phase repeat_until repeat_with reported_at error_class error_code "
        "created_at started_at ended_at celery_task_id handled_at"
    ),
)
declare(
    "careers.StepEvent",
    _("Event of a step"),
    subject=Subject.APPLICANT,
    path="step__application",
    personal={
        "at": STEP.but(_("When")),
        "to_state": STEP.but(_("State")),
        "actor": STEP.but(_("Who or what changed it; a person by number and user name")),
        "reason": STEP.but(_("Why; a person may have typed it")),
        "traceback": STEP.but(
            _("Where in the program it failed; never a value"),
            readers=(Reader.OPERATORS,),
            exported=False,
        ),
    },
    plain="attempt from_state",
)
declare(
    "careers.Dismissal",
    _("Dismissed advice"),
    subject=Subject.STAFF,
    personal={
        "dismissed_by": Personal(
            _("Account of the person"),
            Purpose.OPERATION,
            Kept.FAULT,
            (Reader.OPERATORS,),
            Erasure.DETACHED,
        )
    },
    plain="digest code dismissed_at",
)
declare(
    "careers.TranslationRequest",
    _("Request for a translation"),
    subject=Subject.STAFF,
    personal={
        "user": Personal(
            _("Account of the person"), Purpose.OPERATION, Kept.MOMENTS, (), Erasure.EXPIRES
        )
    },
    plain="kind locales created_at claimed_at",
)
ACTOR = Personal(
    _("Account of the person"), Purpose.OPERATION, Kept.LOG, (Reader.OPERATORS,), Erasure.EDIT
)
declare(
    "careers.Pause",
    _("Pause"),
    subject=Subject.STAFF,
    personal={
        "actor": ACTOR.but(_("Who paused, by number and user name")),
        "resumed_by": ACTOR.but(_("Who resumed, by number and user name")),
        "reason": ACTOR.but(_("Why")),
    },
    plain="scope since until resumed_at",
)
declare(
    "careers.BulkAct",
    _("Act on many steps"),
    subject=Subject.STAFF,
    personal={
        "user": ACTOR.but(_("Account of the person"), erased=Erasure.DETACHED),
        "reason": ACTOR.but(_("Why")),
    },
    plain="act key chosen total done cursor last created_at touched_at finished_at",
)
declare("careers.Alert", plain="kind key code facts created_at mailed_at closed_at")
declare("careers.DatabaseIdentity", plain="identity pulse restored_at")
declare("careers.Finding", plain="source code severity facts since expires_at")
declare(
    "careers.FinishedWork",
    plain=(
        "until last_step last_application applications steps hours generation thinned_application"
    ),
)
declare("careers.Heartbeat", plain="kind name queues facts started_at seen_at")
declare("careers.ServiceAnswer", plain="name good_at bad_at facts finding")
declare("careers.ScheduledRun", plain="task started_at ended_at error findings")
declare(
    "signin.Memory",
    _("Counters of sign-ins and requests"),
    subject=Subject.STAFF,
    personal={
        "value": Personal(
            _("How often a network or an account tried; both as keyed hashes"),
            Purpose.SECURITY,
            Kept.SESSION,
            (),
            Erasure.EXPIRES,
            exported=False,
        )
    },
    plain="cache_key expires",
)
