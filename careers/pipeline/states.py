"""The states of a step, and which may follow which."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class State(models.TextChoices):
    WAITING = "waiting", _("Waiting for an earlier step")
    QUEUED = "queued", _("Queued")
    SENT = "sent", _("Sent to a worker")
    STARTED = "started", _("Running")
    RETRYING = "retrying", _("Will retry")
    SUCCEEDED = "succeeded", _("Done")
    FAILED = "failed", _("Failed")
    UNCERTAIN = "uncertain", _("Unconfirmed")
    CANCELLED = "cancelled", _("Cancelled")


#: Celery's word for each state, for people who also use Flower.
CELERY_WORDS = {
    State.WAITING: "PENDING",
    State.QUEUED: "PENDING",
    State.SENT: "SENT",
    State.STARTED: "STARTED",
    State.RETRYING: "RETRY",
    State.SUCCEEDED: "SUCCESS",
    State.FAILED: "FAILURE",
    State.UNCERTAIN: "FAILURE",
    State.CANCELLED: "REVOKED",
}

#: The state machine: from each state, where a step may go. RETRYING to itself changes the time of
#: the next attempt. Only mails in a restored database go from a state before STARTED to UNCERTAIN:
#: they may have been sent since.
LEAVES_TO: dict[State, frozenset[State]] = {
    State.WAITING: frozenset({State.QUEUED, State.UNCERTAIN, State.CANCELLED}),
    State.QUEUED: frozenset({State.SENT, State.STARTED, State.UNCERTAIN, State.CANCELLED}),
    State.SENT: frozenset({State.STARTED, State.QUEUED, State.UNCERTAIN, State.CANCELLED}),
    State.STARTED: frozenset(
        {
            State.SUCCEEDED,
            State.RETRYING,
            State.FAILED,
            State.UNCERTAIN,
            State.QUEUED,
            State.CANCELLED,
        }
    ),
    State.RETRYING: frozenset(
        {State.SENT, State.STARTED, State.RETRYING, State.UNCERTAIN, State.CANCELLED}
    ),
    State.SUCCEEDED: frozenset(),
    # To UNCERTAIN: in a restored database, where a person may have retried it since.
    State.FAILED: frozenset({State.QUEUED, State.UNCERTAIN, State.CANCELLED}),
    State.UNCERTAIN: frozenset({State.SUCCEEDED, State.CANCELLED}),
    State.CANCELLED: frozenset(),
}

#: A worker may claim the step, once ``run_after`` is reached.
CLAIMABLE = (State.QUEUED, State.SENT, State.RETRYING)
#: Nothing more happens without a person.
ENDED = (State.SUCCEEDED, State.FAILED, State.CANCELLED)
#: A person has to decide.
NEEDS_A_PERSON = (State.FAILED, State.UNCERTAIN)
#: The step has not come to an end.
UNDER_WAY = (State.WAITING, State.QUEUED, State.SENT, State.STARTED, State.RETRYING)
#: The step never leaves the state. Most steps are there, so no polled page reads them.
FINISHED = (State.SUCCEEDED, State.CANCELLED)
#: All others, which are few.
OPEN = (*UNDER_WAY, *NEEDS_A_PERSON)


class Phase(models.TextChoices):
    """Whether a running step has passed its point of no return.

    If its worker is lost, the phase decides what happens to the step.
    """

    NONE = "", ""
    DATA = "data", _("Message sent, answer awaited")
    #: The mail provider keeps an idempotency key: until ``Step.repeat_until`` a repetition is safe.
    KEYED = "keyed", _("Message sent with an idempotency key, answer awaited")


class ErrorClass(models.TextChoices):
    TRANSIENT = "transient", _("Temporary error")
    PERMANENT = "permanent", _("Permanent error")
    CONFIGURATION = "configuration", _("Configuration error")
    UNKNOWN = "unknown", _("Unknown error")
