"""What people type into a search box, as queries."""

from __future__ import annotations

import re
import uuid

from django.db.models import Q

from careers.applications.references import normalise_reference
from careers.pipeline.models import Step


def by_person(typed: str) -> Q:
    """Applications of the people whose name or address contains every word that was typed."""
    return _containing(typed, "name", "email")


def by_colleague(typed: str) -> Q:
    """Rows of the access log about what a colleague did, by name or user name."""
    return _containing(typed, "user_name")


def _containing(typed: str, *fields: str) -> Q:
    found = Q()
    for word in typed.split()[:6]:
        either = Q()
        # SQLite ignores the case of ASCII letters only.
        for spelling in {word, word.lower(), word.capitalize()}:
            for field in fields:
                either |= Q(**{f"{field}__icontains": spelling})
        found &= either
    return found


def by_reference(typed: str) -> Q:
    """Applications whose reference is, or contains, what was typed."""
    letters = normalise_reference(typed).replace("-", "")
    if not 0 < len(letters) <= 8:
        return Q(pk=None)
    if len(letters) > 4:
        return Q(reference__startswith=f"{letters[:4]}-{letters[4:]}")
    return Q(reference__contains=letters)


def by_id(typed: str) -> Q:
    """Applications by their own id, by a Celery task id or by a Message-ID of their mails."""
    typed = typed.strip()
    try:
        key = uuid.UUID(typed)
    except ValueError:
        pass
    else:
        return Q(public_id=key) | Q(pk__in=_applications(celery_task_id=str(key)))
    if "@" in typed and len(typed) < 255:
        bare = typed.strip("<>")
        return Q(pk__in=_applications(result__message_id__in=[f"<{bare}>", bare]))
    return Q(pk=None)


def alert_number(typed: str) -> int | None:
    """The number in an alert's reference, such as ``alert-12``; None for anything else."""
    found = re.fullmatch(r"alert-(\d{1,18})", typed.strip(), re.IGNORECASE)
    return int(found[1]) if found else None


def alerts(typed: str) -> Q:
    """Alerts by reference or words, by a Celery task id or by a Message-ID of their mails."""
    typed = typed.strip()
    bare = typed.strip("<>")
    mails = Step.objects.filter(
        Q(celery_task_id=typed) | Q(result__message_id__in=[f"<{bare}>", bare]),
        alert__isnull=False,
    )
    return (
        Q(pk=alert_number(typed))
        | Q(facts__message__icontains=typed)
        | Q(pk__in=mails.values("alert_id"))
    )


def _applications(**lookup: object) -> object:
    return Step.objects.filter(application__isnull=False, **lookup).values("application_id")
