"""How the site talks to its database: the queue and the truth."""

from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

SQLITE = {
    # IMMEDIATE takes the write lock when a transaction begins. Without it two writers that
    # both read first end in "database is locked", however long they wait.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,  # seconds
    # FULL: a receipt is shown only for what is on the disk.
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
        "PRAGMA journal_size_limit=27103364; PRAGMA cache_size=-20000;"
    ),
}
POSTGRESQL = {
    "connect_timeout": 5,  # seconds
    # A machine that vanished closes no connection. Without these the site waits 15 minutes
    # for it, or two hours if it had accepted the query (tcp(7)).
    "tcp_user_timeout": 20_000,  # milliseconds
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    # Values travel beside the statement, not in it: personal data stays out of the server's
    # log of slow statements (with log_parameter_max_length=0).
    "server_side_binding": True,
    "options": (
        "-c statement_timeout=15000 -c lock_timeout=5000 "
        "-c idle_in_transaction_session_timeout=60000"
    ),
}


def configured(url: str) -> dict[str, Any]:
    """The entry in ``DATABASES`` for a URL.

    Raises:
        ImproperlyConfigured: the URL names no database.
    """
    database: dict[str, Any] = dict(dj_database_url.parse(url))
    if not database["NAME"]:
        raise ImproperlyConfigured(
            "DATABASE_URL names no database. Write it as postgres://user:password@host/database."
        )
    if database["ENGINE"].endswith("sqlite3"):
        return database | {"OPTIONS": dict(SQLITE)}
    return database | {
        "OPTIONS": database.get("OPTIONS", {}) | POSTGRESQL,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
