"""``insert`` stores what ``bulk_create`` stores."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext

from careers.applications.inserting import insert
from careers.applications.models import ApplicationFile, ConsentRecord, FileBytes
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import State

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 5, 4, 12, tzinfo=dt.UTC)


def step(application: Any, sequence: int, **given: Any) -> Step:
    return Step(
        application=application,
        kind="mail_hr",
        sequence=sequence,
        state_since=NOON,
        created_at=NOON,
        **{"state": State.SENT, **given},
    )


def stored(row: models.Model) -> dict[str, Any]:
    """Every column of a row in the database, but its key and what must differ."""
    found: dict[str, Any] = type(row)._default_manager.filter(pk=row.pk).values().get()
    return {name: value for name, value in found.items() if name not in ("id", "sequence")}


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"ready_at": NOON, "dispatched_at": NOON, "dispatches": 1, "celery_task_id": "t"},
        {"recipient": "zoë@example.org", "result": {"message_id": "<a'b%s@c>", "n": [0, None]}},
        {"error_public": "It's 100 % {broken}; $1 ''", "token": 7, "state": "queued"},
    ],
)
def test_insert_stores_every_column_as_bulk_create_does(application: Any, given: Any) -> None:
    ours, theirs = step(application, 100, **given), step(application, 101, **given)
    insert([ours])
    Step.objects.bulk_create([theirs])
    assert stored(ours) == stored(theirs)
    assert ours == Step.objects.get(pk=ours.pk)
    ours.attempts = 1
    ours.save()  # an update, because the row is known to be stored


def test_insert_gives_each_row_its_own_key(application: Any) -> None:
    steps = [step(application, number, recipient=f"{number}@example.org") for number in range(50)]
    files = [
        ApplicationFile(application=application, kind="cv", filename=name, size=1, sha256=name)
        for name in ("b", "a")
    ]
    notice = ConsentRecord(application=application, purpose="p", text="", given=False, at=NOON)
    insert(steps, [], [notice], files)
    for row in steps:
        assert Step.objects.get(pk=row.pk).sequence == row.sequence
    for file in files:
        assert ApplicationFile.objects.get(pk=file.pk).filename == file.filename
        assert file.created_at is not None
    assert ConsentRecord.objects.get(pk=notice.pk).given is False
    # Rows whose key comes from another table.
    insert([FileBytes(file=file, content=b"\0\xff%s'") for file in files])
    contents = FileBytes.objects.filter(file__in=files).values_list("content", flat=True)
    assert set(map(bytes, contents)) == {b"\0\xff%s'"}


def test_insert_stores_all_rows_or_none(application: Any) -> None:
    before = Step.objects.count(), ConsentRecord.objects.count()
    notice = ConsentRecord(application=application, purpose="p", text="t", given=True, at=NOON)
    with pytest.raises(IntegrityError), transaction.atomic():
        insert([notice], [step(application, 200), step(application, 200)])
    assert (Step.objects.count(), ConsentRecord.objects.count()) == before


def test_insert_takes_one_statement_on_postgresql(application: Any) -> None:
    first = step(application, 0)
    insert([first])
    event = StepEvent(step=first, at=NOON, attempt=0, to_state="queued", actor="intake")
    notice = ConsentRecord(application=application, purpose="p", text="t", given=True, at=NOON)
    with CaptureQueriesContext(connection) as statements:
        insert([event], [notice])
        insert()
    assert len(statements) == (1 if connection.vendor == "postgresql" else 2)
