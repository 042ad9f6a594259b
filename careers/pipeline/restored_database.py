"""Is this still the database whose mails we send, or an older copy of it?

Whoever restores a backup goes back in time, and the world does not: mails that were on their way
when the copy was made have been sent since. So before a mail is claimed or a step is made, the
database is recognised by what no copy takes along:

- PostgreSQL: the server's system identifier and timeline, and the numbers that it gave the
  database and a table of ours. A dump that is restored gets new ones; recovery to a point in time
  and failing over to a standby start a new timeline.
- SQLite: the file's number in its file system, and a second file beside it whose time the sweeper
  sets with each look. A copy is another file, or older than that time.

When it is another one, every mail that was not sent is parked as not confirmed, for a person to
decide; those that had failed, too, for somebody may have retried them since. Documents and archive
copies are safe to make again. A snapshot of a whole disk takes everything along: for that there is
``manage.py after_restore``.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import os
from pathlib import Path

from django.db import NotSupportedError, ProgrammingError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from careers.pipeline import registry
from careers.pipeline.models import DatabaseIdentity, Step
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


def recognise() -> bool:
    """Park the mails that were not sent if this database is a restored copy; True when it was.

    Cheap enough to be asked before each claim: one or two small queries.
    """
    try:
        return _recognise()
    except OSError as error:
        # The file system does not say. An application is not refused for that, and a copy on a
        # disk that can't be asked for its own files has other troubles.
        log.warning("the database could not be recognised: %s", type(error).__name__)
        return False


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
    """Park the mails that were not sent, because somebody says that this is a restored copy.

    Returns:
        How many were parked.
    """
    with transaction.atomic():
        DatabaseIdentity.objects.update_or_create(
            pk=1, defaults={"identity": identity(), "restored_at": db_now()}
        )
        return _park()


def restored_since(moment: dt.datetime) -> dt.datetime | None:
    """When this database was last found to be a copy, if that is later than ``moment``."""
    row = DatabaseIdentity.objects.filter(pk=1, restored_at__gt=moment).first()
    return row.restored_at if row else None


def pulse() -> None:
    """Note that the database lives, in it and beside it; to be called every few seconds."""
    path = _beside()
    if path is None:
        return
    second = int(db_now().timestamp())
    row = DatabaseIdentity.objects.filter(pk=1)
    try:
        if not path.exists():
            path.touch(mode=0o600)
            os.utime(path, (0, 0))
        # Another sweeper may have been later. The file follows, so that it is never ahead.
        row.filter(Q(pulse=None) | Q(pulse__lt=second)).update(pulse=second)
        os.utime(path, (second, second))
    except OSError as error:
        log.warning("no pulse beside the database: %s", type(error).__name__)
        row.update(pulse=None)


def identity() -> str:
    """What tells this database from each copy of it."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(_statement(), [Step._meta.db_table])
            return ":".join(map(str, cursor.fetchone()))
    path = _file()
    return f"inode:{path.stat().st_ino}" if path else "memory"


@functools.cache
def _statement() -> str:
    """The question to PostgreSQL, as far as this user may ask it."""
    full, short = _OURS.format(_OF_THE_SERVER), _OURS.format("")
    table = [Step._meta.db_table]
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(full, table)
    except (ProgrammingError, NotSupportedError):
        # Some providers forbid it. A passing fault, such as a table that is still to come, must
        # not end here, for the answer is kept: it is raised by this one, too.
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
    """Whether the file beside the database has seen a later moment, or is not there."""
    path = _beside()
    if path is None or row.pulse is None:
        return False
    try:
        if path.stat().st_mtime <= row.pulse:
            return False
    except FileNotFoundError:
        pass
    # The pulse goes on while we look: the file may be ahead of what we read before.
    row.refresh_from_db()
    return not path.exists() or row.pulse is None or path.stat().st_mtime > row.pulse


def _begin_anew(now_is: str, row: DatabaseIdentity) -> bool:
    with transaction.atomic():
        # Whoever is first parks; the others wait here until he is done. Not guarded by the
        # pulse: a sweeper that runs on while its database is replaced may change it.
        won = DatabaseIdentity.objects.filter(
            pk=1, identity=row.identity, restored_at=row.restored_at
        ).update(identity=now_is, pulse=None, restored_at=db_now())
        parked = _park() if won else 0
    if won:
        log.warning("the database is a restored copy: %s mails were parked", parked)
    return bool(won)


def _park() -> int:
    """Leave every mail that was not sent to a person."""
    mails = Step.objects.filter(kind__in=registry.kinds_of_mails(), state__in=UNDECIDED)
    public = _(
        "The database was restored from a copy. This mail was not sent when the copy was made; it "
        "may have been sent since. Ask the recipient or look into the mail server’s log, "
        "then confirm or send again."
    )
    # What is held back as spam is sent only after a person's release.
    parked = mails.exclude(application__quarantined=True).order_by("pk")
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
        for pk, state, cause in parked.values_list("pk", "state", "error_public")
    )
