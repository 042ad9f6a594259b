"""``manage.py migrate`` for a database that a running site is using."""

import time
from typing import Any

from django.core.management.commands import migrate
from django.db import OperationalError, connections

#: Requests queue behind a migration that waits for a lock. So the migration gives up before the
#: requests do (``lock_timeout`` in the settings), lets them pass, and tries again. It may also
#: deadlock with the site, because it locks tables in another order. PostgreSQL ends a deadlock by
#: failing the session that has waited for ``deadlock_timeout`` (1 s). With half of that, the
#: migration fails and never a request.
LOCK_TIMEOUT = "500ms"
PAUSE = 3  # seconds
PATIENCE = 300  # seconds
#: SQLSTATE lock_not_available and deadlock_detected (PostgreSQL, appendix A).
LOCKED = ("55P03", "40P01")


class Command(migrate.Command):
    """On PostgreSQL, retries with short waits for locks. A statement itself has no time limit."""

    def handle(self, *args: Any, **options: Any) -> None:
        connection = connections[options["database"]]
        if connection.vendor != "postgresql":
            super().handle(*args, **options)
            return
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
            cursor.execute("SET statement_timeout = 0")
        give_up_at = time.monotonic() + PATIENCE
        while True:
            try:
                super().handle(*args, **options)
                break
            except OperationalError as error:
                if getattr(error.__cause__, "sqlstate", "") not in LOCKED:
                    raise
                if time.monotonic() > give_up_at:
                    self.stderr.write(
                        "A table was always in use. Look in pg_stat_activity for a transaction "
                        "that stays open, end it, and migrate again."
                    )
                    raise
            self.stderr.write(f"A table is in use. The migration tries again in {PAUSE} s.")
            time.sleep(PAUSE)
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
            cursor.execute("RESET statement_timeout")
