"""The Message-ID of each mail (RFC 5322, 3.6.4): known before the mail is written.

It says what the mail is about and hides the address of the recipient, so that a person finds a mail
in the log of a mail server, and the application of a mail in that log.
"""

from __future__ import annotations

import hashlib
import re
from uuid import UUID

from django.conf import settings

from careers.applications.models import Application
from careers.notifications.headers import address_of

_ABOUT = re.compile(r"<?(?:receipt|hr|infected|infected-hr)\.([0-9a-f-]{36})\.")
_TO_OPERATORS = re.compile(r"<?operators\.(.+)\.[0-9a-f]+\.\d+@")


def of_receipt(application: Application, sequence: int) -> str:
    return _whole(f"receipt.{application.public_id}.{sequence}")


def of_hr_application(application: Application, recipient: str, sequence: int) -> str:
    return _whole(
        f"hr.{application.public_id}.{_digest(application.public_id, recipient)}.{sequence}"
    )


def of_infected_to_applicant(application: Application, sequence: int) -> str:
    return _whole(f"infected.{application.public_id}.{sequence}")


def of_infected_to_hr(application: Application, recipient: str, sequence: int) -> str:
    digest = _digest(application.public_id, recipient)
    return _whole(f"infected-hr.{application.public_id}.{digest}.{sequence}")


def of_operator_alert(key: str, recipient: str, sequence: int) -> str:
    return _whole(f"operators.{key}.{_digest(key, recipient)}.{sequence}")


def application_of(message_id: str) -> UUID | None:
    """The public id of the application that a mail is about; None for another mail."""
    found = _ABOUT.match(message_id.strip())
    try:
        return UUID(found[1]) if found else None
    except ValueError:
        return None


def alert_of(message_id: str) -> str:
    """The key of the alert that a mail to operators is about; "" for another mail."""
    found = _TO_OPERATORS.match(message_id.strip())
    return found[1] if found else ""


def _whole(left: str) -> str:
    sender = address_of(settings.DEFAULT_FROM_EMAIL)
    return f"<{left}@{sender.rpartition('@')[2] or 'localhost'}>"


def _digest(about: object, recipient: str) -> str:
    """Differs for each recipient and hides the address."""
    words = f"{about} {recipient.strip().lower()}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]
