"""Lighthouse's performance score for a phone, in the Chromium that the tests use."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.pages import ADDRESSES
from bench.rows import Figure
from bench.sites import Bench
from tests.support.pictures import chromium
from tests.support.stack import ROOT

#: 12.8 is the last release for Node 18, which Debian has.
PACKAGE = "lighthouse@~12.8.0"
PLACE = ROOT / "var" / "bench" / "lighthouse"
RUNS = 5
FLAGS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage"


def measure(bench: Bench) -> Iterator[tuple[str, float] | Figure]:
    """The median score of each page, with Lighthouse's settings for mobile."""
    program = installed()
    for page in ("home", "list", "job"):
        address = f"http://127.0.0.1:{bench.web.port}{ADDRESSES[page]}"
        found = [audited(program, address) for _run in range(RUNS)]
        for name, unit in (("first-contentful-paint", "ms"), ("total-blocking-time", "ms")):
            median = statistics.median(one["audits"][name]["numericValue"] for one in found)
            yield Figure(f"Lighthouse {name}, {page}", median, unit)
        scores = [one["categories"]["performance"]["score"] * 100 for one in found]
        yield f"Lighthouse performance, {page}", statistics.median(scores)


def installed() -> Path:
    """Lighthouse's program; npm installs it at the first call.

    Raises:
        RuntimeError: Node or npm is missing, or npm could not install it.
    """
    for name in ("node", "npm"):
        if shutil.which(name) is None:
            raise RuntimeError(f"{name} was not found")
    program = PLACE / "node_modules" / "lighthouse" / "cli" / "index.js"
    if not program.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(PLACE), "--no-audit", "--no-fund", PACKAGE]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"npm could not install {PACKAGE}")
    return program


def audited(program: Path, address: str) -> dict[str, dict[str, dict[str, float]]]:
    """Lighthouse's report about one page."""
    done = subprocess.run(
        [
            *("node", str(program), address, "--quiet", "--output=json"),
            *("--only-categories=performance", f"--chrome-flags={FLAGS}"),
        ],
        env=os.environ | {"CHROME_PATH": chromium()},
        capture_output=True,
        text=True,
        timeout=180,
    )
    if done.returncode:
        raise RuntimeError(f"Lighthouse failed: {done.stderr.strip().splitlines()[-1]}")
    report: dict[str, dict[str, dict[str, float]]] = json.loads(done.stdout)
    return report
