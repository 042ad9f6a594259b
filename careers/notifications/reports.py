"""What a mail provider reports later: that it accepted, delivered or bounced a mail."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from anymail.signals import EventType, RejectReason
from django.conf import settings
from django.utils import translation
from django.utils.translation import gettext as _

from careers.notifications.refusals import without_addresses

BOUNCED = (EventType.BOUNCED, EventType.REJECTED, EventType.FAILED)
#: A recipient who complains about a mail has it.
DELIVERED = (EventType.DELIVERED, EventType.COMPLAINED)
#: Each of these says that the provider accepted the mail.
KNOWN = (
    EventType.QUEUED,
    EventType.SENT,
    EventType.DEFERRED,
    EventType.AUTORESPONDED,
    EventType.OPENED,
    EventType.CLICKED,
    *DELIVERED,
    *BOUNCED,
)


class Forged(Exception):
    """The sender of this request does not know the webhook's secret."""


class Unreadable(Exception):
    """The provider does not send such reports."""


@dataclass(frozen=True)
class Report:
    """One thing that the provider reports about one mail.

    Attributes:
        reference: the mail reference that we put into the mail's metadata; "" when missing.
        at: when it happened, by the provider's clock; None when the report does not say.
        bounce_reason: why the mail did not reach the recipient, in the site's language and
            without addresses; "" when it did, or still may.
        delivered: the recipient's mail server accepted the mail.
        remark: a further note for the mail's history, in the site's language; "" for none.
    """

    reference: str
    at: dt.datetime | None
    bounce_reason: str = ""
    delivered: bool = False
    remark: str = ""


def report(event: Any, kind: str, detail: str) -> Report:
    """The report in one event of django-anymail.

    Args:
        event: an ``AnymailTrackingEvent``.
        kind: its type, one of ``KNOWN``, corrected by the provider's own module.
        detail: why the mail was not delivered, in the words of a server; "" when unknown.
    """
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    with translation.override(settings.LANGUAGE_CODE):
        complained = kind == EventType.COMPLAINED
        return Report(
            reference=str(metadata.get("mail", "")),
            at=event.timestamp,
            bounce_reason=_reason(event, kind, detail) if kind in BOUNCED else "",
            delivered=kind in DELIVERED,
            remark=_("The recipient reported the mail as spam.") if complained else "",
        )


def _reason(event: Any, kind: str, detail: str) -> str:
    answer = without_addresses(detail.encode(), str(event.recipient or ""))
    match event.reject_reason or (RejectReason.BLOCKED if kind == EventType.REJECTED else ""):
        case RejectReason.INVALID:
            return _("There is no such address.")
        case RejectReason.BLOCKED | RejectReason.UNSUBSCRIBED:
            return _(
                "The mail provider no longer sends to this address. The address may be on the "
                "provider’s suppression list because earlier mails bounced."
            )
        case RejectReason.SPAM:
            return _("The recipient’s mail server rejected the mail as spam.")
        case RejectReason.TIMED_OUT:
            return _("The recipient’s mail server did not answer in time.")
    if answer and kind == EventType.FAILED:
        return _("The mail provider could not send it (%(answer)s).") % {"answer": answer}
    if answer:
        return _("The recipient’s mail server refused it (%(answer)s).") % {"answer": answer}
    return _("The mail could not be delivered.")
