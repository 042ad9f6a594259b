"""Which steps need a person, which mails bounced, which were replaced: each rule stated once.

The panel, the counts, the health check, the alerts and the daily summary all use these.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Min, QuerySet

from careers.pipeline import states
from careers.pipeline.kinds import MAIL_APPLICANT
from careers.pipeline.rules import has_key, is_set, one_of
from careers.pipeline.states import UNDER_WAY, ErrorClass, Phase, State

#: The step is retried without end, until a person changes a setting.
MISCONFIGURED = one_of("state", State.RETRYING) & one_of("error_class", ErrorClass.CONFIGURATION)
#: A person has dealt with it by hand, and said how.
HANDLED = is_set("handled_at")
#: The step will not recover without a person.
NEEDS_ATTENTION = (one_of("state", *states.NEEDS_A_PERSON) & ~HANDLED) | MISCONFIGURED

#: A key of ``Step.result`` that older releases write and read in place of the column.
REPLACED_KEY = "instead"
#: Another mail was sent in place of this one. The release before this one knows the key only, and
#: runs beside this one during an upgrade: so both are written, and either counts. The release after
#: this one fills the column from the keys once more, then drops the key here and in ``replacing``.
REPLACED = is_set("replaced_by_id") | has_key("result", REPLACED_KEY)

#: A mail that was sent, and that its provider reported as undeliverable.
BOUNCED = one_of("state", State.SUCCEEDED) & is_set("bounced_at")
#: A bounced mail that no other mail has replaced.
OPEN_BOUNCE = BOUNCED & ~REPLACED

#: The error code of a mail above the limit of mails to one mailbox.
MAILBOX_FULL = "mailbox-limit"
#: A mail that was not sent because its mailbox had got enough mails. It needs nobody.
NOT_SENT = one_of("state", State.CANCELLED) & one_of("error_code", MAILBOX_FULL)

#: A receipt that a person cancelled: the applicant has none.
RECEIPT_CANCELLED = (
    one_of("state", State.CANCELLED) & one_of("kind", MAIL_APPLICANT) & ~NOT_SENT & ~REPLACED
)

#: A mail under way that may have passed the point of no return. It can't be stopped, nor sent to
#: another address. A row with ``repeat_until`` was sent, and its provider is asked about it again.
MAY_HAVE_BEEN_SENT = one_of("state", *UNDER_WAY) & (
    ~one_of("phase", Phase.NONE) | is_set("repeat_until")
)


def replacing(result: dict[str, Any], step_id: int) -> dict[str, Any]:
    """The columns that say which step replaced another one.

    Args:
        result: what the replaced step's ``result`` holds.
        step_id: the id of the new step.
    """
    return {"replaced_by_id": step_id, "result": {**result, REPLACED_KEY: step_id}}


@dataclass(frozen=True)
class Cause:
    """Steps of one kind that share a cause.

    Attributes:
        code: the error's code; "" for steps without an error.
        since: when the first of them began to fail.
        words: the cause, for people.
    """

    kind: str
    code: str
    count: int
    since: dt.datetime | None
    words: str


def by_cause(steps: QuerySet[Any], *, words: str = "error_public") -> list[Cause]:
    """Group steps by kind and cause, the largest group first.

    Args:
        words: the column that says the cause in words.
    """
    groups = (
        steps.order_by()
        .values("kind", "error_code")
        .annotate(count=Count("pk"), since=Min("failing_since"), words=Max(words))
        .order_by("-count", "kind", "error_code")
    )
    return [
        Cause(row["kind"], row["error_code"], row["count"], row["since"], row["words"])
        for row in groups
    ]
