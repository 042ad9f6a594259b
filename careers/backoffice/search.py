"""What people type into a search box, as queries. ``careers.search`` reads their words."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.lookups import In

from careers.applications.models import ApplicationView
from careers.applications.references import normalise_reference
from careers.backoffice.audit import name_of
from careers.pipeline.models import MESSAGE_ID, Step
from careers.search.folding import fold
from careers.search.models import ApplicationTerms
from careers.search.terms import terms_of
from careers.search.words import LONGEST, MOST, Word, words

_REFERENCE = re.compile(r"[a-z0-9\s-]+")


def by_colleague(typed: str) -> Q:
    """Rows of the access log about what a colleague did, by name, user name or address."""
    found = words(typed)
    if not found:
        return Q(pk__in=[])
    # A row also holds the name that its account had then, or had at last.
    typed_words = [word.casefold() for word in typed.split()[:MOST]]
    earlier = [
        name for name in _names_in_log() if all(word in name.casefold() for word in typed_words)
    ]
    return Q(user__in=_accounts(found)) | Q(user_name__in=earlier)


def _names_in_log() -> Iterator[str]:
    """Each name in the access log once: the index leads from one to the next."""
    names = ApplicationView.objects.order_by("user_name").values_list("user_name", flat=True)
    last = names.first()
    while last is not None:
        yield last
        last = names.filter(user_name__gt=last).first()


def by_account(typed: str) -> Q:
    """Accounts by name, user name or address."""
    return Q(pk__in=_accounts(words(typed)))


def _accounts(found: list[Word]) -> list[Any]:
    """The accounts that have each of the words; they are few, so all are read."""
    if not found:
        return []
    return [user.pk for user in get_user_model().objects.all() if _is_named(user, found)]


def _is_named(user: Any, found: list[Word]) -> bool:
    terms = terms_of(f"{name_of(user)} {user.email}")
    return all(word.within(terms) for word in found)


def by_reference(typed: str, *, least: int = 3) -> Q:
    """Applications whose reference is, or contains, what was typed.

    Args:
        least: the letters without which it is no part of a reference. Where names are searched
            too, fewer than four would find the references of others. Each half of a reference is a
            word of ``by_person``, so four letters need no search of their own there, unless they
            are written with others, as O for 0.
    """
    folded = fold(typed[:LONGEST])
    letters = normalise_reference(folded).replace("-", "")
    if not _REFERENCE.fullmatch(folded) or not least <= len(letters) <= 8:
        return Q(pk=None)
    if least == 4 == len(letters) and letters == folded.strip().upper():
        return Q(pk=None)
    if len(letters) > 4:
        return Q(reference__startswith=f"{letters[:4]}-{letters[4:]}")
    # Only the terms have an index for what lies within a word.
    likely = ApplicationTerms.objects.filter(
        source=ApplicationTerms.PERSON, terms__contains=fold(letters)
    )
    return Q(reference__contains=letters, pk__in=likely.values("application"))


def by_id(typed: str) -> list[Q]:
    """Applications by their own id, by a Celery task id or by a Message-ID of their mails.

    Returns:
        Conditions, each of which has an index.
    """
    typed = typed.strip()
    try:
        key = uuid.UUID(typed)
    except ValueError:
        pass
    else:
        return [Q(public_id=key), Q(pk__in=_applications(Q(celery_task_id=str(key))))]
    if "@" in typed and len(typed) < 255:
        return [Q(pk__in=_applications(_by_message_id(typed)))]
    return []


def alert_number(typed: str) -> int | None:
    """The number in an alert's reference, such as ``alert-12``; None for anything else."""
    found = re.fullmatch(r"alert-(\d{1,18})", typed.strip(), re.IGNORECASE)
    return int(found[1]) if found else None


def alerts(typed: str) -> Q:
    """Alerts by reference or words, by a Celery task id or by a Message-ID of their mails."""
    typed = typed.strip()
    mails: set[int | None] = set()
    for mail in (Q(celery_task_id=typed), _by_message_id(typed)):
        found = Step.objects.filter(mail, alert__isnull=False)
        mails.update(found.values_list("alert_id", flat=True))
    return Q(pk=alert_number(typed)) | Q(facts__message__icontains=typed) | Q(pk__in=mails)


def _by_message_id(typed: str) -> Q:
    """The steps whose mail has this Message-ID, with or without its angle brackets."""
    bare = typed.strip("<>")
    return Q(In(MESSAGE_ID, [f"<{bare}>", bare]))


def _applications(steps: Q) -> object:
    return Step.objects.filter(steps, application__isnull=False).values("application_id")
