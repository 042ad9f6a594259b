"""Detect that the database was restored from a copy, so that no mail is sent twice.

Mails that were not sent when a backup was made may have been sent before it is restored. So the
database is identified by facts that no copy contains:

- PostgreSQL: the server's system identifier and timeline, and the numbers that it gave the
  database and a table of ours. A restored dump gets new ones; recovery to a point in time and
  failover to a standby start a new timeline.
- SQLite: the file's number in its file system, and a second file beside it whose time the sweeper
  sets at each sweep. A copy is another file, or older than that time.

In a copy, every mail that was not sent becomes unconfirmed, for a person to decide; failed mails
too, because a person may have retried them since. An act on many steps that was under way ends: it
may have been done since, also to mails that are unconfirmed in the copy. Documents and archive
copies are safe to make again. A snapshot of a whole disk contains these facts too, and some hosted
PostgreSQL servers hide those of the server. There, run ``manage.py after_restore`` after a restore.

Three callers check: every process when it starts (``recognise_at_start``), a worker before the
first mail that it claims, or the first act on many steps that it continues, through a new
connection to PostgreSQL (``recognise_once``: a restore or a failover ends the connections), and the
sweeper at each sweep, before it dispatches anything. One gap remains: where the database is
replaced without ending the connections of running workers, a mail may be claimed until the next
sweep. A connection pooler such as PgBouncer never ends them, so there only the sweeper notices.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import os
from pathlib import Path
from typing import Any

from django.db import DatabaseError, NotSupportedError, ProgrammingError, connection, transaction
from django.db.backends.signals import connection_created
from django.db.models import Q
from django.dispatch import receiver
from django.utils.translation import gettext as _

from careers.pipeline import registry
from careers.pipeline.models import BulkAct, DatabaseIdentity, Step
from careers.pipeline.states import UNDER_WAY, ErrorClass, State
from careers.pipeline.transitions import db_now, move

log = logging.getLogger(__name__)

ACTOR = "restore"
UNDECIDED = (*UNDER_WAY, State.FAILED)

_OURS = "SELECT d.oid, %s::regclass::oid{} FROM pg_database d WHERE d.datname = current_database()"
_OF_THE_SERVER = (
    ", (SELECT system_identifier FROM pg_control_system())"
    ", substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"
)


#: Whether this process has recognised the database.
_recognised = False


def recognise() -> bool:
    """If this database is a restored copy, make the mails that were not sent unconfirmed.

    It takes one or two small queries.

    Returns:
        True when this call has changed the mails; False when there was nothing to do.

    Raises:
        django.db.Error: the database did not answer.
    """
    global _recognised
    try:
        found = _recognise()
    except OSError as error:
        # An error of the file system does not mean that the database is a copy.
        log.warning("the database could not be recognised: %s", type(error).__name__)
        found = False
    _recognised = True
    return found


def recognise_once() -> None:
    """Recognise the database, unless this process has done so since it last connected.

    Raises:
        django.db.Error: the database did not answer.
    """
    if not _recognised:
        recognise()


def recognise_at_start() -> None:
    """Recognise the database when a process starts.

    The process starts even if the database does not answer or has no tables yet.
    """
    try:
        recognise_once()
    except DatabaseError as error:
        log.warning("the database could not be recognised yet: %s", type(error).__name__)
    finally:
        # The process may fork, and a connection that two processes share is broken for both.
        connection.close()


@receiver(connection_created)
def _forget(**signal: Any) -> None:
    """Recognise PostgreSQL again after it ended a connection, as a restore or a failover does.

    SQLite has no server that ends connections; each task opens the file again.
    """
    global _recognised
    if signal["connection"].vendor == "postgresql":
        _recognised = False


def _recognise() -> bool:
    now_is = identity()
    row = DatabaseIdentity.objects.filter(pk=1).first()
    if row is None:
        DatabaseIdentity.objects.get_or_create(pk=1, defaults={"identity": now_is})
        return False
    if row.identity == now_is and not _is_behind(row):
        return False
    return _begin_anew(now_is, row)


def after_restore() -> int:
    """Make the mails that were not sent unconfirmed: a person says that this is a restored copy.

    Returns:
        How many mails were changed.
    """
    with transaction.atomic():
        DatabaseIdentity.objects.update_or_create(
            pk=1, defaults={"identity": identity(), "restored_at": db_now()}
        )
        return _make_unconfirmed()


def restored_since(moment: dt.datetime) -> dt.datetime | None:
    """When this database was last found to be a copy, if that is later than ``moment``."""
    row = DatabaseIdentity.objects.filter(pk=1, restored_at__gt=moment).first()
    return row.restored_at if row else None


def pulse() -> None:
    """Write the time into the database and the file beside it; call this every few seconds."""
    path = _beside()
    if path is None:
        return
    second = int(db_now().timestamp())
    row = DatabaseIdentity.objects.filter(pk=1)
    try:
        if not path.exists():
            path.touch(mode=0o600)
            os.utime(path, (0, 0))
        # Another sweeper may have written a later time. The file is written second, so that it is
        # never later than the row.
        row.filter(Q(pulse=None) | Q(pulse__lt=second)).update(pulse=second)
        os.utime(path, (second, second))
    except OSError as error:
        log.warning("no pulse beside the database: %s", type(error).__name__)
        row.update(pulse=None)


def identity() -> str:
    """What distinguishes this database from every copy of it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_statement(), [Step._meta.db_table])
            return ":".join(map(str, cursor.fetchone()))
    path = _file()
    return f"inode:{path.stat().st_ino}" if path else "memory"


