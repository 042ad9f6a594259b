"""The product's Celery app with faults: ``celery -A tests.support.faulty_workers worker``.

``FAULT_PLAN`` names a directory with files of the form ``KIND.POINT.VICTIM.NUMBER``, or with
``.STEP`` at the end for one step alone. The process that reaches the named point of the named kind
of step removes one such file and fails as it says. Points, in the order in which a step reaches
them:

``unclaimed``  a worker has the message, and the row does not show it yet
``before``     claimed; nothing of the step has been done
``midway``     a PDF is laid out and not yet written
``before_put`` the next bytes will store an object; reached once for each object
``after_put``  an object is stored and not yet recorded
``before_send`` the mail server waits for the message; the row does not record that yet
``sending``    the point of no return is recorded; the next bytes end the message
``after_sending`` the mail server has the message, and its answer has not been read
``after``      the effect has happened and is not yet recorded
``recording``  it is being recorded, in a transaction that has not ended
``recorded``   it is recorded, and the next steps are not yet dispatched

These things can happen there:

``child``      the process is killed with SIGKILL
``group``      the whole worker is killed with SIGKILL
``freeze``     the worker is stopped until it gets SIGCONT
``hold``       only the process is stopped
``busy``       it runs without end and obeys signals
``deaf``       it runs without end and ignores its soft time limit
``eat``        it uses memory without end
``garble``     it sends its main process nonsense, begins another message, and never ends it

``FAULT_LEDGER``, where it is set, is a file that gets a line of JSON before each of these: which
process reached which point of which step, and when.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import billiard
from celery.signals import worker_init

from careersite.celery import app

__all__ = ["POINTS", "app", "die_if_planned", "install"]

PLAN = Path(os.environ.get("FAULT_PLAN", os.devnull))
LEDGER = os.environ.get("FAULT_LEDGER")
#: Seconds that a stopping worker waits for its running tasks; 30 in production.
app.conf.worker_soft_shutdown_timeout = float(os.environ.get("FAULT_SOFT_SHUTDOWN", "30"))

_MAIL = (
    "unclaimed",
    "before",
    "before_send",
    "sending",
    "after_sending",
    "after",
    "recording",
    "recorded",
)
#: The points of each kind of step.
POINTS = {
    "render_pdf": ("unclaimed", "before", "midway", "after", "recording", "recorded"),
    "archive": (
        *("unclaimed", "before", "before_put", "after_put", "after", "recording", "recorded"),
    ),
    "scan": ("unclaimed", "before", "after", "recording", "recorded"),
    "mail_applicant": _MAIL,
    "mail_hr": _MAIL,
}
#: The step that this process runs: its kind and its id.
_at: tuple[str, int] = ("", 0)


def die_if_planned(kind: str, point: str, step_id: int = 0) -> None:
    """Do to this process what the plan says; each file of the plan is used once."""
    for file in sorted(PLAN.glob(f"{kind}.{point}.*")):
        _kind, _point, victim, _number, *only = file.name.split(".")
        if only and only != [str(step_id)]:
            continue
        try:
            file.unlink()
        except FileNotFoundError:
            continue  # another process took it
        _write_down(kind, point, victim, step_id)
        match victim:
            case "child":
                os.kill(os.getpid(), signal.SIGKILL)
            case "group":
                os.killpg(os.getpgrp(), signal.SIGKILL)
            case "freeze":
                os.killpg(os.getpgrp(), signal.SIGSTOP)
                return
            case "hold":
                os.kill(os.getpid(), signal.SIGSTOP)
                return
            case "busy":
                _run_without_end()
            case "deaf":
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
                _run_without_end()
            case "eat":
                eaten = []
                while True:
                    eaten.append(bytearray(2**20))
            case "garble":
                nonsense = struct.pack(">i", 8) + bytes(8)
                pipe = billiard.current_process().outq._writer
                os.write(pipe.fileno(), nonsense + nonsense[:-1])
                _run_without_end()


def _write_down(kind: str, point: str, victim: str, step_id: int) -> None:
    if LEDGER:
        from careers.pipeline.worker import owner

        facts = {"kind": kind, "point": point, "victim": victim, "step": step_id}
        with Path(LEDGER).open("a", encoding="utf-8") as file:
            file.write(json.dumps({**facts, "owner": owner(), "at": time.time()}) + "\n")


def _run_without_end() -> None:
    while True:
        time.sleep(0.1)


def _here(point: str) -> None:
    kind, step_id = _at
    if kind:
        die_if_planned(kind, point, step_id)


@worker_init.connect
def _install_in_worker(**_kwargs: object) -> None:
    install()


def install() -> None:
    """Put the points into this process's code, before it forks."""
    from careers import archive
    from careers.documents import pdf
    from careers.notifications import smtp
    from careers.pipeline import registry, runner

    for definition in registry.definitions():
        registry.REGISTERED[definition.kind] = dataclasses.replace(
            definition, effect=_faulty(definition.effect)
        )
    take, run, put = runner.take, runner.run, archive.put
    send, set_in_type = smtp._Phases.send, pdf.Typesetter.set

    def faulty_run(step_id: int, *, owner: str, kind: str | None = None) -> list[int]:
        global _at
        _at = (kind or "", step_id)
        try:
            ready = run(step_id, owner=owner, kind=kind)
            _here("recorded")
        finally:
            _at = ("", 0)
        return ready

    def faulty_take(*args: Any, **kwargs: Any) -> Any:
        _here("unclaimed")
        return take(*args, **kwargs)

    def faulty_put(*args: Any) -> Any:
        _here("before_put")
        stored = put(*args)
        _here("after_put")
        return stored

    def faulty_send(client: Any, content: Any) -> None:
        send(client, content)
        if (
            client.may_have_been_sent
            and not isinstance(content, str)
            and content.endswith(smtp._DOT)
        ):
            _here("after_sending")

    def faulty_set(*args: Any) -> Any:
        # Imported late: it takes a worker without PDFs a second.
        from weasyprint.document import Document

        if not hasattr(Document, "faulty"):
            write_pdf = Document.write_pdf
            Document.faulty = True
            Document.write_pdf = lambda *args, **kwargs: (
                _here("midway"),
                write_pdf(*args, **kwargs),
            )[1]
        return set_in_type(*args)

    runner.run, runner.take, archive.put = faulty_run, faulty_take, faulty_put
    smtp._Phases.send, pdf.Typesetter.set = faulty_send, faulty_set


def _faulty(perform: Callable) -> Callable:
    def with_faults(step: Any, before_send: Callable[..., None]) -> Any:
        global _at
        _at = (step.kind, step.pk)

        def before_send_or_die(*given: object) -> None:
            _here("before_send")
            before_send(*given)
            _here("sending")

        _here("before")
        effect = perform(step, before_send_or_die)
        _here("after")

        def record_or_die() -> None:
            effect.record()
            _here("recording")

        return dataclasses.replace(effect, record=record_or_die)

    return with_faults
