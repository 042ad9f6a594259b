"""The index that makes search fast on PostgreSQL. Without it, search reads every row.

It needs the extension pg_trgm (https://www.postgresql.org/docs/current/pgtrgm.html). The owner of a
database may make it; where a managed server forbids that, everything works without.
"""

from __future__ import annotations

import logging
from typing import Any

from django.db import DatabaseError

log = logging.getLogger(__name__)

INDEX = "careers_application_trigrams"
MAKE_EXTENSION = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
#: Beside writers: it must not run in a transaction.
MAKE_INDEX = (
    f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {INDEX}"
    " ON careers_applicationterms USING gin (terms gin_trgm_ops)"
)
#: SQLSTATE lock_not_available and deadlock_detected (PostgreSQL, appendix A).
TRY_AGAIN = ("55P03", "40P01")


def make_index(connection: Any) -> bool:
    """Make the index where the database can have it.

    Returns:
        Whether it exists now.

    Raises:
        DatabaseError: others use the table now; ``migrate`` tries again.
    """
    if connection.vendor != "postgresql":
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'pg_trgm'")
            if cursor.fetchone() is None:
                cursor.execute(MAKE_EXTENSION)
            # What is left of an attempt that was interrupted.
            cursor.execute(
                "SELECT 1 FROM pg_index WHERE NOT indisvalid AND indexrelid = to_regclass(%s)",
                [INDEX],
            )
            if cursor.fetchone() is not None:
                cursor.execute(f"DROP INDEX CONCURRENTLY {INDEX}")
            cursor.execute(MAKE_INDEX)
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") in TRY_AGAIN:
            raise
        log.warning("search works without an index: %s", type(error.__cause__ or error).__name__)
        return False
    return True


def drop_index(connection: Any) -> None:
    """Remove the index; the extension may serve others and stays."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
