"""What people type into a search box, as queries. ``careers.search`` reads their words."""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q

from careers.applications.references import normalise_reference
from careers.backoffice.audit import name_of
from careers.pipeline.models import Step
from careers.search.folding import fold
from careers.search.terms import terms_of
from careers.search.words import LONGEST, MOST, Word, words

_REFERENCE = re.compile(r"[a-z0-9\s-]+")


def by_colleague(typed: str) -> Q:
    """Rows of the access log about what a colleague did, by name, user name or address."""
    found = words(typed)
    if not found:
        return Q(pk__in=[])
    # The accounts are few. A row also holds the name that its account had then, or had at last.
    accounts = [user.pk for user in get_user_model().objects.all() if _is_named(user, found)]
    earlier = Q()
    for word in typed.split()[:MOST]:
        earlier &= Q(user_name__icontains=word)
    return Q(user__in=accounts) | earlier


def _is_named(user: Any, found: list[Word]) -> bool:
    terms = terms_of(f"{name_of(user)} {user.email}")
    return all(word.within(terms) for word in found)


def by_reference(typed: str, *, least: int = 3) -> Q:
    """Applications whose reference is, or contains, what was typed.

    Args:
        least: the letters without which it is no part of a reference. Where names are searched
            too, fewer than four would find the references of others.
    """
    folded = fold(typed[:LONGEST])
    letters = normalise_reference(folded).replace("-", "")
    if not _REFERENCE.fullmatch(folded) or not least <= len(letters) <= 8:
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
