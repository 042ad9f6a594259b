"""How long ``bin/run`` takes to start, and how much memory the site then has."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator

from bench.processes import pss_megabytes
from bench.rows import Figure
from bench.sites import JOB, Bench
from careersite.embedded.readiness import not_ready
from tests.support.processes import Process
from tests.support.servers import HOST, reserve_port
from tests.support.stack import ROOT
from tests.support.stack.template import plain_environ

STARTS = 3
#: Pages that visitors have read before the memory is measured.
READ = ("/", "/careers/", f"/careers/{JOB}/", "/fr/", "/jobs.atom", "/sitemap.xml")


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """Start the site in a new directory, then again; the second kind of start is warm."""
    port = reserve_port()
    environ = plain_environ() | {
        "VAR_DIR": str(bench.directory / "run"),
        "PORT": str(port),
        "FLOWER_PORT": str(reserve_port()),
        "HOME": os.environ.get("HOME", "/tmp"),
    }
    process = Process(
        "run",
        [str(ROOT / "bin" / "run")],
        environ=environ,
        log=bench.directory / "run.log",
        cwd=ROOT,
    )
    yield Figure("first start of bin/run", started(process, port), "s")
    times = []
    try:
        for _start in range(STARTS):
            process.stop(60)
            times.append(started(process, port))
        yield "warm start of bin/run", statistics.median(times)
        used(environ, port)
        yield "memory of the embedded site (PSS)", pss_megabytes(process.pid)
    finally:
        process.stop(60)


def started(process: Process, port: int) -> float:
    """Start the site; returns the seconds until it reports that everything works."""
    began = time.monotonic()
    process.start()
    address = f"http://{HOST}:{port}/health/ready"
    process.until(lambda: not not_ready(address), 300, "bin/run did not start")
    return time.monotonic() - began


def used(environ: dict[str, str], port: int) -> None:
    """Read every kind of page, and have some applications worked on."""
    import http.client
    import subprocess
    import sys

    for path in READ * 4:
        connection = http.client.HTTPConnection(HOST, port, timeout=60)
        connection.request("GET", path)
        connection.getresponse().read()
        connection.close()
    subprocess.run(
        [sys.executable, "manage.py", "apply_demo", "--count", "5", "--watch", "--timeout", "120"],
        env=environ,
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
