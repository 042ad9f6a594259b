"""The last good and the last bad answer of each service."""

from __future__ import annotations

import datetime as dt

import pytest

from careers.operations import service_answers
from careers.operations.models import Finding, ServiceAnswer, Severity
from careers.pipeline.transitions import db_now

pytestmark = pytest.mark.django_db

BAD = Finding(code="archive-key", severity=Severity.CRITICAL, facts={"cause": 1})
ADVICE = Finding(code="archive-overwrites", severity=Severity.ADVICE)


def test_good_and_bad_answers_are_kept_beside_each_other() -> None:
    service_answers.note("archive", [])
    service_answers.note("archive-conditions", [BAD])
    row = ServiceAnswer.objects.get()
    assert (row.name, row.finding, row.facts) == ("archive", "archive-key", {"cause": 1})
    assert row.good_at is not None
    assert not service_answers.is_well(row)
    service_answers.note("archive", [ADVICE])
    row.refresh_from_db()
    assert service_answers.is_well(row)
    assert row.finding == "archive-key"


def test_good_answer_is_written_once_a_minute() -> None:
    service_answers.note("broker", [])
    first = ServiceAnswer.objects.get().good_at
    service_answers.note("broker", [])
    assert ServiceAnswer.objects.get().good_at == first
    ServiceAnswer.objects.update(good_at=db_now() - dt.timedelta(minutes=2))
    service_answers.note("broker", [])
    assert ServiceAnswer.objects.get().good_at >= first
