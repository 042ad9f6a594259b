"""Answer a poll with “304 Not Modified” after one statement (RFC 9110, 13.1.2).

The entity tag of an answer is a digest of everything on which the answer depends: the session, the
account, its factors and rights, the version of the content, the last event of a step, and what
processes report. Only an answer to a person with the permission has one. So if the same facts still
hold, that person still has it, and the answer is the same: middleware compares the tags before
Django reads the session. Nobody can make a tag, since its key is secret.

Everything that changes a step writes an event in the same transaction, so the last id of the events
tells whether there was a change. It is read from the sequence that gives the ids, which is one row.
PostgreSQL raises a sequence before the transaction commits. So an answer gets a tag only at a
moment at which nobody else writes events: then every event up to that id can be read, and each
later one has a higher id. A transaction that writes to a table locks it until its changes can be
read (https://www.postgresql.org/docs/current/explicit-locking.html).

What changes with time alone, such as an age, is at most ``OLDEST`` seconds old.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.cache import add_never_cache_headers, patch_vary_headers
from django.utils.crypto import constant_time_compare, salted_hmac

from careers.operations import health, heartbeat
from careers.pipeline.models import StepEvent

#: Seconds after which a poll gets the whole answer again, although nothing has happened.
OLDEST = 30
#: Where the tag of an answer to a poll begins.
BEGINS = 'W/"poll.'

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def unchanged_polls_are_short(get_response: GetResponse) -> GetResponse:
    """Middleware: answer 304 to whoever has the present version of what they poll."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        known = request.headers.get("If-None-Match", "")
        if request.method == "GET" and known.startswith(BEGINS) and is_present(request, known):
            unchanged = HttpResponseNotModified()
            unchanged["ETag"] = known
            add_never_cache_headers(unchanged)
            patch_vary_headers(unchanged, ["Cookie"])
            return unchanged
        return get_response(request)

    return middleware


def polled(get: Callable[..., HttpResponseBase]) -> Callable[..., Any]:
    """For ``get`` of a view whose results the browser asks for again and again (``live.js``).

    The view's permission is checked before ``get``.
    """

    @wraps(get)
    def get_with_version(
        view: Any, request: HttpRequest, *args: Any, **kwargs: Any
    ) -> HttpResponseBase:
        # Read before the page: what changes in between is shown now and once more.
        version = version_for(request) if view.results_only else ""
        response = get(view, request, *args, **kwargs)
        if version and response.status_code == 200:
            response["ETag"] = version
        return response

    return get_with_version


def version_for(request: HttpRequest) -> str:
    """The tag of what this person sees at this address; "" if there is none at this moment."""
    ends = getattr(request, "signin_ends", None)
    if ends is not None and ends < (_period() + 1) * OLDEST:
        return ""  # the session ends before the tag
    version = _version(request, request.user.pk or 0)
    return "" if _others_write_events() else version


def is_present(request: HttpRequest, version: str) -> bool:
    """Whether a person has the present version of what they poll."""
    request.get_host()  # raises DisallowedHost
    user, _dot, _digest = version.removeprefix(BEGINS).partition(".")
    if not (user.isascii() and user.isdecimal() and len(user) < 10):
        return False
    return constant_time_compare(version, _version(request, int(user)))


def _period() -> int:
    return int(time.time()) // OLDEST


def _version(request: HttpRequest, user: int) -> str:
    """The tag by what holds now; "" if there is no such session."""
    session = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    found = facts(session, user) if session else []
    if not any(kind == "session" for kind, *_more in found):
        return ""
    content = [
        _period(),
        request.get_full_path(),
        "X-Live" in request.headers,
        sorted(found),
        sorted(finding.digest for finding in health.disk()),
    ]
    digest = salted_hmac("careers.backoffice.polling", repr(content), algorithm="sha256")
    # Weak: a proxy may compress the answer.
    return f'{BEGINS}{user}.{digest.hexdigest()[:32]}"'


def facts(session: str, user: int) -> list[tuple[str, ...]]:
    """What the answer to a poll depends on, in one statement: each costs more than what it reads.

    Args:
        session: the key of the session.
        user: the id of the account that it should belong to.

    Returns:
        Rows of four texts. The first one says what the row is about.
    """
    statement = _statement(connection.vendor)
    if not statement:
        return []
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(statement, {"session": session, "user": user, "now": now})
        return [tuple(row) for row in cursor.fetchall()]


#: Kind of a row, table, up to three columns, condition.
_Part = tuple[str, str, tuple[str, ...], str]


