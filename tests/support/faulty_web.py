"""The site's web application with faults; see ``tests.support.faulty_workers`` for the plan.

The kind is ``web``, and its points in their order are

``written``    application, files and steps are written, and nothing is committed
``committed``  the commit is done, and there is no answer
``answered``   the answer is made and not sent, and the workers have no messages
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.backends.base.base import BaseDatabaseWrapper

from careersite.wsgi import application as site

from careers.intake import submit as intake  # isort: skip -- only now Django is set up
from tests.support.faulty_workers import die_if_planned  # isort: skip

_write, _commit = intake._write, BaseDatabaseWrapper._commit


def faulty_write(*args: Any, **more: Any) -> Any:
    written = _write(*args, **more)
    die_if_planned("web", "written")
    connection.wrote_application = True
    return written


def faulty_commit(self: Any) -> None:
    _commit(self)
    if vars(self).pop("wrote_application", False):
        die_if_planned("web", "committed")


def application(environ: dict[str, Any], start_response: Any) -> Any:
    answer = site(environ, start_response)
    if environ["REQUEST_METHOD"] == "POST":
        die_if_planned("web", "answered")
    return answer


intake._write, BaseDatabaseWrapper._commit = faulty_write, faulty_commit
