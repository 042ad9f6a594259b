"""The signed reference by which a mail provider's reports name the step of a mail."""

from __future__ import annotations

import datetime as dt

from django.core.signing import BadSignature

from careers.applications.digests import signer
from careers.pipeline.models import Step

#: Part of every reference. Mails that were sent carry it, so it never changes.
SALT = "careers.pipeline.steps.mail"
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)


def mail_reference(step: Step) -> str:
    """The reference of a step's mail; only this site can make it.

    It holds the step's id and its moment of creation: a restored database gives the same ids
    again, but not at the same moments.
    """
    moment = (step.created_at - _EPOCH) // _MICROSECOND
    return signer(SALT).sign(f"{step.pk}-{moment}")


def step_of_reference(reference: str) -> int | None:
    """The id of the step that a reference names; None when this site did not make it."""
    try:
        named = signer(SALT).unsign(reference)
    except BadSignature:
        return None
    pk, _hyphen, moment = named.partition("-")
    at = _EPOCH + int(moment) * _MICROSECOND
    return Step.objects.filter(pk=int(pk), created_at=at).values_list("pk", flat=True).first()
