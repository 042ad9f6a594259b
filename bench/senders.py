"""Twenty people who keep sending the same form, in a process of their own.

That process imports this module, so it needs nothing of the site.
"""

from __future__ import annotations

import contextlib
import http.client
import multiprocessing
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from threading import Thread
from typing import Any

HOST = "127.0.0.1"
SENDERS = 20
#: Seconds between two requests of one sender, if the site answers sooner.
PACE = 1.0
#: Seconds after which a request is given up.
PATIENCE = 60

#: What a form holds, as HTTP sends it: the body and its content type.
Form = tuple[bytes, str]


@contextlib.contextmanager
def sending(port: int, address: str, form: Form, senders: int) -> Iterator[None]:
    """Have the senders at work, in a process of their own, until each has sent once."""
    context = multiprocessing.get_context("spawn")
    begun, ended = context.Semaphore(0), context.Event()
    sender = context.Process(
        target=send_all, args=(port, address, form, begun, ended, senders), daemon=True
    )
    sender.start()
    try:
        for _sender in range(senders):
            if not begun.acquire(timeout=PATIENCE):
                raise RuntimeError("the senders did not begin")
        yield
    finally:
        ended.set()
        sender.join(PATIENCE)
        sender.kill()


def send_all(port: int, address: str, form: Form, begun: Any, ended: Event, senders: int) -> None:
    """Send the form from several threads until ``ended``; the work of the process of senders."""
    threads = [
        Thread(target=_send, args=(port, address, form, begun, ended, number * PACE / senders))
        for number in range(senders)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _send(port: int, address: str, form: Form, begun: Any, ended: Event, delay: float) -> None:
    body, content_type = form
    time.sleep(delay)
    begun.release()
    while not ended.is_set():
        due = time.monotonic() + PACE
        connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
        ignored = contextlib.suppress(OSError, http.client.HTTPException)
        with contextlib.closing(connection), ignored:
            connection.request("POST", address, body, {"Content-Type": content_type})
            connection.getresponse().read()
        ended.wait(max(0.0, due - time.monotonic()))
