"""``manage.py migrate`` for a database that a running site uses."""

import time
from typing import Any

from django.core.management.commands import migrate
from django.db import OperationalError, connections

#: Whoever comes after a migration that waits for a lock waits behind it. So it gives up sooner
#: than those give up (``lock_timeout`` in the settings), lets them pass, and comes back. It locks
#: tables one by one, in another order than the site uses them; PostgreSQL ends a deadlock by
#: failing the one that has waited for ``deadlock_timeout``, 1 s, first. Half of that, and it is
#: never the site.
LOCK_TIMEOUT = "500ms"
PAUSE = 3  # seconds
PATIENCE = 300  # seconds
#: SQLSTATE lock_not_available and deadlock_detected (PostgreSQL, appendix A).
LOCKED = ("55P03", "40P01")


class Command(migrate.Command):
    """On PostgreSQL: waits briefly for locks, again and again; works as long as it takes."""

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
                        "A table was in use all the time. Look in pg_stat_activity for a "
                        "transaction that stays open, end it, and migrate again."
                    )
                    raise
            self.stderr.write(f"A table is in use. The migration tries again in {PAUSE} s.")
            time.sleep(PAUSE)
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
            cursor.execute("RESET statement_timeout")
