"""What a migration may do to tables that a running site uses, on PostgreSQL.

Between ``migrate`` and the last restart, old code runs on the new tables, and all requests wait
behind a lock. So a release only *expands*: old code may ignore what it adds, and a later release
removes what it no longer needs.

for problem in problems("careers"): print(problem.migration, problem.what)
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres import operations as postgresql
from django.db import models
from django.db.backends.postgresql.base import DatabaseWrapper
from django.db.migrations import Migration, operations
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models.expressions import Value
from django.db.models.fields import NOT_PROVIDED
from django.db.models.functions import Now

#: Tables that stay small, whatever happens: their rows are made by people in the admin, or one
#: by each process. All others grow with the applications.
SMALL = {
    "careers.dismissal",
    "careers.finding",
    "careers.finishedwork",
    "careers.heartbeat",
    "careers.jobindexpage",
    "careers.jobpage",
    "careers.databaseidentity",
    "careers.scheduledrun",
    "careers.serviceanswer",
    "home.companytranslation",
    "home.homepage",
    "home.sitesettings",
}
EXPAND_FIRST = (
    "old code still uses it: release code that does without it (and gives the column null=True or "
    "db_default), remove it in the release after that, and say so in ACCEPTED"
)
NO_DEFAULT = (
    "old code's INSERT does not name it and would fail: give it null=True, or db_default beside "
    "default (Django drops a plain default after adding the column)"
)
LONG_LOCK = "no other session can write to the table until it is done: "


@dataclass(frozen=True)
class Problem:
    """Attributes: ``migration`` as app.name, ``what`` in words with the way out."""

    migration: str
    what: str


def problems(*apps: str) -> list[Problem]:
    """The problems of the migrations of these apps, in their order."""
    loader = MigrationLoader(None)
    plan = list(
        dict.fromkeys(
            key for leaf in loader.graph.leaf_nodes() for key in loader.graph.forwards_plan(leaf)
        )
    )
    state, found = ProjectState(real_apps=loader.unmigrated_apps), []
    for key in plan:
        migration = loader.graph.nodes[key]
        if key[0] in apps:
            found += of_migration(migration, state)
        else:
            state = migration.mutate_state(state, preserve=False)
    return found


def of_migration(migration: Migration, state: ProjectState) -> list[Problem]:
    """The problems of one migration; ``state`` is moved to its end state."""
    name, found = f"{migration.app_label}.{migration.name}", []
    fresh: set[str] = set()
    for operation in migration.operations:
        before = state.clone()
        operation.state_forwards(migration.app_label, state)
        for done in (
            operation.database_operations
            if isinstance(operation, operations.SeparateDatabaseAndState)
            else [operation]
        ):
            if isinstance(done, operations.CreateModel):
                # The table is new, so no code uses it yet.
                fresh.add(done.name_lower)
            elif _model(done) not in fresh:
                found += [
                    Problem(name, f"{done.describe()}: {what}")
                    for what in _of_operation(done, migration, before, state)
                ]
    return found


def _model(operation: Operation) -> str:
    """The model that an operation changes, in lower case; "" for none."""
    return getattr(operation, "model_name_lower", getattr(operation, "name_lower", ""))


def _of_operation(
    operation: Operation, migration: Migration, before: ProjectState, after: ProjectState
) -> Iterator[str]:
    table = f"{migration.app_label}.{_model(operation)}"
    big = table not in SMALL
    match operation:
        case operations.AddField():
            yield from _of_new_column(operation.field, big=big)
        case operations.AlterField():
            old = before.models[migration.app_label, operation.model_name_lower]
            yield from _of_changed_column(
                _bound(old.fields[operation.name], operation.name),
                _bound(operation.field, operation.name),
                big=big,
            )
        case (
            operations.RemoveField()
            | operations.DeleteModel()
            | operations.RenameField()
            | operations.RenameModel()
            | operations.AlterModelTable()
        ):
            yield EXPAND_FIRST
        case postgresql.AddIndexConcurrently() | postgresql.RemoveIndexConcurrently():
            if migration.atomic:
                yield "must not be in a transaction: give the migration atomic = False"
        case operations.AddIndex() if big:
            yield LONG_LOCK + "use AddIndexConcurrently, in a migration with atomic = False"
        case postgresql.AddConstraintNotValid() | postgresql.ValidateConstraint():
            pass
        case operations.AddConstraint() | operations.AlterUniqueTogether():
            yield "old code may write what it refuses; say in ACCEPTED why it never does"
            if big and isinstance(getattr(operation, "constraint", None), models.CheckConstraint):
                yield LONG_LOCK + (
                    "use AddConstraintNotValid, then ValidateConstraint in a migration of its own"
                )
            elif big:
                yield LONG_LOCK + (
                    "it makes an index; CREATE UNIQUE INDEX CONCURRENTLY, then ADD CONSTRAINT … "
                    "USING INDEX (RunSQL with state_operations)"
                )
        case operations.RunPython() | operations.RunSQL():
            yield (
                "holds its locks until all of it is done: change rows in batches, each in a "
                "transaction of its own (atomic = False), and say so in ACCEPTED"
            )


def _of_new_column(field: models.Field[Any, Any], *, big: bool) -> Iterator[str]:
    if field.many_to_many:
        return
    constant = not hasattr(field.db_default, "resolve_expression") or isinstance(
        field.db_default, Value | Now
    )
    if isinstance(field, models.GeneratedField) or not constant:
        yield LONG_LOCK + "every row is written anew; add an empty column and fill it in batches"
    elif not field.null and field.db_default is NOT_PROVIDED:
        yield NO_DEFAULT
    if big and (field.unique or field.db_index):
        yield LONG_LOCK + (
            "it also makes an index; add the column without one (db_index=False), then the index "
            "with AddIndexConcurrently"
        )


def _of_changed_column(
    old: models.Field[Any, Any], new: models.Field[Any, Any], *, big: bool
) -> Iterator[str]:
    if new.many_to_many:
        return
    if old.column != new.column:
        yield EXPAND_FIRST
    if big and not _same_bytes(_type_of(old), _type_of(new)):
        yield LONG_LOCK + f"every row is written anew ({_type_of(old)} → {_type_of(new)})"
    if old.null and not new.null:
        yield "old code may write NULL, and every row is looked at under a lock"
    if not new.null and new.db_default is NOT_PROVIDED and old.db_default is not NOT_PROVIDED:
        yield NO_DEFAULT
    if big and (new.unique, new.db_index) > (old.unique, old.db_index):
        yield LONG_LOCK + "it makes an index; use AddIndexConcurrently"


def _type_of(field: models.Field[Any, Any]) -> str:
    # Never connected: only asked for the names of types.
    known = DatabaseWrapper({"NAME": "nowhere", "OPTIONS": {}, "TIME_ZONE": None}, "linter")
    while isinstance(field, models.ForeignKey):
        target = field.remote_field.model
        if isinstance(target, str):
            return "reference"
        field = target._meta.pk
    return field.db_type(known) or ""


def _same_bytes(old: str, new: str) -> bool:
    """Whether PostgreSQL changes only its catalogue, as when a text may become longer."""
    if old == new:
        return True
    lengths = [re.fullmatch(r"varchar\((\d+)\)", name) for name in (old, new)]
    if lengths[0] and lengths[1]:
        return int(lengths[0][1]) <= int(lengths[1][1])
    return bool(lengths[0]) and new in ("text", "varchar")


def _bound(field: models.Field[Any, Any], name: str) -> models.Field[Any, Any]:
    """A field that knows its column."""
    copy = field.clone()
    copy.set_attributes_from_name(name)
    return copy
