"""What a mail provider reports by itself, later: that it has a mail, and that one came back."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from anymail.exceptions import AnymailWebhookValidationFailure
from anymail.signals import EventType, RejectReason
from django.conf import settings
from django.http import HttpRequest
from django.utils import translation
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from careers.notifications.providers import PROVIDERS
from careers.notifications.refusals import without_addresses

#: Who the provider says that it is, with EMAIL_WEBHOOK_SECRET as its password.
USER = "careers"

CAME_BACK = (EventType.BOUNCED, EventType.REJECTED, EventType.FAILED)
#: Who complains of a mail, or reads it, has it.
ARRIVED = (EventType.DELIVERED, EventType.COMPLAINED)
#: Each of them says that the provider took the mail.
KNOWN = (
    EventType.QUEUED,
    EventType.SENT,
    EventType.DEFERRED,
    EventType.AUTORESPONDED,
    EventType.OPENED,
    EventType.CLICKED,
    *ARRIVED,
    *CAME_BACK,
)
#: Resend's words that django-anymail does not know (Resend, "Event Types").
RESEND = {"email.failed": EventType.FAILED, "email.suppressed": EventType.REJECTED}


class Forged(Exception):
    """Whoever sent this does not know the secret."""


class Unreadable(Exception):
    """This is no report that the provider would send."""


@dataclass(frozen=True)
class Report:
    """One thing that the provider says about one mail.

    Attributes:
        mark: which mail, as we named it in its metadata; "" when it does not say.
        at: when it happened, by the provider's clock; None when it does not say.
        came_back: why it did not get to the recipient, in the site's language and without
            addresses; "" when it did, or may.
        arrived: the recipient's mail server took it.
        remark: what else to write down about it, in the site's language; "" for nothing.
    """

    mark: str
    at: dt.datetime | None
    came_back: str = ""
    arrived: bool = False
    remark: str = ""


def reports(request: HttpRequest) -> list[Report]:
    """The reports in a request to the webhook.

    Raises:
        Forged: it lacks the secret.
        Unreadable: it is not what ``EMAIL_PROVIDER`` sends.
    """
    view = import_string(PROVIDERS[settings.EMAIL_PROVIDER].webhook)(
        webhook_secret=f"{USER}:{settings.EMAIL_WEBHOOK_SECRET}"
    )
    try:
        view.run_validators(request)
    except AnymailWebhookValidationFailure:
        raise Forged from None
    try:
        events = view.parse_events(request)
    except Exception:  # anything may be in there, and the reason would quote it
        raise Unreadable from None
    return [_report(event, kind) for event in events if (kind := _kind(event)) in KNOWN]


def _kind(event: Any) -> str:
    said = event.esp_event if isinstance(event.esp_event, dict) else {}
    if event.event_type == EventType.UNKNOWN:
        return str(RESEND.get(str(said.get("type")), EventType.UNKNOWN))
    # Postmark's "SpamNotification" is a filter that took nothing, and no person who complains.
    if event.event_type == EventType.COMPLAINED and said.get("RecordType") == "Bounce":
        return str(EventType.BOUNCED)
    return str(event.event_type)


def _report(event: Any, kind: str) -> Report:
    metadata = event.metadata if isinstance(event.metadata, dict) else {}
    with translation.override(settings.LANGUAGE_CODE):
        return Report(
            mark=str(metadata.get("mail", "")),
            at=event.timestamp,
            came_back=_why(event, kind) if kind in CAME_BACK else "",
            arrived=kind in ARRIVED,
            remark=(
                _("The recipient reported the mail as spam.")
                if kind == EventType.COMPLAINED
                else ""
            ),
        )


def _why(event: Any, kind: str) -> str:
    said = str(event.mta_response or event.description or _cause(event)).encode()
    answer = without_addresses(said, str(event.recipient or ""))
    match event.reject_reason or (RejectReason.BLOCKED if kind == EventType.REJECTED else ""):
        case RejectReason.INVALID:
            return _("There is no such address.")
        case RejectReason.BLOCKED | RejectReason.UNSUBSCRIBED:
            return _(
                "The mail provider does not send to this address any more. It may be on the "
                "provider’s list of addresses from which mails came back."
            )
        case RejectReason.SPAM:
            return _("The recipient’s mail server took the mail for spam.")
        case RejectReason.TIMED_OUT:
            return _("The recipient’s mail server did not answer for too long.")
    if answer and kind == EventType.FAILED:
        return _("The mail provider could not send it (%(answer)s).") % {"answer": answer}
    if answer:
        return _("The recipient’s mail server refused it (%(answer)s).") % {"answer": answer}
    return _("The mail could not be delivered.")


def _cause(event: Any) -> str:
    """The reason that Resend gives with "email.failed"."""
    try:
        return str(event.esp_event["data"]["failed"]["reason"])
    except (KeyError, TypeError):
        return ""
