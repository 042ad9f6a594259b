"""The app with faults, and without the mark that a mail is being handed over.

``celery -A prove.sabotaged worker`` mails again what a dead worker had mailed already:
whoever looks on must alert.
"""

from __future__ import annotations

from celery.signals import worker_init

from tests.support.faulty_workers import app

__all__ = ["app"]


@worker_init.connect
def _leave_no_mark(**_kwargs: object) -> None:
    from careers.pipeline import runner

    runner.enter_data_phase = lambda *_args: True  # type: ignore[attr-defined]
