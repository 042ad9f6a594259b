"""How long visitors wait while strangers send requests that are made to be expensive.

Each row is the median time of other visitors' job page while 20 senders are at work, divided by the
median on the idle site. Both are measured in turns, on one running site.
"""

from __future__ import annotations

import contextlib
import http.client
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from threading import Thread
from typing import Any

from bench.rows import Row
from tests.support.servers import HOST
from tests.support.stack import PLAIN_JOB, Stack, multipart, shared_template

SENDERS = 20
#: Seconds between two requests of one sender, if the site answers sooner.
PACE = 1.0
TARGET = 2.0
#: Seconds between two visits.
PAUSE = 0.02
#: Visits of each kind in a turn, and turns of each kind.
VISITS, TURNS = 60, 5
QUICK_VISITS, QUICK_TURNS = 20, 2
#: Seconds after which a request is given up.
PATIENCE = 60

#: What a form holds, as HTTP sends it: the body and its content type.
Form = tuple[bytes, str]


def forms() -> dict[str, Form]:
    """Each kind of expensive form, by its words in the table."""
    name = {"name": "A", "email": "a@example.org"}
    return {
        "a phone number of 300 kB": multipart(name | {"phone": "1" * 300_000 + "!"}, {}),
        "80,000 alternating combining marks": multipart(
            name | {"name": "\u0301\u0323" * 40_000}, {}
        ),
        "a PDF whose page tree repeats its children": multipart(
            name, {"cv": ("cv.pdf", page_tree_bomb())}
        ),
    }


def page_tree_bomb(levels: int = 9, children: int = 4) -> bytes:
    """A PDF of about a kilobyte with ``children ** levels`` pages, all of them the same object."""
    kids = [b"%d 0 R " % number * children for number in range(3, 3 + levels)]
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        *(b"<</Type/Pages/Count 1/Kids[%s]>>" % one for one in kids),
        b"<</Type/Page/MediaBox[0 0 9 9]>>",
    ]
    pdf, places = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        places.append(len(pdf))
        pdf += b"%d 0 obj%s\nendobj\n" % (number, content)
    entries = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (count, len(pdf))
    return pdf + b"xref\n0 %d\n0000000000 65535 f \n" % count + entries + end


def measure(quick: bool) -> Iterator[Row]:
    """One row for each kind of expensive form."""
    visits, turns = (QUICK_VISITS, QUICK_TURNS) if quick else (VISITS, TURNS)
    with (
        tempfile.TemporaryDirectory(prefix="careers-bench-") as directory,
        Stack(shared_template(), Path(directory)) as site,
    ):
        site.start("web")
        address = site.form_address()
        page = f"/careers/{PLAIN_JOB}/"
        visit(site, page, visits)  # the first visits fill caches
        for words, form in forms().items():
            idle: list[float] = []
            busy: list[float] = []
            for _turn in range(turns):
                idle += visit(site, page, visits)
                with sending(site.port, address, form):
                    busy += visit(site, page, visits)
            ratio = statistics.median(busy) / statistics.median(idle)
            yield Row(f"Job page while {SENDERS} people send {words}", ratio, TARGET, "times idle")


def visit(site: Stack, page: str, visits: int) -> list[float]:
    """Read a page so many times; returns the seconds of each visit."""
    took = []
    for _visit in range(visits):
        began = time.perf_counter()
        status, _headers, _body = site.get(page)
        took.append(time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"the job page answered {status}")
        time.sleep(PAUSE)
    return took


@contextlib.contextmanager
def sending(port: int, address: str, form: Form) -> Iterator[None]:
    """Have the senders at work, in a process of their own, until each has sent once."""
    context = multiprocessing.get_context("spawn")
    begun, ended = context.Semaphore(0), context.Event()
    sender = context.Process(target=send_all, args=(port, address, form, begun, ended), daemon=True)
    sender.start()
    try:
        for _sender in range(SENDERS):
            if not begun.acquire(timeout=PATIENCE):
                raise RuntimeError("the senders did not begin")
        yield
    finally:
        ended.set()
        sender.join(PATIENCE)
        sender.kill()


def send_all(port: int, address: str, form: Form, begun: Any, ended: Event) -> None:
    """Send the form from several threads until ``ended``; the work of the process of senders."""
    threads = [
        Thread(target=_send, args=(port, address, form, begun, ended, number * PACE / SENDERS))
        for number in range(SENDERS)
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
