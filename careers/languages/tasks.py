"""The Celery task for translations."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from careers.languages import background


@shared_task(name="careers.translate_pages", soft_time_limit=600, time_limit=660)
def translate_pages(*, errand_id: int | None = None, **_: Any) -> None:
    """Do one request; without an id, as scheduled, every request that nobody has claimed."""
    for pk in [errand_id] if errand_id is not None else background.waiting():
        if background.run(int(pk)):
            background.dispatch(int(pk))
