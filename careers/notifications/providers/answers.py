"""What a provider's answer means, or the lack of one (RFC 9110, 15; RFC 6585, 4)."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from django.utils import timezone

from careers.applications.errors import (
    EffectError,
    Misconfigured,
    Permanent,
    Transient,
    Uncertain,
    Undecidable,
)
from careers.applications.sentences import sentence as _
from careers.notifications.refusals import CROWD_PAUSE, CROWDED, without_addresses

#: The longest pause that a provider may ask for; in seconds.
LONGEST_PAUSE = 24 * 3600


def refusal(response: requests.Response, recipient: str) -> EffectError:
    """What an answer that is no success means.

    Args:
        recipient: the address that must not appear in the error.
    """
    code, said = response.status_code, _message(response)
    words = {"answer": _in_words(response, recipient)}
    if code == 429:
        return Transient(
            CROWDED,
            _(
                "The mail provider accepts no more mails for now (%(answer)s). All mails "
                "wait and will be tried again."
            )
            % words,
            retry_after=pause(response.headers.get("Retry-After", "")) or CROWD_PAUSE,
        )
    if code in (401, 403):
        return Misconfigured(
            "mail-login",
            _(
                "The mail provider refused the API key or the sender (%(answer)s). Check "
                "EMAIL_API_KEY, and that this key may send from the address in "
                "DEFAULT_FROM_EMAIL."
            )
            % words,
        )
    if code == 402:
        return Misconfigured(
            "mail-server",
            _("The mail provider asks for payment (%(answer)s). Check the account.") % words,
        )
    if 300 <= code < 400 or code in (404, 405):
        return Misconfigured(
            "mail-server",
            _(
                "The mail provider has no API at this address (%(answer)s). Check EMAIL_PROVIDER "
                "and EMAIL_API_URL."
            )
            % words,
        )
    if 400 <= code < 500 and code != 408:
        if "sender" in said.lower():
            return Misconfigured(
                "mail-sender",
                _("The mail provider refused the sender (%(answer)s). Check DEFAULT_FROM_EMAIL.")
                % words,
            )
        return Permanent(
            "mail-refused",
            _(
                "The mail provider refused the mail (%(answer)s). Correct the address, or check "
                "the provider’s log, then try again."
            )
            % words,
        )
    # The provider may have failed after it accepted the mail.
    return unconfirmed()


def used_before(response: requests.Response, recipient: str) -> Undecidable:
    """The provider recognizes the mail's idempotency key and does not repeat its first answer."""
    return Undecidable(
        "mail-unconfirmed",
        _(
            "The mail provider got this mail before and does not say whether it was sent "
            "(%(answer)s). Check the provider’s log or ask the recipient, then mark the mail as "
            "arrived or send it again."
        )
        % {"answer": _in_words(response, recipient)},
    )


def unconfirmed() -> Uncertain:
    """The provider may have the mail, and there is no clear answer."""
    return Uncertain(
        "mail-unconfirmed",
        _(
            "The mail provider got the mail but did not confirm it. Check the provider’s log or "
            "ask the recipient, then choose “It arrived” or “Send again”."
        ),
    )


def refused_recipient() -> Permanent:
    """The provider does not accept the recipient's address."""
    return Permanent(
        "mail-recipient",
        _(
            "The mail provider refused the recipient’s address. Correct the address, or contact "
            "the person in another way."
        ),
    )


def unreachable(error: requests.RequestException) -> EffectError:
    """Why there was no connection; nothing was sent."""
    causes = _causes(error)
    if any(isinstance(cause, ssl.SSLError) for cause in causes):
        return Misconfigured(
            "mail-tls",
            _(
                "The mail provider’s certificate is not valid, or the provider does not use TLS. "
                "Nothing was sent. Check EMAIL_API_URL. If your own authority signed the "
                "certificate, name its file in SSL_CERT_FILE."
            ),
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return Transient(
            "mail-unreachable",
            _(
                "The mail provider’s host name was not found. Check EMAIL_API_URL. The "
                "site tries again."
            ),
        )
    return Transient(
        "mail-unreachable",
        _("The mail provider did not answer. The site tries again."),
    )


def error_names(response: requests.Response) -> set[str]:
    """A refusal's names for machines."""
    body = _body(response)
    return {str(body[name]) for name in ("name", "code", "ErrorCode") if name in body}


def pause(value: str) -> int | None:
    """The seconds of a Retry-After header (RFC 9110, 10.2.3); None when it holds none."""
    if re.fullmatch(r"\d{1,9}", value):
        seconds = int(value)
    else:
        try:
            seconds = int((parsedate_to_datetime(value) - timezone.now()).total_seconds())
        except (TypeError, ValueError):
            return None
    return min(seconds, LONGEST_PAUSE) if seconds > 0 else None


def _in_words(response: requests.Response, recipient: str) -> str:
    said = without_addresses(_message(response).encode(), recipient)
    return f"{response.status_code} {said}".strip()


def _message(response: requests.Response) -> str:
    body = _body(response)
    return str(body.get("message") or body.get("Message") or "")


def _body(response: requests.Response) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        body = response.json()
        if isinstance(body, dict):
            return body
    return {}


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop()
        if isinstance(one, BaseException) and one not in found:
            found.append(one)
            waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return found