@cache
def _statement(vendor: str) -> str:
    last_event = _last_event(vendor)
    if last_event is None:
        return ""
    table = {name: connection.ops.quote_name(_table(name)) for name in _TABLES}
    alive = f"seen_at > {_ago(vendor, 1)} AND seen_at < {_ago(vendor, -1)}"
    # What a process reports as wrong; the other facts change with each heartbeat.
    trouble = "json_extract(facts, '$.trouble')" if vendor == "sqlite" else "facts ->> 'trouble'"
    of_user = "user_id = %(user)s"
    groups = f"SELECT group_id FROM {table['auth.User_groups']} WHERE {of_user}"  # noqa: S608
    pages = f"{table['wagtailcore.GroupPagePermission']} g JOIN {table['wagtailcore.Page']} p"
    parts: list[_Part] = [
        (
            "session",
            table["sessions.Session"],
            ("session_data", "expire_date"),
            "session_key = %(session)s AND expire_date > %(now)s",
        ),
        (
            "account",
            table["auth.User"],
            ("password", "is_active", "is_superuser"),
            "id = %(user)s",
        ),
        ("factor", table["mfa.Authenticator"], ("id", "type"), of_user),
        ("company", table["home.SiteSettings"], ("id", "two_factors"), ""),
        (
            "profile",
            table["wagtailusers.UserProfile"],
            ("preferred_language", "current_time_zone"),
            of_user,
        ),
        ("right", table["auth.User_user_permissions"], ("permission_id",), of_user),
        (
            "group",
            table["auth.Group_permissions"],
            ("group_id", "permission_id"),
            f"group_id IN ({groups})",
        ),
        (
            "pages",
            f"{pages} ON p.id = g.page_id",
            ("g.group_id", "g.permission_id", "p.path"),
            f"g.group_id IN ({groups})",
        ),
        ("content", table["home.ContentVersion"], ("version",), ""),
        last_event,
        (
            "process",
            table["careers.Heartbeat"],
            ("kind || ' ' || name", f"queues || ' ' || COALESCE({trouble}, '')", "started_at"),
            alive,
        ),
        (
            "finding",
            table["careers.Finding"],
            ("code", "source", "severity || CAST(facts AS text)"),
            f"expires_at > {_ago(vendor, 0)}",
        ),
        # The banner: a pause writes no event.
        (
            "pause",
            table["careers.Pause"],
            ("id", "scope", "actor || reason"),
            f"resumed_at IS NULL AND until > {_ago(vendor, 0)}",
        ),
        ("dismissal", table["careers.Dismissal"], ("code", "digest"), ""),
    ]
    return " UNION ALL ".join(map(_select, parts))


_TABLES = (
    "sessions.Session",
    "auth.User",
    "auth.User_groups",
    "auth.User_user_permissions",
    "auth.Group_permissions",
    "mfa.Authenticator",
    "home.SiteSettings",
    "home.ContentVersion",
    "wagtailusers.UserProfile",
    "wagtailcore.GroupPagePermission",
    "wagtailcore.Page",
    "careers.Heartbeat",
    "careers.Finding",
    "careers.Pause",
    "careers.Dismissal",
)


def _table(label: str) -> str:
    return apps.get_model(label)._meta.db_table


def _select(part: _Part) -> str:
    kind, table, columns, condition = part
    texts = [f"CAST({column} AS text)" for column in columns] + ["''"] * (3 - len(columns))
    where = f" WHERE {condition}" if condition else ""
    # Names of columns, and of tables as the models have them.
    return f"SELECT '{kind}', {', '.join(texts)} FROM {table}{where}"  # noqa: S608


def _ago(vendor: str, times: int) -> str:
    """The time of the database, less so many times what a process without heartbeat may have."""
    seconds = times * heartbeat.GONE_AFTER.total_seconds()
    if vendor == "sqlite":
        return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '{-seconds:+} seconds')"
    return f"clock_timestamp() - interval '{seconds} seconds'"


def _last_event(vendor: str) -> _Part | None:
    """The last id of the events; None where no sequence of PostgreSQL gives the ids."""
    table = StepEvent._meta.db_table
    if vendor == "sqlite":
        # It changes together with the table.
        return "event", "sqlite_sequence", ("seq",), f"name = '{table}'"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
        (sequence,) = cursor.fetchone()
    return ("event", sequence, ("last_value",), "") if sequence else None


def _others_write_events() -> bool:
    """Whether an event that got its id can't be read yet; asked after the ids were read.

    A transaction that took an id before still has its lock on the table, or what it wrote can be
    read.
    """
    if connection.vendor == "sqlite":
        return False
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = %s::regclass"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            # What this connection wrote, it can read.
            " AND pid <> pg_backend_pid() AND mode = 'RowExclusiveLock')",
            [StepEvent._meta.db_table],
        )
        (writing,) = cursor.fetchone()
    return bool(writing)
