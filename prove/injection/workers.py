"""Faults of the workers, the web server and the sweeper: killed, frozen, restarted."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any

from prove.injection.kinds import (
    CHILD,
    FROZEN,
    KILLED,
    WEB,
    Fault,
    Site,
    kind,
    until,
)
from tests.support.processes import Process
from tests.support.stack import ROOT


def _of_a_worker(part: str) -> None:
    @kind(f"worker {part}: kill -9 of all its processes", part, KILLED)
    def group(site: Site, fault: Fault) -> Any:
        site.stack[part].kill()
        yield from until(lambda: site.stack._ready(part), 90)
        return True

    @kind(f"worker {part}: kill -9 of a pool child", part, CHILD)
    def child(site: Site, fault: Fault) -> Any:
        # Right after its start it has none.
        yield from until(site.stack[part].children)
        children = site.stack[part].children()
        if children:
            os.kill(children[fault.chance % len(children)], signal.SIGKILL)
            yield 1
        return bool(children)

    @kind(f"worker {part}: frozen past its lease, then woken", part, FROZEN)
    def frozen(site: Site, fault: Fault) -> Any:
        site.stack[part].freeze()
        yield site.lease + 3
        site.stack[part].thaw()
        return True

    @kind(f"worker {part}: frozen for a moment", part, FROZEN)
    def nap(site: Site, fault: Fault) -> Any:
        site.stack[part].freeze()
        yield fault.seconds
        site.stack[part].thaw()
        return True

    @kind(f"worker {part}: SIGTERM and restart", part, KILLED)
    def restart(site: Site, fault: Fault) -> Any:
        before = site.stack[part].pid
        site.stack[part].signal(signal.SIGTERM)
        yield from until(lambda: site.stack[part].pid != before)
        yield from until(lambda: site.stack._ready(part), 90)
        return True

    @kind(f"worker {part}: SIGTERM, then kill -9 at once", part, KILLED)
    def impatient(site: Site, fault: Fault) -> Any:
        site.stack[part].signal(signal.SIGTERM)
        yield fault.times / 3
        site.stack[part].kill()
        yield from until(lambda: site.stack._ready(part), 90)
        return True


_of_a_worker("cpu")
_of_a_worker("io")


def _at_a_point(step: str, point: str, victim: str) -> None:
    part = "cpu" if step == "render_pdf" else "io"
    who = {"child": "child dies", "group": "worker dies", "freeze": "worker freezes"}[victim]
    where = {"before": "before it", "sending": "at the point of no return", "after": "after it"}[
        point
    ]

    @kind(f"{step}: {who} {where}", part, needs="scanner" if step == "scan" else "")
    def at_the_point(site: Site, fault: Fault) -> Any:
        file = site.plan / f"{step}.{point}.{victim}.{fault.at}"
        file.touch()
        happened = yield from until(lambda: not file.exists(), pause=0.1, unless=site.idle)
        if not happened:
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
                return False
        if victim == "freeze":
            yield site.lease + 3
            site.stack[part].thaw()
        elif victim == "group":
            yield from until(lambda: site.stack._ready(part))
        return True


for _step in ("render_pdf", "archive", "scan", "mail_applicant", "mail_hr"):
    for _point in ("before", "sending", "after"):
        if _point == "sending" and not _step.startswith("mail"):
            continue
        for _victim in ("child", "group"):
            _at_a_point(_step, _point, _victim)
for _point in ("before", "sending", "after"):
    _at_a_point("mail_applicant", _point, "freeze")


# ── Web, sweeper ────────────────────────────────────────────────────────────────────────


@kind("web: kill -9 of a child", "web", WEB)
def _web_child(site: Site, fault: Fault) -> Any:
    yield from until(site.stack["web"].children)
    children = site.stack["web"].children()
    if children:
        os.kill(children[fault.chance % len(children)], signal.SIGKILL)
        yield 2
    return bool(children)


def _web_is_back(site: Site, before: int) -> Any:
    """Wait for a new master whose own children answer; old ones still listen a while."""
    yield from until(lambda: site.stack["web"].pid != before, 90)
    yield 2
    yield from until(lambda: site.stack.get("/health/live")[0] == 200, 90)
    return True


@kind("web: kill -9 of the master", "web", WEB)
def _web_master(site: Site, fault: Fault) -> Any:
    before = site.stack["web"].pid
    site.stack["web"].signal(signal.SIGKILL)
    return (yield from _web_is_back(site, before))


@kind("web: kill -9 of all its processes", "web", WEB)
def _web_group(site: Site, fault: Fault) -> Any:
    before = site.stack["web"].pid
    site.stack["web"].kill()
    return (yield from _web_is_back(site, before))


@kind("web: SIGTERM and restart", "web", WEB)
def _web_restart(site: Site, fault: Fault) -> Any:
    before = site.stack["web"].pid
    site.stack["web"].signal(signal.SIGTERM)
    return (yield from _web_is_back(site, before))


@kind("web: frozen for a moment", "web", WEB)
def _web_frozen(site: Site, fault: Fault) -> Any:
    site.stack["web"].freeze()
    yield fault.seconds
    site.stack["web"].thaw()
    return True


@kind("sweeper: kill -9", "sweeper", KILLED)
def _sweeper_dies(site: Site, fault: Fault) -> Any:
    site.stack["sweeper"].kill()
    yield from until(lambda: site.stack._ready("sweeper"), 90)
    return True


@kind("sweeper: away", "sweeper", KILLED)
def _sweeper_away(site: Site, fault: Fault) -> Any:
    site.away.add("sweeper")
    site.stack["sweeper"].kill()
    yield 2 * fault.seconds
    site.away.discard("sweeper")
    yield from until(lambda: site.stack._ready("sweeper"), 90)
    return True


@kind("sweeper: frozen, then woken", "sweeper", FROZEN)
def _sweeper_frozen(site: Site, fault: Fault) -> Any:
    site.stack["sweeper"].freeze()
    yield 2 * fault.seconds
    site.stack["sweeper"].thaw()
    return True


@kind("sweeper: a second one beside it", "sweeper", KILLED, gentle=True)
def _second_sweeper(site: Site, fault: Fault) -> Any:
    argv, environ = site.stack._command("sweeper")
    log = site.stack.var / "log" / "second-sweeper.log"
    second = Process("second-sweeper", argv, environ=environ, log=log, cwd=ROOT)
    second.start()
    try:
        yield 8 + fault.seconds
        return second.running
    finally:
        second.kill()
