"""Faults of the S3 server and of single requests to it."""

from __future__ import annotations

from typing import Any

from prove.injection.kinds import (
    Fault,
    Site,
    kind,
    until,
)
from prove.s3_proxy import SPOILED


@kind("s3: kill -9", "archive")
def _s3_dies(site: Site, fault: Fault) -> Any:
    site.away.add("archive")
    site.stack["archive"].kill()
    yield fault.seconds
    site.away.discard("archive")
    yield from until(lambda: site.stack._ready("archive"), 90)
    return True


@kind("s3: frozen", "archive")
def _s3_frozen(site: Site, fault: Fault) -> Any:
    site.stack["archive"].freeze()
    yield fault.seconds
    site.stack["archive"].thaw()
    return True


def _s3_spoils(how: str) -> None:
    @kind(f"s3: {how}", "archive")
    def spoils(site: Site, fault: Fault) -> Any:
        before = site.proxy.spoiled
        site.proxy.spoil(how, fault.times)
        yield from until(lambda: not site.proxy.pending, unless=site.idle)
        site.proxy.stop_spoiling()
        return site.proxy.spoiled > before


for _how in SPOILED:
    _s3_spoils(_how)