@functools.cache
def _statement() -> str:
    """The statement that reads what this user may read of PostgreSQL's identity."""
    full, short = _OURS.format(_OF_THE_SERVER), _OURS.format("")
    table = [Step._meta.db_table]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(full, table)
    except (ProgrammingError, NotSupportedError):
        # Some providers forbid it. A temporary error, such as a table that does not exist yet, must
        # not be cached as an answer: the short statement raises it again.
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(short, table)
        return short
    return full


def _file() -> Path | None:
    path = Path(str(connection.settings_dict["NAME"]))
    return path if path.is_file() else None


def _beside() -> Path | None:
    path = _file() if connection.vendor == "sqlite" else None
    return path and path.with_name(f"{path.name}-pulse")


def _is_behind(row: DatabaseIdentity) -> bool:
    """Whether the file beside the database holds a later time, or is missing."""
    path = _beside()
    if path is None or row.pulse is None:
        return False
    try:
        if path.stat().st_mtime <= row.pulse:
            return False
    except FileNotFoundError:
        pass
    # Another process writes the pulse meanwhile: the file may be later than the row that we read.
    row.refresh_from_db()
    return not path.exists() or row.pulse is None or path.stat().st_mtime > row.pulse


def _begin_anew(now_is: str, row: DatabaseIdentity) -> bool:
    with transaction.atomic():
        # The first process changes the mails; the others wait here until it is done. The pulse is
        # not part of the guard: a sweeper that keeps running while its database is replaced may
        # change it.
        is_first = DatabaseIdentity.objects.filter(
            pk=1, identity=row.identity, restored_at=row.restored_at
        ).update(identity=now_is, pulse=None, restored_at=db_now())
        changed = _make_unconfirmed() if is_first else 0
    if is_first:
        log.warning("the database is a restored copy: %s mails are unconfirmed now", changed)
    return bool(is_first)


def _make_unconfirmed() -> int:
    """Set every mail that was not sent to Unconfirmed, for a person to decide."""
    BulkAct.objects.filter(finished_at=None).update(finished_at=db_now())
    mails = Step.objects.filter(kind__in=registry.kinds_of_mails(), state__in=UNDECIDED)
    public = _(
        "The database was restored from a copy. This mail was not sent when the copy was made; it "
        "may have been sent since. Ask the recipient or look into the mail server’s log, "
        "then choose “It arrived” or “Send again”."
    )
    # A quarantined application sends its mails only after a person releases it.
    not_sent = mails.exclude(application__quarantined=True).order_by("pk")
    return sum(
        move(
            pk,
            State.UNCERTAIN,
            leaving=UNDECIDED,
            actor=ACTOR,
            reason=public,
            error_class=ErrorClass.UNKNOWN,
            error_code="restored",
            error_public=f"{public} {cause}" if state == State.FAILED and cause else public,
        )
        for pk, state, cause in not_sent.values_list("pk", "state", "error_public")
    )
