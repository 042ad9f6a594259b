"""The product's Celery app whose worker stops taking messages when a file appears.

``celery -A tests.support.stalled_worker worker``, with the file's path in ``STALL_FILE``. The
file says how: ``hangs`` blocks the event loop, ``cancelled`` cancels the consumer. The worker
deletes the file first, so that the next worker is not affected.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from celery.signals import worker_ready

from careersite.celery import app

__all__ = ["app"]


@worker_ready.connect
def listen(sender: Any, **_: Any) -> None:
    # Needs Django's apps, which are loaded by now.
    from careers.pipeline import watchdog

    watchdog.PATIENCE = 3  # seconds; a minute in production
    watchdog.INTERVAL = 0.5
    order = Path(os.environ["STALL_FILE"])

    def obey() -> None:
        if not order.exists():
            return
        how = order.read_text()
        order.unlink()
        if how == "hangs":
            time.sleep(3600)
        sender.task_consumer.cancel()

    sender.timer.call_repeatedly(0.2, obey)
