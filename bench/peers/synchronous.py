"""The synchronous flow: an applicant waits until PDF, archive and mails are done.

It is the site's own code, called in line. ``gunicorn bench.peers.synchronous`` serves it.
"""

from __future__ import annotations

from typing import Any

from careersite.wsgi import application

# isort: split
# The line above loads Django.
from careers.apply import views
from careers.intake.submit import Submission, submit
from careers.pipeline import broker, runner
from careers.pipeline.states import CLAIMABLE

__all__ = ["application"]


def submit_and_run(submission: Submission, **_later: Any) -> Any:
    """Store an application, then run all its steps, one after the other."""
    stored = submit(submission)
    ready = list(stored.steps.filter(state__in=CLAIMABLE).values_list("pk", flat=True))
    while ready:
        ready += runner.run(ready.pop(0), owner="web:synchronous")
    return stored


def send_nothing(*_arguments: Any, **_options: Any) -> None:
    """Take the place of the broker: nobody else works on the application."""


views.submit = submit_and_run
broker.send_all = send_nothing
