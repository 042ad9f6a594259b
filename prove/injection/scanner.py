"""Faults of the virus scanner."""

from __future__ import annotations

import signal
from typing import Any

from prove.injection.kinds import Fault, Site, kind, until


@kind("clamd: kill -9", "scanner", needs="scanner")
def _scanner_dies(site: Site, fault: Fault) -> Any:
    site.away.add("scanner")
    site.stack["scanner"].kill()
    yield fault.seconds
    site.away.discard("scanner")
    yield from until(lambda: site.stack._ready("scanner"), 90)
    return True


@kind("clamd: SIGTERM and restart", "scanner", needs="scanner")
def _scanner_restarts(site: Site, fault: Fault) -> Any:
    before = site.stack["scanner"].pid
    site.stack["scanner"].signal(signal.SIGTERM)
    yield from until(lambda: site.stack["scanner"].pid != before)
    yield from until(lambda: site.stack._ready("scanner"), 90)
    return True


@kind("clamd: frozen", "scanner", needs="scanner")
def _scanner_frozen(site: Site, fault: Fault) -> Any:
    site.stack["scanner"].freeze()
    yield fault.seconds
    site.stack["scanner"].thaw()
    return True
