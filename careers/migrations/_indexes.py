"""Create an index without making writers wait.

PostgreSQL does so outside of a transaction. If that is interrupted, for example because a writer
holds its table for longer than ``migrate`` waits, an invalid index stays, and all of the migration
runs again. So each operation here may run again: it does only what is still to do.

The name begins with ``_`` because Django takes every other module here for a migration.
"""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations


def still_to_make(schema_editor: Any, name: str) -> bool:
    """Whether there is no such index; one that is not valid is removed."""
    connection = schema_editor.connection
    with connection.cursor() as cursor:
        quoted = schema_editor.quote_name(name)
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [quoted]
        )
        found = cursor.fetchone()
    if found == (False,):
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {quoted}")
    return found != (True,)


class AddIndexBesideWriters(AddIndexConcurrently):
    """Where the database can: on PostgreSQL. SQLite has one writer at a time anyway."""

    def database_forwards(self, app_label: Any, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            migrations.AddIndex.database_forwards(self, app_label, schema_editor, *states)
            return
        self._ensure_not_in_transaction(schema_editor)
        if schema_editor.collect_sql or still_to_make(schema_editor, self.index.name):
            super().database_forwards(app_label, schema_editor, *states)

    def database_backwards(self, app_label: Any, schema_editor: Any, *states: Any) -> None:
        if schema_editor.connection.vendor != "postgresql":
            migrations.AddIndex.database_backwards(self, app_label, schema_editor, *states)
            return
        # An attempt before may have removed it, and then failed at another.
        self._ensure_not_in_transaction(schema_editor)
        name = schema_editor.quote_name(self.index.name)
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


class AddUniqueIndexBesideWriters(migrations.AddConstraint):
    """A constraint with a condition is an index, which PostgreSQL can make beside writers."""

    def database_forwards(
        self, app_label: Any, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        if schema_editor.collect_sql or still_to_make(schema_editor, self.constraint.name):
            model = to_state.apps.get_model(app_label, self.model_name)
            made = str(self.constraint.create_sql(model, schema_editor))
            schema_editor.execute(
                made.replace("CREATE UNIQUE INDEX", "CREATE UNIQUE INDEX CONCURRENTLY")
            )


class AddColumnOnce(migrations.AddField):
    """A column in a migration that also makes indexes: its next run finds the column."""

    def database_forwards(
        self, app_label: Any, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        connection = schema_editor.connection
        if connection.vendor == "postgresql" and not schema_editor.collect_sql:
            model = to_state.apps.get_model(app_label, self.model_name)
            with connection.cursor() as cursor:
                table = connection.introspection.get_table_description(cursor, model._meta.db_table)
            if model._meta.get_field(self.name).column in {column.name for column in table}:
                return
        super().database_forwards(app_label, schema_editor, from_state, to_state)
