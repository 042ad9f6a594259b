"""The app with faults, and without the record of the point of no return.

``celery -A prove.sabotaged worker`` sends a mail again that a killed worker has already sent. The
checker must report it.
"""

from __future__ import annotations

from celery.signals import worker_init

from tests.support.faulty_workers import app

__all__ = ["app"]


@worker_init.connect
def _leave_no_mark(**_kwargs: object) -> None:
    from careers.pipeline import runner

    runner.enter_data_phase = lambda *_args, **_noted: True  # type: ignore[attr-defined]
