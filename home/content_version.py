"""The version of the content: it changes with everything that a public page may show.

Each transaction that writes to a table that a page may show also writes a new version, as its last
statement. So a change and its version become visible together, or neither does: after a rollback,
and after a process died at any moment. The statements themselves are watched, not signals of
models: signals miss ``QuerySet.update()``, moves in the page tree and bulk operations.

A table that is not named here or by its app counts as content. An app names its own models that no
page shows in ``no_page_shows`` of its ``AppConfig``.
"""

from __future__ import annotations

import contextlib
import functools
import re
import secrets
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, models, transaction
from django.db.backends.signals import connection_created

#: Models of other packages that no page shows, and whose rows change often.
NO_PAGE_SHOWS = frozenset(
    {
        "account.EmailAddress",
        "account.EmailConfirmation",
        "mfa.Authenticator",
        "sessions.Session",
        "socialaccount.SocialAccount",
        "socialaccount.SocialToken",
        "usersessions.UserSession",
        "wagtailadmin.EditingSession",
        "wagtailadmin.FormState",
        "wagtailcore.APIToken",
        "wagtailcore.Comment",
        "wagtailcore.CommentReply",
        "wagtailcore.ModelLogEntry",
        "wagtailcore.PageLogEntry",
        "wagtailcore.PageSubscription",
        "wagtailcore.ReferenceIndex",
        # A draft. What is published is in the tables of the pages.
        "wagtailcore.Revision",
        "wagtailcore.TaskState",
        "wagtailcore.UploadedFile",
        "wagtailcore.WorkflowState",
        "wagtailsearch.IndexEntry",
        "wagtailsearch.SQLiteFTSIndexEntry",
        "wagtailusers.UserProfile",
    }
)
#: Columns that change often and that no page shows, by model. The first ones change with a draft.
COLUMNS_NO_PAGE_SHOWS = {
    "wagtailcore.Page": {
        "draft_title",
        "has_unpublished_changes",
        "latest_revision_created_at",
        "latest_revision_id",
        "locked",
        "locked_at",
        "locked_by_id",
    },
    "auth.User": {"last_login"},
}
#: Where a statement begins, after spaces and comments.
_BEGINNING = re.compile(r"(?:\s+|/\*.*?\*/|--[^\n]*(?:\n|\Z))*", re.DOTALL)
_WRITING = ("inse", "upda", "dele", "repl", "trun", "merg", "copy", "with")
#: Statements that may do anything.
_UNKNOWN = re.compile(r"(?:do|call|explain\s+\(?analyze|alter)\b", re.IGNORECASE)
_WRITE = re.compile(
    r"\b(?:insert\s+(?:or\s+\w+\s+)?into|replace\s+into|delete\s+from(?:\s+only)?"
    r"|(?<!for\s)(?<!key\s)(?<!do\s)update(?:\s+or\s+\w+)?(?:\s+only)?)"
    r'\s+(?:"?\w+"?\.)?"?(\w+)"?',
    re.IGNORECASE,
)
_COLUMN = re.compile(r'"?(\w+)"?\s*=')

#: Called in this process right after a change was committed.
committed: list[Callable[[], None]] = []


class ContentVersion(models.Model):
    """The one row with the version, a random text: a restored database never has it again."""

    id = models.SmallIntegerField(primary_key=True)
    version = models.CharField(max_length=32)

    def __str__(self) -> str:
        return self.version


def current() -> str:
    """The version of the content that the database shows now; "" before the first change."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT version FROM {ContentVersion._meta.db_table}")  # noqa: S608
        row = cursor.fetchone()
    return row[0] if row else ""


def touch() -> None:
    """Write a new version, so that every process makes its pages anew.

    Call it after a change that Django did not execute, in the same transaction if there is one.
    """
    with transaction.atomic():
        connection.content_changed = True  # type: ignore[attr-defined]


@functools.cache
def hidden_tables() -> frozenset[str]:
    """The tables that no page shows."""
    found = {ContentVersion._meta.db_table}
    for config in apps.get_app_configs():
        own = getattr(config, "no_page_shows", ())
        found |= {config.get_model(name)._meta.db_table for name in own}
    for label in NO_PAGE_SHOWS:
        with contextlib.suppress(LookupError):
            found.add(apps.get_model(label)._meta.db_table)
    return frozenset(found)


@functools.cache
def _hidden_columns() -> dict[str, set[str]]:
    """The columns that no page shows, by table."""
    return {
        apps.get_model(label)._meta.db_table: columns
        for label, columns in COLUMNS_NO_PAGE_SHOWS.items()
    }


def changes_content(sql: str) -> bool:
    """Whether a statement may change what public pages show."""
    start = _BEGINNING.match(sql).end()  # type: ignore[union-attr]  # it matches any text
    word = sql[start : start + 4].lower()
    if ";" in sql.rstrip().rstrip(";") or _UNKNOWN.match(sql, start):
        return True
    if word not in _WRITING:
        return False
    if word == "with":
        return any(table.lower() not in hidden_tables() for table in _WRITE.findall(sql, start))
    found = _WRITE.match(sql, start)
    if found is None:
        return True
    table = found[1]
    if table in hidden_tables():
        return False
    hidden = _hidden_columns().get(table)
    if hidden is None or word != "upda":
        return True
    if "SELECT" in sql:
        # The columns of a subquery look like those that are changed.
        return True
    changed = _COLUMN.findall(sql.rpartition(" WHERE ")[0] or sql)
    return not changed or not hidden.issuperset(changed)


def install(connection: Any, **_more: Any) -> None:
    """Watch a new connection to the database (``connection_created``)."""
    if connection.alias != DEFAULT_DB_ALIAS or hasattr(connection, "content_changed"):
        return
    connection.content_changed = False
    # First, because the context manager ``execute_wrapper`` removes the last one at its end.
    connection.execute_wrappers.insert(0, _watch)
    commit = connection.commit

    def commit_with_version() -> None:
        changed, connection.content_changed = connection.content_changed, False
        if changed:
            _write_version(connection)
        commit()
        if changed:
            _tell()

    connection.commit = commit_with_version


connection_created.connect(install)


def _watch(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Run a statement, and note if it changes the content (an execute wrapper of Django)."""
    connection = context["connection"]
    text = sql if isinstance(sql, str) else sql.as_string(connection.connection)
    if not changes_content(text):
        return execute(sql, params, many, context)
    if connection.in_atomic_block or not connection.get_autocommit():
        connection.content_changed = True
        return execute(sql, params, many, context)
    if connection.vendor == "sqlite" and " RETURNING " in text:
        # SQLite can't end a transaction before the rows are read. It commits both statements
        # together once they are.
        done = execute(sql, params, many, context)
        _write_version(connection)
        _tell()
        return done
    with transaction.atomic(using=connection.alias):
        connection.content_changed = True
        return execute(sql, params, many, context)


def _tell() -> None:
    for tell in committed:
        tell()


def _write_version(connection: Any) -> None:
    """Write a new version, unless the table is still missing because migrations are running.

    The row stays locked only until the commit, which follows at once.
    """
    table = connection.ops.quote_name(ContentVersion._meta.db_table)
    saved = connection.savepoint()
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} (id, version) VALUES (1, %s) "  # noqa: S608 -- our own table
                "ON CONFLICT (id) DO UPDATE SET version = excluded.version",
                [secrets.token_hex(16)],
            )
    except DatabaseError:
        connection.savepoint_rollback(saved)
        if ContentVersion._meta.db_table in connection.introspection.table_names():
            raise
    else:
        connection.savepoint_commit(saved)
