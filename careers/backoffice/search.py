"""What people type into a search box, as queries. ``careers.search`` reads their words."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.db.models.lookups import In

from careers.applications.mailboxes import mailbox_of
from careers.applications.models import Application, ApplicationView
from careers.applications.references import normalise_reference
from careers.backoffice.audit import name_of
from careers.jobs.models import JobPage
from careers.notifications import message_ids
from careers.pipeline.models import MESSAGE_ID, Step
from careers.pipeline.states import OPEN
from careers.search.folding import fold
from careers.search.models import ApplicationTerms
from careers.search.terms import terms_of
from careers.search.words import LONGEST, MOST, Word, words
from home.values import mail_address

#: The code of an error: ours, or the name of a class.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9._-]{2,59}")
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
        # A mail that was never sent from here has a Message-ID, too: it names its application.
        about = message_ids.application_of(typed)
        named = [Q(public_id=about)] if about else []
        return [*named, Q(pk__in=_applications(_by_message_id(typed)))]
    return []


def by_error(typed: str) -> list[Q]:
    """Applications with a step that has this error code, such as ``mail-login``."""
    code = typed.strip()
    if not _CODE.fullmatch(code):
        return []
    return [Q(pk__in=_applications(Q(error_code=code, state__in=OPEN)))]


def by_job(typed: str) -> Q:
    """Applications for jobs whose title contains what was typed."""
    if len(typed.strip()) < 3:
        return Q(pk=None)
    jobs = JobPage.objects.filter(title__icontains=typed.strip()[:LONGEST])
    return Q(job_key__in=jobs.order_by().values("translation_key"))


def by_recipient(typed: str, readable: QuerySet[Application]) -> list[Q]:
    """Applications with a mail to this address.

    Args:
        readable: the applications that the person may read: only of these is the applicant's
            address looked at.
    """
    address = typed.strip()
    if "@" not in address or len(address) > 254:
        return []
    steps = Q(recipient__in=mail_address.spellings(address))
    return [
        Q(pk__in=_applications(steps)),
        Q(mailbox=mailbox_of(address), pk__in=readable.order_by().values("pk")),
    ]


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
    key = message_ids.alert_of(typed)
    named = Q(key=key) if key else Q(pk=None)
    return named | Q(pk=alert_number(typed)) | Q(facts__message__icontains=typed) | Q(pk__in=mails)


def _by_message_id(typed: str) -> Q:
    """The steps whose mail has this Message-ID, with or without its angle brackets."""
    bare = typed.strip("<>")
    return Q(In(MESSAGE_ID, [f"<{bare}>", bare]))


def _applications(steps: Q) -> object:
    return Step.objects.filter(steps, application__isnull=False).values("application_id")
