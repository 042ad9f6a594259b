"""Receipt links expire, and a new one is made when a receipt is mailed again."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from careers.applications.models import Application
from careers.applications.references import new_secret

#: How long a receipt link works. The receipt page and the mail name the day on which it ends.
LIFETIME = dt.timedelta(days=90)


def expires_at(application: Application) -> dt.datetime:
    """When the receipt link of an application stops working."""
    return application.receipt_issued_at + LIFETIME


def has_expired(application: Application) -> bool:
    return expires_at(application) <= timezone.now()


def by_secret(secret: str) -> Application | None:
    """The application whose receipt link has this secret; None when the link does not work."""
    application = (
        Application.objects.select_related("page")
        .prefetch_related("files")
        .filter(receipt_secret=secret)
        .first()
    )
    return None if application is None or has_expired(application) else application


def renew_if_expired(application: Application) -> None:
    """Give an application a link that works. A link that still works stays as it is.

    A new link has a new secret, so the expired one never works again.
    """
    if not has_expired(application):
        return
    Application.objects.filter(
        pk=application.pk,
        receipt_secret=application.receipt_secret,
        receipt_issued_at=application.receipt_issued_at,
    ).update(receipt_secret=new_secret(), receipt_issued_at=timezone.now())
    # Another process may have been faster. Its link counts then.
    application.refresh_from_db(fields=["receipt_secret", "receipt_issued_at"])
