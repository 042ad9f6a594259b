"""The same work in several threads at once."""

from __future__ import annotations

import threading
from typing import Any

from django.db import connection


def at_once(work: Any, number: int) -> None:
    """Run ``work(index)`` in threads that start together, each with its own connection."""
    start = threading.Barrier(number)
    failures: list[BaseException] = []

    def run(index: int) -> None:
        try:
            start.wait()
            work(index)
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[index]) for index in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
