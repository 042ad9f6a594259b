"""The product's Celery app with faults: ``celery -A tests.faults.app worker``.

``FAULT_PLAN`` names a directory with files of the form ``KIND.POINT.VICTIM.NUMBER``. Whoever
comes to the named point of the named step removes one such file and dies by SIGKILL: the pool's
``child`` alone, or the whole ``group`` of the worker; ``freeze`` stops that group until somebody
sends SIGCONT. Points:

``before``  nothing of the step has been done
``dot``     the next bytes will hand a mail over; the row says so already
``after``   the effect has happened, and nobody has written that down
"""

from __future__ import annotations

import dataclasses
import os
import signal
from collections.abc import Callable
from pathlib import Path

from celery.signals import worker_init

from careersite.celery import app

__all__ = ["app"]

PLAN = Path(os.environ["FAULT_PLAN"])


def die_if_planned(kind: str, point: str) -> None:
    """Do to oneself what the plan says; each file of the plan is one time."""
    for file in sorted(PLAN.glob(f"{kind}.{point}.*")):
        try:
            file.unlink()
        except FileNotFoundError:
            continue  # somebody else died of it
        match file.name.split(".")[2]:
            case "child":
                os.kill(os.getpid(), signal.SIGKILL)
            case "group":
                os.killpg(os.getpgrp(), signal.SIGKILL)
            case "freeze":
                os.killpg(os.getpgrp(), signal.SIGSTOP)
                return


@worker_init.connect
def _wrap_steps(**_kwargs: object) -> None:
    from careers.pipeline import steps

    for definition in steps.STEPS:
        steps.BY_KIND[definition.kind] = dataclasses.replace(
            definition, perform=_faulty(definition.kind.value, definition.perform)
        )


def _faulty(kind: str, perform: Callable) -> Callable:
    def with_faults(step: object, hand_over: Callable[..., None]) -> object:
        def hand_over_or_die(*memory: object) -> None:
            hand_over(*memory)
            die_if_planned(kind, "dot")

        die_if_planned(kind, "before")
        effect = perform(step, hand_over_or_die)
        die_if_planned(kind, "after")
        return effect

    return with_faults
