"""Requests to a site from another process, and what they cost the site."""

from __future__ import annotations

import base64
import itertools
import json
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from bench import load
from bench.processes import TICK, cpu_seconds
from tests.support.servers import HOST
from tests.support.stack import multipart

CLIENT = Path(load.__file__)
#: What a browser says about itself, as far as a server may care.
BROWSER = {
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
    "Accept-Language": "en",
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) bench",
}
NUMBER = load.NUMBER.decode()
#: Every form of a run is different.
_sent = itertools.count(1, 10_000)


@dataclass(frozen=True)
class Load:
    """What a client and the site's processes took for some requests.

    Attributes:
        seconds: from the first request to the last answer.
        latencies: seconds of each request.
        began: when the first request was sent, as a Unix timestamp.
        cpu: seconds that the site's processes worked.
    """

    seconds: float
    latencies: list[float]
    cpu: float
    began: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return len(self.latencies) / self.seconds

    @property
    def cost(self) -> float:
        """Seconds of CPU per request."""
        return self.cpu / len(self.latencies)

    @property
    def median(self) -> float:
        return statistics.median(self.latencies)


def get(path: str, port: int, headers: Mapping[str, str] | None = None) -> bytes:
    """A GET as a browser sends it."""
    lines = [f"GET {path} HTTP/1.1", f"Host: {HOST}:{port}"]
    lines += [f"{name}: {value}" for name, value in (BROWSER | dict(headers or {})).items()]
    return "\r\n".join([*lines, "", ""]).encode()


def post(
    path: str,
    port: int,
    fields: Mapping[str, str | list[str]],
    files: Mapping[str, tuple[str, bytes]],
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A form as a browser sends it; ``NUMBER`` in it becomes the number of the request.

    Args:
        files: name and content of each file; without any, the form is sent as one line of text.
    """
    if files:
        body, content_type = multipart(fields, files)
    else:
        body = urlencode(fields, doseq=True).encode()
        content_type = "application/x-www-form-urlencoded"
    # The number has as many characters as the word that it replaces.
    sent = {"Content-Type": content_type, "Content-Length": str(len(body))}
    sent["Origin"] = f"http://{HOST}:{port}"
    sent["Sec-Fetch-Site"] = "same-origin"
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}:{port}"]
    lines += [f"{key}: {value}" for key, value in (BROWSER | sent | dict(headers or {})).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def drive(
    port: int,
    requests: Sequence[bytes],
    *,
    pid: int,
    expect: int,
    count: int = 0,
    seconds: float = 0,
    connections: int = 4,
    interval: float = 0,
) -> Load:
    """Send requests to a site and measure; see ``bench.load.run``.

    Args:
        pid: the first process of the site. Its descendants count, too.
        expect: the status that every answer must have.

    Raises:
        RuntimeError: the client failed, or an answer had another status.
    """
    given = {
        "port": port,
        "requests": [base64.b64encode(request).decode() for request in requests],
        "connections": connections,
        "count": count,
        "seconds": seconds,
        "interval": interval,
        "first": next(_sent),
    }
    before = cpu_seconds(pid)
    done = subprocess.run(
        [sys.executable, "-IS", str(CLIENT)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
    )
    # The kernel counts in hundredths of a second.
    cpu = max(cpu_seconds(pid) - before, 1 / TICK)
    if done.returncode:
        raise RuntimeError(f"the client failed: {done.stderr.strip().splitlines()[-1]}")
    found = json.loads(done.stdout)
    line = requests[0].partition(b"\r\n")[0].decode()
    if set(found["statuses"]) != {str(expect)}:
        raise RuntimeError(f"{line} answered {found['statuses']}, not {expect}")
    return Load(found["seconds"], found["latencies"], cpu, found["began"])
