"""Insert new rows by statements that are composed once.

An application becomes rows in eight tables. Django composes the statement of ``bulk_create`` anew
each time, which takes several times as long as sending it. Here the text of a statement is kept
for each model and each pattern of columns that are empty.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import Any, cast

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import AutoField

#: Statements that are kept. Applications for one job differ little in what is empty.
KEPT = 500
#: What the client of every database takes as it is, by the type of field.
_AS_IT_IS = {
    "BooleanField": bool,
    "CharField": str,
    "TextField": str,
    "PositiveIntegerField": int,
    "PositiveSmallIntegerField": int,
    "ForeignKey": int,
    "OneToOneField": int,
}
#: How a value is written into the statement itself. Most columns of a new row have one of these,
#: and each value that travels beside the statement costs time in the client.
_WRITTEN = {
    (type(None), None): "NULL",
    (str, ""): "''",
    (int, 0): "0",
    (bool, False): "FALSE",
    (bool, True): "TRUE",
}
_Columns = list[tuple[Any, type | None]]
#: The text of each value of a row; None for a value that travels beside the statement.
_Pattern = tuple[str | None, ...]


def insert(*groups: Sequence[models.Model]) -> None:
    """Insert new rows, and set the keys that the database gives: one statement on PostgreSQL.

    It does what ``bulk_create`` does without options: no signals are sent, and all rows of a
    statement are stored or none. Call it inside a transaction.

    Args:
        groups: rows of one model each, without key where the database gives it. No group refers to
            another one.

    Raises:
        django.db.Error: the database did not store them.
    """
    connection = connections[DEFAULT_DB_ALIAS]
    groups = tuple(filter(None, groups))
    together = [groups] if connection.vendor == "postgresql" else [(rows,) for rows in groups]
    for some in together:
        _insert(some, connection)


def _insert(groups: tuple[Sequence[models.Model], ...], connection: Any) -> None:
    """Insert rows by one statement."""
    if not groups:
        return
    patterns: list[tuple[type[models.Model], tuple[_Pattern, ...]]] = []
    values: list[Any] = []
    for rows in groups:
        columns, _is_keyed = _columns_of(type(rows[0]))
        of_rows = []
        for row in rows:
            found = [_value(field, simple, row, connection) for field, simple in columns]
            pattern = tuple(map(_written, found))
            values += [value for value, text in zip(found, pattern, strict=True) if text is None]
            of_rows.append(pattern)
        patterns.append((type(rows[0]), tuple(of_rows)))
    keyed = [row for rows in groups if _columns_of(type(rows[0]))[1] for row in rows]
    with connection.cursor() as cursor:
        cursor.execute(_statement(tuple(patterns)), values)
        # The database numbers the rows of a group in their order.
        keys = sorted(cursor.fetchall()) if keyed else []
    for row, (_place, key) in zip(keyed, keys, strict=True):
        row.pk = key
    for row in itertools.chain.from_iterable(groups):
        row._state.adding = False
        row._state.db = DEFAULT_DB_ALIAS


def _value(field: Any, simple: type | None, row: models.Model, connection: Any) -> Any:
    """The value of a column as the client of the database takes it."""
    value = field.pre_save(row, True)
    # Asking the field would take most of the time.
    if value is None or type(value) is simple:
        return value
    return field.get_db_prep_save(value, connection)


def _written(value: Any) -> str | None:
    kind = type(value)
    # Values of other types may have no hash.
    return _WRITTEN.get((kind, value)) if kind in (str, int, bool, type(None)) else None


@functools.cache
def _columns_of(model: type[models.Model]) -> tuple[_Columns, bool]:
    """The field of each column to write with the type of its simple values, and whether the
    database gives the key.
    """
    columns = [
        (field, _AS_IT_IS.get(field.get_internal_type()))
        for field in model._meta.concrete_fields
        if not isinstance(field, AutoField)
    ]
    return columns, isinstance(model._meta.pk, AutoField)


@functools.lru_cache(KEPT)
def _statement(groups: tuple[tuple[type[models.Model], tuple[_Pattern, ...]], ...]) -> str:
    """A statement that inserts rows with such patterns.

    Where there are keys, it returns the number of the group and the key of each row.
    """
    inserts = [_insert_of(number, *group) for number, group in enumerate(groups)]
    if len(inserts) == 1:
        return inserts[0]
    parts = ", ".join(f"i{number} AS ({sql})" for number, sql in enumerate(inserts))
    found = [
        f"SELECT place, id FROM i{number}"  # noqa: S608 -- a number
        for number, (model, _patterns) in enumerate(groups)
        if _columns_of(model)[1]
    ]
    return f"WITH {parts} {' UNION ALL '.join(found) or 'SELECT 1'}"


def _insert_of(number: int, model: type[models.Model], patterns: tuple[_Pattern, ...]) -> str:
    quoted = connections[DEFAULT_DB_ALIAS].ops.quote_name
    columns, is_keyed = _columns_of(model)
    names = ", ".join(quoted(field.column) for field, _simple in columns)
    rows = ", ".join(f"({', '.join(text or '%s' for text in pattern)})" for pattern in patterns)
    table, key = quoted(model._meta.db_table), cast(Any, model._meta.pk)
    sql = f"INSERT INTO {table} ({names}) VALUES {rows}"  # noqa: S608 -- no value is in it
    return f"{sql} RETURNING {number} AS place, {quoted(key.column)} AS id" if is_keyed else sql
