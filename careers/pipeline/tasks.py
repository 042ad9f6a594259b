"""What Celery calls. A message says only "look at step 123"; the row says the rest."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from celery import Task, shared_task
from celery.signals import worker_init, worker_process_init

from careers.pipeline import doorbell, runner

#: Who claims in this process; the children of a worker's pool share it, so that the main
#: process can hand back what they held when it shuts down.
_owner = f"worker:{uuid4()}"


@worker_init.connect
def _draw_owner(**_: Any) -> None:
    """Two workers may be forks of one process that had imported this module already."""
    global _owner
    _owner = f"worker:{uuid4()}"


def owner() -> str:
    """The name under which this worker claims steps."""
    return _owner


@worker_process_init.connect
def _start_fresh(**_: Any) -> None:
    doorbell.forget_connections()


def _run(kind: str, step_id: int) -> None:
    ready = runner.run(int(step_id), owner=_owner, kind=kind)
    doorbell.ring(ready, actor=_owner)


@shared_task(name="careers.render_pdf")
def render_pdf(*, step_id: int, **_: Any) -> None:
    """Make the PDF of one application."""
    _run("render_pdf", step_id)


@shared_task(name="careers.archive")
def archive(*, step_id: int, **_: Any) -> None:
    """Put one application's files into the bucket."""
    _run("archive", step_id)


@shared_task(name="careers.mail_applicant")
def mail_applicant(*, step_id: int, **_: Any) -> None:
    """Send one receipt."""
    _run("mail_applicant", step_id)


@shared_task(name="careers.mail_hr")
def mail_hr(*, step_id: int, **_: Any) -> None:
    """Tell one HR recipient."""
    _run("mail_hr", step_id)


@shared_task(name="careers.mail_operators")
def mail_operators(*, step_id: int, **_: Any) -> None:
    """Tell one of those who run the site."""
    _run("mail_operators", step_id)


TASKS: tuple[Task[..., None], ...] = (
    render_pdf,
    archive,
    mail_applicant,
    mail_hr,
    mail_operators,
)
