"""How long visitors wait while strangers send requests that are made to be expensive.

A row is the median time of other visitors' job page while 20 senders are at work, divided by the
median on the idle site. Both are measured in turns, on one running site, by web processes that keep
no pages: a cached page would hide the work.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator

from bench.rows import Figure
from bench.senders import SENDERS, Form, sending
from bench.sites import Bench
from tests.support.stack import PLAIN_JOB, Stack, multipart

#: Seconds between two visits.
PAUSE = 0.02
#: Visits of each kind in a turn, and turns of each kind.
VISITS, TURNS = 60, 4
QUICK_VISITS, QUICK_TURNS, QUICK_SENDERS = 3, 1, 2


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


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """The ratio of each kind of expensive form."""
    visits, turns = (QUICK_VISITS, QUICK_TURNS) if bench.quick else (VISITS, TURNS)
    senders = QUICK_SENDERS if bench.quick else SENDERS
    page, port = f"/careers/{PLAIN_JOB}/", bench.uncached.port
    address = bench.site.form_address(port=port)
    visit(bench.site, page, port, visits)  # the first visits fill caches
    for words, form in forms().items():
        idle: list[float] = []
        busy: list[float] = []
        for _turn in range(turns):
            idle += visit(bench.site, page, port, visits)
            with sending(port, address, form, senders):
                busy += visit(bench.site, page, port, visits)
        ratio = statistics.median(busy) / statistics.median(idle)
        yield f"job page while {SENDERS} people send {words}", ratio


def visit(site: Stack, page: str, port: int, visits: int) -> list[float]:
    """Read a page so many times; returns the seconds of each visit."""
    took = []
    for _visit in range(visits):
        began = time.perf_counter()
        status, _headers, _body = site.get(page, port=port)
        took.append(time.perf_counter() - began)
        if status != 200:
            raise RuntimeError(f"the job page answered {status}")
        time.sleep(PAUSE)
    return took
