"""Files of an application: keep their bytes, read them back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Model

from careers.applications.models import Application, ApplicationFile, FileBytes


@dataclass(frozen=True)
class Upload:
    """A file that an applicant sent and that passed the checks."""

    question_key: str
    filename: str
    content_type: str
    content: bytes
    sha256: str

    @property
    def size(self) -> int:
        return len(self.content)


def store_file(
    application: Application,
    *,
    kind: str,
    content: bytes,
    filename: str,
    content_type: str,
    question_key: str = "",
    scan_verdict: str = "not_scanned",
) -> ApplicationFile:
    """Keep a file with its application, inside the caller's transaction.

    Storing the same bytes for the same purpose again returns the row that is there, so a
    repeated step changes nothing.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    file, created = ApplicationFile.objects.get_or_create(
        application=application,
        kind=kind,
        question_key=question_key,
        sha256=sha256,
        defaults={
            "filename": filename,
            "content_type": content_type,
            "size": len(content),
            "scan_verdict": scan_verdict,
        },
    )
    if created:
        _insert_bytes(file, content)
    return file


def _insert_bytes(file: ApplicationFile, content: bytes) -> None:
    if connection.vendor != "postgresql":
        FileBytes.objects.create(file=file, content=content)
        return
    table = connection.ops.quote_name(FileBytes._meta.db_table)
    statement = f"INSERT INTO {table} (file_id, content) VALUES (%s, %b)"  # noqa: S608 -- our name
    _execute_apart(statement, file.pk, content)


def write_bytes(row: Model, field: str, content: bytes) -> None:
    """Write a binary field of a row that is there, in a way that keeps it out of logs."""
    setattr(row, field, content)
    if connection.vendor != "postgresql":
        row.save(update_fields=[field])
        return
    names = (row._meta.db_table, field, row._meta.pk.attname)
    table, column, key = map(connection.ops.quote_name, names)
    statement = f"UPDATE {table} SET {column} = %b WHERE {key} = %s"  # noqa: S608 -- our names
    _execute_apart(statement, content, row.pk)


def _execute_apart(statement: str, *parameters: Any) -> None:
    """Send a statement with its parameters beside it.

    Django's cursor puts them into the statement's text, which PostgreSQL writes to its log when
    the statement is slow.
    """
    from django.db.backends.utils import CursorWrapper
    from psycopg import Cursor

    connection.ensure_connection()
    # Django's wrapper makes its errors those that callers know.
    with CursorWrapper(Cursor(connection.connection), connection) as cursor:
        cursor.execute(statement, parameters)


def stored_bytes(file: ApplicationFile) -> bytes | None:
    """The file's bytes while the database has them; None once only the archive does."""
    content = FileBytes.objects.filter(file=file).values_list("content", flat=True).first()
    return None if content is None else bytes(content)
