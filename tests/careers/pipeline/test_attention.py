"""Rules that are queries and predicates at once, and steps grouped by cause."""

from __future__ import annotations

import datetime as dt
import itertools
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.utils import timezone

from careers.pipeline import actions, attention
from careers.pipeline.attention import Cause, by_cause
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step
from careers.pipeline.rules import Rule
from careers.pipeline.states import ErrorClass, Phase, State
from tests.support.factories import ApplicationFactory, StepFactory

pytestmark = pytest.mark.django_db

RULES = {
    **{name: rule for name, rule in vars(attention).items() if isinstance(rule, Rule)},
    **{f"may {act.name}": act.allowed for act in actions.STEP_ACTS},
}


@pytest.fixture
def all_kinds_of_rows() -> list[Step]:
    """A row for each combination of values that a rule asks about."""
    application, now = ApplicationFactory(), timezone.now()
    combinations = itertools.product(
        State,
        (MAIL_HR, MAIL_APPLICANT, RENDER_PDF, ARCHIVE),
        (ErrorClass.CONFIGURATION, ErrorClass.TRANSIENT),
        (Phase.NONE, Phase.KEYED),
        ({}, {"bounced_at": now}, {"repeat_until": now}, {"handled_at": now}),
        (
            {},
            {"replaced_by_id": 1},
            {"result": {"instead": 1}},
            {"error_code": attention.MAILBOX_FULL},
        ),
    )
    Step.objects.bulk_create(
        Step(
            application=application,
            kind=kind,
            sequence=number,
            state=state,
            error_class=error_class,
            phase=phase,
            state_since=now,
            created_at=now,
            **times,
            **replaced,
        )
        for number, (state, kind, error_class, phase, times, replaced) in enumerate(combinations)
    )
    return list(Step.objects.all())


def test_every_rule_is_the_same_in_queries_and_in_python(all_kinds_of_rows: list[Step]) -> None:
    for name, rule in RULES.items():
        expected = {step.pk for step in all_kinds_of_rows if rule(step)}
        found = set(Step.objects.filter(rule.query).values_list("pk", flat=True))
        assert found == expected, name
        assert 0 < len(found) < len(all_kinds_of_rows), name


def test_steps_are_grouped_by_kind_and_cause() -> None:
    def failed(**more: Any) -> Step:
        step: Step = StepFactory(events=False, failed=True, **more)
        return step

    now = timezone.now()
    earlier = now - dt.timedelta(hours=1)
    full = {"error_code": "full", "error_public": "The disk is full."}
    failed(**full, failing_since=earlier)
    failed(**full, failing_since=now)
    failed(error_code="gone", error_public="It is gone.", failing_since=None)
    failed(**full, kind=RENDER_PDF, failing_since=now)
    assert by_cause(Step.objects.all()) == [
        Cause("archive", "full", 2, earlier, "The disk is full."),
        Cause("archive", "gone", 1, None, "It is gone."),
        Cause("render_pdf", "full", 1, now, "The disk is full."),
    ]


def test_migration_fills_replaced_by_from_the_key_of_the_release_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    migration = import_module("careers.migrations.0017_replaced_by_rows")
    monkeypatch.setattr(migration, "BATCH", 2)
    new = StepFactory(events=False)
    rows = [
        StepFactory(application=new.application, events=False, sequence=number, result=result)
        for number, result in enumerate(
            [{"instead": new.pk}, {}, {"instead": 10**9}, {"instead": new.pk}, {"size": 1}], 1
        )
    ]
    for _again in range(2):
        migration.fill(apps, None)
        found = [Step.objects.get(pk=row.pk).replaced_by_id for row in rows]
        # The new step was deleted, so the column is empty. The key still says “replaced”.
        assert found == [new.pk, None, None, new.pk, None]
