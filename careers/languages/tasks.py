"""The Celery task for translations."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from careers.languages import background


@shared_task(name="careers.translate_pages", soft_time_limit=600, time_limit=660)
def translate_pages(
    *, request_id: int | None = None, errand_id: int | None = None, **_: Any
) -> None:
    """Do one request; without an id, as scheduled, every request that no worker has claimed.

    Args:
        errand_id: the request's id, as the previous release names it in its messages.
    """
    request_id = request_id if request_id is not None else errand_id
    for pk in [request_id] if request_id is not None else background.waiting():
        if background.run(int(pk)):
            background.dispatch(int(pk))
