"""Migrations can be applied while the previous release still runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.postgres import operations as postgresql
from django.db import connection, migrations, models
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ModelState, ProjectState
from django.db.models.functions import Now, Random

from careers.migrations import _indexes
from careers.pipeline.models import Step
from tests.support.locking import SMALL, of_migration, problems

FIRST = "of before the first release: there is no older code, and no table with rows, to go on"
#: Migrations that break a rule, and why they may. Add one only with its reason.
ACCEPTED = {
    "careers.0003_notices": FIRST,
    "careers.0013_findings": "reads the few rows of scheduled tasks and fills a new table",
    "careers.0017_replaced_by_rows": "it changes rows in batches, each in a transaction of its own",
    "careers.0026_roles": "it changes groups and permissions, of which there are few",
    "careers.0021_access_log_rows": (
        "it changes rows in batches and makes its index beside writers; old code writes no hour, "
        "so the constraint refuses none of its rows"
    ),
    "careers.0034_search_index": "it makes an index beside writers, on a table that is new",
    "careers.0042_pauses": "it changes groups and permissions, of which there are few",
    "home.0002_operators": FIRST,
    "home.0007_two_factors": "changes the company settings, which are one row for each site",
}


@pytest.mark.django_db  # a migration of wagtail-localize queries the database on import
def test_every_migration_works_beside_old_code() -> None:
    found = problems("careers", "home", "signin")
    unsafe = [f"{it.migration}: {it.what}" for it in found if it.migration not in ACCEPTED]
    assert unsafe == [], "\n".join(unsafe)
    assert {it.migration for it in found} >= ACCEPTED.keys(), "what is accepted needs it no more"


REPEATABLE = (
    _indexes.AddColumnOnce,
    _indexes.AddIndexBesideWriters,
    _indexes.AddUniqueIndexBesideWriters,
    # As ``ACCEPTED`` says of each.
    migrations.RunPython,
)


@pytest.mark.django_db
def test_migration_outside_of_a_transaction_can_run_again() -> None:
    """``migrate`` runs it again from its beginning after a table was in use."""
    found = [
        f"{name}: {operation.describe()}"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app in ("careers", "home", "signin") and not migration.atomic
        for operation in migration.operations
        if not isinstance(operation, REPEATABLE)
    ]
    assert found == []


def test_tables_known_to_be_small_exist() -> None:
    from django.apps import apps

    assert {apps.get_model(name)._meta.label_lower for name in SMALL} == SMALL


# ── The linter itself ───────────────────────────────────────────────────────────────────


def state() -> ProjectState:
    """Two tables with rows: a large one, and one that is known to stay small."""
    fields = [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20)),
        ("number", models.IntegerField(null=True)),
        ("filled", models.IntegerField(db_default=0)),
    ]
    made = ProjectState()
    for name in ("Step", "Heartbeat"):
        made.add_model(ModelState("careers", name, fields))
    return made


def problems_of(*operations: Operation, atomic: bool = True) -> list[str]:
    migration = Migration("0099_sample", "careers")
    migration.operations, migration.atomic = list(operations), atomic
    return [problem.what for problem in of_migration(migration, state())]


def add(field: models.Field, to: str = "Step") -> Operation:
    return migrations.AddField(to, "more", field)


def alter(name: str, field: models.Field, of: str = "Step") -> Operation:
    return migrations.AlterField(of, name, field)


INDEX = models.Index(fields=["name"], name="by_name")
CHECK = models.CheckConstraint(condition=models.Q(number__gt=0), name="positive")
UNIQUE = models.UniqueConstraint(fields=["name"], name="one_name")


@pytest.mark.parametrize(
    "operation",
    [
        add(models.IntegerField(null=True)),
        add(models.IntegerField(default=1, db_default=1)),
        add(models.CharField(max_length=9, blank=True, default="", db_default="")),
        add(models.DateTimeField(db_default=Now())),
        add(models.ForeignKey("careers.Heartbeat", models.CASCADE, null=True, db_index=False)),
        add(models.ForeignKey("careers.Step", models.CASCADE, null=True), "Heartbeat"),
        add(models.ManyToManyField("careers.Heartbeat")),
        alter("name", models.CharField(max_length=40)),
        alter("name", models.TextField()),
        alter("name", models.CharField(max_length=20, help_text="words only")),
        alter("name", models.CharField(max_length=20, null=True)),
        alter("number", models.BigIntegerField(null=True), "Heartbeat"),
        migrations.AddIndex("Heartbeat", INDEX),
        postgresql.AddConstraintNotValid("Step", CHECK),
        migrations.AlterModelOptions("Step", {"verbose_name": "step"}),
    ],
    ids=lambda operation: operation.describe(),
)
def test_expanding_operation_has_no_problem(operation: Operation) -> None:
    assert problems_of(operation) == []


@pytest.mark.parametrize(
    ("operation", "words"),
    [
        (add(models.IntegerField(default=1)), ["old code's INSERT"]),
        (add(models.BooleanField(default=True), "Heartbeat"), ["old code's INSERT"]),
        (add(models.FloatField(db_default=Random())), ["every row is written anew"]),
        (add(models.IntegerField(null=True, db_index=True)), ["makes an index"]),
        (add(models.IntegerField(null=True, unique=True)), ["makes an index"]),
        (add(models.ForeignKey("careers.Step", models.CASCADE, null=True)), ["makes an index"]),
        (alter("name", models.CharField(max_length=10)), ["every row is written anew"]),
        (alter("number", models.BigIntegerField(null=True)), ["every row is written anew"]),
        (alter("number", models.IntegerField(db_default=0)), ["old code may write NULL"]),
        (alter("filled", models.IntegerField()), ["old code's INSERT"]),
        (alter("name", models.CharField(max_length=20, unique=True)), ["makes an index"]),
        (alter("name", models.CharField(max_length=20, db_column="n")), ["old code still uses"]),
        (migrations.RemoveField("Step", "number"), ["old code still uses it"]),
        (migrations.RenameField("Step", "number", "count"), ["old code still uses it"]),
        (migrations.RenameModel("Step", "Stride"), ["old code still uses it"]),
        (migrations.AlterModelTable("Step", "strides"), ["old code still uses it"]),
        (migrations.DeleteModel("Step"), ["old code still uses it"]),
        (migrations.AddIndex("Step", INDEX), ["use AddIndexConcurrently"]),
        (postgresql.AddIndexConcurrently("Step", INDEX), ["atomic = False"]),
        (migrations.AddConstraint("Step", CHECK), ["old code may write", "NotValid"]),
        (migrations.AddConstraint("Step", UNIQUE), ["old code may write", "USING INDEX"]),
        (migrations.AddConstraint("Heartbeat", CHECK), ["old code may write"]),
        (migrations.AlterUniqueTogether("Heartbeat", {("name",)}), ["old code may write"]),
        (migrations.RunPython(migrations.RunPython.noop), ["in batches"]),
        (migrations.RunSQL("SELECT 1"), ["in batches"]),
    ],
    ids=lambda part: part.describe() if isinstance(part, Operation) else "",
)
def test_operation_that_breaks_or_blocks_old_code_is_reported(
    operation: Operation, words: list[str]
) -> None:
    found = problems_of(operation)
    assert len(found) == len(words), found
    assert all(part in what for part, what in zip(words, found, strict=True)), found


def test_index_created_concurrently_has_no_problem() -> None:
    assert problems_of(postgresql.AddIndexConcurrently("Step", INDEX), atomic=False) == []


def test_operations_on_new_tables_have_no_problem() -> None:
    fresh = migrations.CreateModel("Tide", [("id", models.BigAutoField(primary_key=True))])
    column = migrations.AddField("Tide", "height", models.IntegerField(default=0, db_index=True))
    assert problems_of(fresh, column) == []


def test_only_the_database_part_of_a_migration_counts() -> None:
    """The code drops a column first, and the next release drops it from the database."""
    remove = migrations.RemoveField("Step", "number")
    forget = migrations.SeparateDatabaseAndState(state_operations=[remove])
    assert problems_of(forget) == []
    drop = migrations.SeparateDatabaseAndState(database_operations=[remove])
    (what,) = problems_of(drop)
    assert "old code still uses it" in what


# ── Operations that may run again, on PostgreSQL ────────────────────────────────────────

NAME = "careers_step_sample"
ON_POSTGRESQL = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="SQLite migrates in transactions"
)


def of_models() -> ProjectState:
    made = ProjectState()
    made.add_model(ModelState.from_model(Step, exclude_rels=True))
    return made


def validity() -> list[bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [NAME])
        return [valid for (valid,) in cursor.fetchall()]


def invalidate() -> None:
    """Leave the index as an interrupted statement does."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(%s)", [NAME]
        )


