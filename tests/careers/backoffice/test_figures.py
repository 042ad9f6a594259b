"""The last day in figures."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone

from careers.backoffice.figures import last_day
from careers.pipeline.kinds import MAIL_APPLICANT, MAIL_HR, RENDER_PDF
from tests.support.factories import StepFactory


def ran(seconds: float, **traits: object) -> None:
    ended = timezone.now() - dt.timedelta(hours=1)
    StepFactory(
        succeeded=True,
        started_at=ended - dt.timedelta(seconds=seconds),
        ended_at=ended,
        **traits,
    )


def test_last_day_has_median_and_95th_percentile(db: None) -> None:
    for seconds in range(1, 102):
        ran(seconds)
    StepFactory(failed=True)
    (archive,) = [line for line in last_day() if line.step == "Archive"]
    assert (archive.done, archive.failed) == (101, 1)
    assert (archive.median, archive.percentile_95) == ("51 s", "1 min 36 s")


def test_last_day_with_one_step_or_none_shows_its_figures(db: None) -> None:
    ran(3, kind=RENDER_PDF)
    ran(500, kind=MAIL_HR)
    ran(0, kind=MAIL_APPLICANT)
    assert [(line.done, line.median) for line in last_day()] == [
        (1, "3.0 s"),
        (0, ""),
        (1, "0.0 s"),
        (1, "8 min 20 s"),
        (0, ""),
    ]


def test_last_day_ignores_older_steps(db: None) -> None:
    StepFactory(succeeded=True, ended_at=timezone.now() - dt.timedelta(days=1, minutes=1))
    assert {line.done for line in last_day()} == {0}
