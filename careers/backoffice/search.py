"""What people type into a search box, as queries."""

from __future__ import annotations

import uuid

from django.db.models import Q

from careers.applications.references import normalise_reference
from careers.pipeline.models import Step


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


def _applications(**lookup: object) -> object:
    return Step.objects.filter(**lookup).values("application_id")