def run(operation: Operation, *, backwards: bool = False) -> None:
    before = of_models()
    after = before.clone()
    operation.state_forwards("careers", after)
    with connection.schema_editor(atomic=False) as editor:
        if backwards:
            operation.database_backwards("careers", editor, after, before)
        else:
            operation.database_forwards("careers", editor, before, after)


@pytest.fixture
def no_index(transactional_db: None) -> Iterator[None]:
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX IF EXISTS {NAME}")


@ON_POSTGRESQL
@pytest.mark.usefixtures("no_index")
@pytest.mark.parametrize(
    "operation",
    [
        _indexes.AddIndexBesideWriters("step", models.Index(fields=["kind"], name=NAME)),
        _indexes.AddUniqueIndexBesideWriters(
            "step",
            models.UniqueConstraint(fields=["id", "kind"], condition=models.Q(kind="x"), name=NAME),
        ),
    ],
    ids=["index", "unique index"],
)
def test_interrupted_index_is_made_again(operation: Any) -> None:
    run(operation)
    assert validity() == [True]
    run(operation)  # a valid one stays
    invalidate()
    run(operation)
    assert validity() == [True]
    run(operation, backwards=True)
    assert validity() == []


@ON_POSTGRESQL
@pytest.mark.usefixtures("no_index")
def test_index_that_is_gone_is_removed_again() -> None:
    operation = _indexes.AddIndexBesideWriters("step", models.Index(fields=["kind"], name=NAME))
    for _attempt in range(2):
        run(operation, backwards=True)
    assert validity() == []


@ON_POSTGRESQL
@pytest.mark.usefixtures("no_index")
def test_column_that_exists_is_not_added_again() -> None:
    field = models.IntegerField(null=True)
    column = _indexes.AddColumnOnce("step", "sample", field)
    try:
        for _attempt in range(2):
            run(column)
    finally:
        run(column, backwards=True)
