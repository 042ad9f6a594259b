"""What a failed attempt means: how errors are classified, when a step is retried or given up."""

from __future__ import annotations

import datetime as dt
import random
import traceback as tracebacks
from dataclasses import dataclass

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _

from careers.applications.errors import EffectError, Misconfigured, Permanent, Transient
from careers.pipeline.models import Step
from careers.pipeline.states import ErrorClass, State
from careers.pipeline.time_limit import OutOfTime

#: The longest pause between two attempts, in seconds.
BACKOFF_CAP = 3600
#: For how long a temporary error is retried.
TRANSIENT_PATIENCE = dt.timedelta(days=3)
#: How many attempts in a row may fail unexpectedly.
UNKNOWN_ATTEMPTS = 5


@dataclass(frozen=True)
class Verdict:
    """What becomes of a step after a failed attempt.

    Attributes:
        attempts: the number of attempts to store. After an unexpected error, only attempts in a
            row that failed unexpectedly count.
        failing_since: when the first of the failures in a row happened.
    """

    error_class: ErrorClass
    code: str
    public: str
    gives_up: bool
    attempts: int
    failing_since: dt.datetime


def judge(step: Step, error: BaseException, now: dt.datetime) -> Verdict:
    """Classify an error of a running step and decide whether the step is given up."""
    error_class, code, public = classify(error)
    failing_since = step.failing_since or now
    if step.error_class == ErrorClass.CONFIGURATION:
        # The three days begin when the setting is correct.
        failing_since = now
    attempts = unexpected_attempts(step) if error_class == ErrorClass.UNKNOWN else step.attempts
    gives_up = {
        ErrorClass.PERMANENT: True,
        ErrorClass.CONFIGURATION: False,
        ErrorClass.TRANSIENT: now - failing_since > TRANSIENT_PATIENCE,
        ErrorClass.UNKNOWN: attempts >= UNKNOWN_ATTEMPTS,
    }[error_class]
    return Verdict(error_class, code, public, gives_up, attempts, failing_since)


def classify(error: BaseException) -> tuple[ErrorClass, str, str]:
    """The class of an error, a slug for it, and words for people."""
    match error:
        case Transient():
            return ErrorClass.TRANSIENT, error.code, error.public
        case Permanent():
            return ErrorClass.PERMANENT, error.code, error.public
        case Misconfigured():
            return ErrorClass.CONFIGURATION, error.code, error.public
        case OperationalError() | InterfaceError():
            # The database restarted, was locked, full or unreachable. The step did not cause it.
            words = _("The database did not answer. The site tries again.")
            return ErrorClass.TRANSIENT, "database", words
        case OutOfTime():
            words = _("The step was not done after %(seconds)d seconds and was stopped.")
            return ErrorClass.UNKNOWN, "too-slow", words % {"seconds": settings.PIPELINE_SOFT_LIMIT}
        case _:
            name = type(error).__name__
            return (
                ErrorClass.UNKNOWN,
                name,
                _("An unexpected error occurred (%(name)s). The traceback shows where.")
                % {"name": name},
            )


def too_slow() -> Transient:
    """The error of a step that was stopped while it waited for another server."""
    return Transient(
        "too-slow",
        _(
            "A server that the step needs was so slow that the step was stopped after "
            "%(seconds)d seconds. The site tries again."
        )
        % {"seconds": settings.PIPELINE_SOFT_LIMIT},
    )


def unexpected_attempts(step: Step) -> int:
    """How many attempts in a row failed unexpectedly, including the present one.

    Attempts that failed during an outage do not count.
    """
    return step.attempts if step.error_class in ("", ErrorClass.UNKNOWN) else 1


def state_when_given_up(unconfirmed_until: dt.datetime | None) -> State:
    """The state of a step that is not tried again; a mail that may have been sent did not fail."""
    return State.UNCERTAIN if unconfirmed_until else State.FAILED


def backoff(attempts: int, retry_after: int | None = None) -> dt.timedelta:
    """The pause before the next attempt: it doubles up to an hour, times a random factor of ½ to 1.

    Args:
        attempts: the attempts so far.
        retry_after: seconds that the other server asked for. The pause is never shorter, and
            at random up to a half longer, so that steps refused together return one by one.
    """
    seconds = min(BACKOFF_CAP, settings.PIPELINE_BACKOFF_BASE * 2 ** min(attempts - 1, 20))
    jittered = seconds * random.uniform(0.5, 1)  # noqa: S311 -- spreads load, hides nothing
    asked = (retry_after or 0) * random.uniform(1, 1.5)  # noqa: S311 -- the same
    return dt.timedelta(seconds=max(jittered, asked))


def retry_after_of(error: BaseException) -> int:
    """Seconds that the other server asked to wait before the next attempt; 0 when it did not."""
    return (error.retry_after or 0) if isinstance(error, EffectError) else 0


def anonymous_traceback(error: BaseException) -> str:
    """The positions in the code and no values: messages and locals may hold personal data."""
    frames = tracebacks.extract_tb(error.__traceback__)
    lines = [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in frames]
    return "\n".join([*lines, type(error).__name__])
