"""When a form is a repetition, and of what.

There are two questions, and each has a key with a unique constraint:

- *Did this sender send this content before?* Then they get the same receipt. The script of the form
  makes a key for its sender. A form without a key is known by its network for ``WINDOW``, which is
  long enough for a double click and for a second try after a lost answer. ``IdempotencyKey`` holds
  a digest of sender, job and content.
- *Did anybody send this content before?* Then HR is not mailed again. Nobody outside HR learns of
  it. ``Application.fingerprint`` holds a digest of job and content.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from careers.applications.digests import digests
from careers.applications.models import Application, IdempotencyKey
from careers.applications.references import new_secret

#: How long a network stands for a sender without a key.
WINDOW = dt.timedelta(minutes=2)


@dataclass(frozen=True)
class Identity:
    """Who sent what, as digests. Each has one value for each configured key, the newest first.

    Attributes:
        fingerprints: of job and content.
        senders: of sender, job and content.
        lasts: how long ``senders`` count; None for as long as the application exists.
    """

    fingerprints: list[str]
    senders: list[str] = field(repr=False)
    lasts: dt.timedelta | None


def identify(content: str, *, sender_key: str, network: str) -> Identity:
    """The identity of a form.

    Args:
        content: the job and everything that was entered, in one spelling.
        sender_key: the key that the sender's browser made; "" for none.
        network: a hash of the sender's network; "" where it is unknown. Then nothing shows who
            sent the form, and each sender is another one.
    """
    who = ["key", sender_key] if sender_key else ["network", network or new_secret()]
    return Identity(
        digests("careers.intake.fingerprint", content),
        digests("careers.intake.sender", json.dumps([*who, content])),
        None if sender_key else WINDOW,
    )


def sent_by_same_sender(identity: Identity) -> Application | None:
    """The application that the same sender made with the same content; None when there is none."""
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    made = _ids(
        "SELECT application_id FROM careers_idempotencykey "
        "WHERE digest IN ({}) AND (expires_at IS NULL OR expires_at > %s)",
        identity.senders,
        now,
    )
    return Application.objects.filter(pk__in=made).order_by("pk").first() if made else None


def lock_first_with_same_content(identity: Identity) -> int:
    """The id of the first application with this content, whoever sent it; 0 when there is none.

    Until the end of the transaction, other decisions about the same content wait.
    """
    can_lock = connection.features.has_select_for_no_key_update
    lock = connection.ops.for_update_sql(no_key=True) if can_lock else ""
    found = _ids(
        "SELECT id FROM careers_application "  # noqa: S608 -- our own text
        "WHERE fingerprint IN ({}) ORDER BY id LIMIT 1 " + lock,
        identity.fingerprints,
    )
    return found[0] if found else 0


def _ids(sql: str, digests: list[str], *more: Any) -> list[int]:
    """The ids that a statement finds.

    It is written by hand because Django takes several times as long to compose it as to run it.

    Args:
        sql: has ``{}`` where the placeholders of the digests belong.
    """
    with connection.cursor() as cursor:
        cursor.execute(sql.format(", ".join(["%s"] * len(digests))), [*digests, *more])
        return [key for (key,) in cursor.fetchall()]


def keys_of(identity: Identity, application: Application) -> list[IdempotencyKey]:
    """What shows that this sender made this application, to be stored in its transaction.

    If there is such a key, storing it raises ``IntegrityError``: the same sender made an
    application with the same content meanwhile, or the key counts no more (``forget_outdated``).
    """
    expires_at = application.received_at + identity.lasts if identity.lasts else None
    return [
        IdempotencyKey(digest=digest, application=application, expires_at=expires_at)
        for digest in identity.senders
    ]


def forget_outdated(identity: Identity) -> None:
    """Delete the keys of this sender and content that no longer count."""
    gone = ~Exists(Application.objects.filter(pk=OuterRef("application")))
    IdempotencyKey.objects.filter(
        Q(expires_at__lte=timezone.now()) | gone, digest__in=identity.senders
    ).delete()
