"""Answer a poll with “304 Not Modified” without reading what the page shows (RFC 9110, 13.1.2).

Everything that changes a step writes an event in the same transaction, so the last id of the events
tells whether there was a change. It is read from the sequence that gives the ids, which is one row.
PostgreSQL raises a sequence before the transaction commits. So a version exists only at a moment at
which no transaction writes events: then every event up to that id can be read, and each later one
has a higher id. A transaction that writes to a table locks it until its changes can be read
(https://www.postgresql.org/docs/current/explicit-locking.html).

The version also holds what else the page shows and who reads it. What changes with time alone, such
as an age, is at most ``OLDEST`` seconds old.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.db import connection
from django.db.models import TextField, Value
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponseBase, HttpResponseNotModified
from django.utils.translation import get_language

from careers.backoffice.permissions import is_operator
from careers.operations import health, heartbeat
from careers.operations.models import Dismissal, Finding, Heartbeat
from careers.pipeline.models import Pause, StepEvent
from careers.pipeline.transitions import db_now
from home.rights import held_by

#: Seconds after which a poll gets the whole answer again, although nothing has happened.
OLDEST = 30


def polled(get: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
    """For ``get`` of a view whose results the browser asks for again and again (``live.js``).

    The view's permission is checked before ``get``.
    """

    @wraps(get)
    def get_unless_unchanged(
        view: Any, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        # Read before the page: what changes in between is shown now and once more.
        version = version_for(request) if view.results_only else ""
        if version and request.headers.get("If-None-Match") == version:
            unchanged = HttpResponseNotModified()
            unchanged["ETag"] = version
            return unchanged
        response = get(view, request, *args, **kwargs)
        if version and response.status_code == 200:
            response["ETag"] = version
        return response

    return get_unless_unchanged


def version_for(request: HttpRequest) -> str:
    """The ETag of what this reader sees at this address; "" if there is none at this moment."""
    last_event = settled_event()
    if last_event is None:
        return ""
    now = db_now()
    seen: list[Any] = []
    # The banner: a pause writes no event.
    paused = Pause.objects.filter(resumed_at=None, until__gt=now).order_by()
    if is_operator(request.user):
        alive = Heartbeat.objects.filter(
            seen_at__gt=now - heartbeat.GONE_AFTER, seen_at__lt=now + heartbeat.GONE_AFTER
        )
        found = Finding.objects.filter(expires_at__gt=now).order_by()
        # One statement: each costs more than what it reads.
        read = (
            alive.order_by()
            .values_list("kind", "name", "queues", Value("", output_field=TextField()))
            .union(
                found.values_list("code", "source", "severity", Cast("facts", TextField())),
                Dismissal.objects.order_by().values_list(
                    "code", "digest", "digest", Value("", output_field=TextField())
                ),
                paused.values_list("scope", "actor", "actor", "reason"),
                all=True,
            )
        )
        seen = [sorted(read), sorted(finding.digest for finding in health.disk())]
    else:
        seen = [list(paused.values_list("pk"))]
    content = [
        last_event,
        int(now.timestamp()) // OLDEST,
        request.get_full_path(),
        get_language(),
        request.user.pk,
        held_by(request.user),
        *seen,
    ]
    digest = hashlib.sha256(json.dumps(content, default=str).encode()).hexdigest()
    # Weak: a proxy may compress the answer.
    return f'W/"{digest[:32]}"'


def settled_event() -> int | None:
    """The highest id of an event, if everything up to it can be read; None if that is unknown."""
    table = StepEvent._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # It changes together with the table.
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            row = cursor.fetchone()
            return int(row[0]) if row else 0
        sequence = _sequence(table)
        if sequence is None:
            return None
        cursor.execute(f"SELECT last_value FROM {sequence}")  # noqa: S608 -- of the catalogue
        (last,) = cursor.fetchone()
        # In this order: a transaction that took an id before still has its lock on the table, or
        # what it wrote can be read.
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = %s::regclass"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND mode = 'RowExclusiveLock')",
            [table],
        )
        (writing,) = cursor.fetchone()
    return None if writing else int(last)


@cache
def _sequence(table: str) -> str | None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
        (name,) = cursor.fetchone()
    return name if name is None else str(name)
