"""What runs by the clock: beat's sign of life, and how each run went."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from careers.pipeline import notices
from careers.pipeline.tasks import owner


@shared_task(name="careers.watch")
def watch(**_: Any) -> None:
    """Look whether operators must be told something; the sweeper can't tell its own absence."""
    notices.look(actor=owner())


@shared_task(name="careers.daily_digest")
def daily_digest(**_: Any) -> None:
    """Write the summary of yesterday once the morning has come."""
    notices.daily_digest(actor=owner())
