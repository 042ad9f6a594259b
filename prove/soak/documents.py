"""Many documents, rendered as the children of a worker render them."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import multiprocessing.connection
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from prove.soak import gauges, varied_applications
from prove.soak.growth import judge
from prove.soak.outcome import Documents, DocumentSample
from prove.soak.summary import machine, quantile
from prove.soak.trends import ALLOWED, grown


def documents(
    count: int, *, children: int = 1, life: int = 0, every: int = 100, say: Any = print
) -> Documents:
    """Render so many documents in processes that are forked like a worker's children, and replaced
    after ``life`` documents; never with 0.
    """
    # The imports of the worker's main process when it forks.
    import careersite.celery  # noqa: F401

    started = dt.datetime.now(dt.UTC).isoformat(timespec="minutes")
    outcome, began = Documents(count, children, life, started), time.monotonic()
    say(f"{started}, {count} documents, {children} children, {machine()}")
    say(f"{'child':>5} {'documents':>9} {'seconds':>8} {'RSS MB':>7} {'PSS MB':>7} {'files':>6}")
    took: list[float] = []
    firsts: list[float] = []
    forked = multiprocessing.get_context("fork")
    ends: dict[Any, tuple[int, Any]] = {}
    fresh: set[Any] = set()
    left = {number: range(number - 1, count, children) for number in range(1, children + 1)}

    def fork(number: int) -> None:
        ours, theirs = forked.Pipe()
        its, left[number] = left[number][: life or count], left[number][life or count :]
        child = forked.Process(target=_set_documents, args=(its, every, theirs), daemon=True)
        child.start()
        theirs.close()
        ends[ours] = (number, child)
        fresh.add(ours)
        outcome.lives += 1

    for number in left:
        fork(number)
    done: Counter[int] = Counter()
    while ends:
        ready: list[Any] = multiprocessing.connection.wait(list(ends))
        for end in ready:
            number, child = ends[end]
            try:
                # The child waits for an answer, so it is measured between two documents.
                spent = end.recv()
            except EOFError:
                del ends[end]
                end.close()
                child.join()
                if child.exitcode:
                    outcome.problems.append(f"child {number} ended with {child.exitcode}")
                elif left[number]:
                    fork(number)
                continue
            firsts += spent[:1] if end in fresh else []
            took += spent[1:] if end in fresh else spent
            fresh.discard(end)
            done[number] += len(spent)
            rss, pss = gauges.memory(child.pid)
            sample = DocumentSample(
                child=number,
                documents=done[number],
                seconds=round(time.monotonic() - began, 1),
                rss=round(rss / gauges.MB, 1),
                pss=round(pss / gauges.MB, 1),
                files=len(list(Path(f"/proc/{child.pid}/fd").iterdir())),
            )
            outcome.samples.append(sample)
            say(
                f"{sample.child:5d} {sample.documents:9d} {sample.seconds:8.0f} {sample.rss:7.1f}"
                f" {sample.pss:7.1f} {sample.files:6d}"
            )
            end.send("go on")
    if done.total() != count:
        outcome.problems.append(f"{done.total()} documents instead of {count}")
    outcome.seconds = round(time.monotonic() - began, 1)
    outcome.first = round(max(firsts, default=0.0), 3)
    outcome.median, outcome.p99 = (round(quantile(took, q), 3) for q in (0.5, 0.99))
    for number in range(1, children + 1):
        of_child = [sample for sample in outcome.samples if sample.child == number]
        for name, allowance in (("rss", "pss"), ("files", "files")):
            series = [(sample.documents, getattr(sample, name)) for sample in of_child]
            # The size of a process depends on its own documents only.
            verdict = judge(series, ALLOWED[allowance], scatters=bool(life))
            if verdict:
                outcome.verdicts[f"child {number} {name}"] = verdict
    outcome.problems += grown(outcome.verdicts)
    return outcome


def _set_documents(numbers: Sequence[int], every: int, parent: Connection) -> None:
    """Render these documents in a child, and report the times after every few of them."""
    from careers.documents import Branding, document_for, render_pdf

    branding, spent = Branding("Tidewater Instruments", "#0e5c46"), []
    for number in numbers:
        began = time.process_time()
        render_pdf(document_for(varied_applications.application(number), branding))
        spent.append(time.process_time() - began)
        if len(spent) == every or number == numbers[-1]:
            parent.send(spent)
            parent.recv()
            spent = []
