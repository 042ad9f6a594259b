"""What a campaign found, as a table, as JSON and for the documentation."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import sqlite3
import textwrap
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles
from typing import Any

from prove.checker import RED, Findings
from tests.support.stack import Stack

#: The share of the planned faults that must really happen.
STRIKING = 0.6


@dataclass
class Report:
    """The outcome of a campaign.

    Attributes:
        posted: applications that were really sent; ``applications`` is how many were planned.
        faults, besides, missed, untried: by kind, how often it happened, how often it only
            disturbed, how often its moment did not come, and how often it was never tried.
        broken: unexpected errors that ended single applications.
        drained: seconds from the last fault until all steps had ended.
    """

    database: str
    seed: int
    applications: int
    versions: dict[str, str]
    posted: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    besides: Counter[str] = field(default_factory=Counter)
    missed: Counter[str] = field(default_factory=Counter)
    untried: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    found: Findings = field(default_factory=Findings)
    post: dict[str, float] = field(default_factory=dict)
    drained: float = 0.0
    wall: float = 0.0
    at: str = ""

    @property
    def ok(self) -> bool:
        return self.found.ok and not self.short

    @property
    def short(self) -> list[str]:
        """Why it proves less than planned, in sentences."""
        said = list(self.broken)
        if self.posted < self.applications:
            said.append(f"only {self.posted} of {self.applications} applications were posted")
        if self.untried:
            said.append(f"{self.untried.total()} planned faults were never tried")
        planned = (self.faults + self.missed + self.untried).total()
        if self.faults.total() < STRIKING * planned:
            said.append(f"only {self.faults.total()} of {planned} planned faults happened")
        return said

    @property
    def mails(self) -> int:
        return self.found.counts["mails"]

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        summary = {"ok": self.ok, "short": self.short, "faults_happened": self.faults.total()}
        # asdict() would convert each Counter.
        return {**vars(self), "found": vars(self.found), **summary}


def table(reports: list[Report]) -> list[str]:
    """The outcome, with a column for each database."""
    rows: list[list[str]] = [["", *(report.database for report in reports)]]

    def row(name: str, cell: Callable[[Report], Any]) -> None:
        rows.append([name, *(str(cell(report)) for report in reports)])

    row("applications posted", lambda r: r.posted)
    row("receipts given", lambda r: r.found.counts["receipts"])
    row("sent again by another", lambda r: r.found.counts["sent again"])
    row("faults that happened", lambda r: r.faults.total())
    row("kinds of faults", lambda r: len(r.faults))
    row("faults that did not happen", lambda r: r.missed.total())
    row("disturbances", lambda r: r.besides.total())
    for name, words in RED.items():
        row(words, partial(_red, name))
    row("mails accepted", lambda r: r.mails)
    row("unconfirmed mails", lambda r: r.found.unconfirmed.total())
    row("mails refused for good, shown as failed", lambda r: r.found.shown)
    row("sent again by a person, and both arrived", lambda r: r.found.both)
    row("objects compared", lambda r: r.found.counts["objects"])
    row("PDFs read", lambda r: r.found.counts["PDFs read"])
    row("samples of task status", lambda r: r.found.counts["samples of the panel"])
    row("refused at first and sent again", lambda r: r.found.counts["refused at first"])
    row("time in which a refusal is excused", lambda r: f"{r.found.excusing:.0%}")
    row("mails that could excusably be unconfirmed", lambda r: f"{r.found.doubtful:.1%}")
    for name in ("p50 calm", "p99 calm", "p50 under faults", "p99 under faults", "slowest"):
        row(
            f"POST, {name}",
            partial(_seconds, name),
        )
    row("all ended after the last fault", lambda r: f"{r.drained:.0f} s")
    row("took", lambda r: f"{r.wall / 60:.1f} min")
    lines = _columns(rows)
    causes = Counter[str]()
    for report in reports:
        causes.update(report.found.unconfirmed.keys())
    if causes:
        lines += ["", "Unconfirmed, by cause:"]
        lines += _columns(
            [[name, *(str(r.found.unconfirmed[name]) for r in reports)] for name in sorted(causes)]
        )
    for title, counted in (
        ("Faults that happened, by kind:", lambda r: r.faults),
        ("Disturbances:", lambda r: r.besides),
        ("Faults that did not happen:", lambda r: r.missed),
    ):
        names = sorted({name for report in reports for name in counted(report)})
        if names:
            lines += ["", title]
            lines += _columns([[n, *(str(counted(r)[n]) for r in reports)] for n in names])
    return lines


def _red(name: str, report: Report) -> int:
    return len(report.found.red[name])


def _seconds(name: str, report: Report) -> str:
    return f"{report.post[name]:.2f} s" if report.post.get(name) else "–"


def _between_marks(text: str, found: re.Match[str]) -> str:
    return f"{found[1]}{text}\n{found[2]}"


def _columns(rows: list[list[str]]) -> list[str]:
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def complaints(report: Report, most: int = 12) -> list[str]:
    """What was red, a line each."""
    lines = [f"{report.database}: it proves too little: {words}" for words in report.short]
    for name, sentences in report.found.red.items():
        lines += [f"{report.database}: {RED[name]}: {sentence}" for sentence in sentences[:most]]
        if len(sentences) > most:
            lines.append(f"{report.database}: {RED[name]}: and {len(sentences) - most} more")
    return lines


def markdown(reports: list[Report]) -> str:
    """The outcome for ``docs/reliability.md``: the same table, with seed and versions."""
    first = reports[0]
    named: dict[str, str] = {}
    for report in reports:
        named.update(report.versions)
    versions = ", ".join(f"{name} {number}" for name, number in named.items() if number)
    command = f"bin/prove --seed {first.seed} --applications {first.applications}"
    lines = [f"Run of {first.at}: `{command}`, {os.cpu_count()} cores, {versions}.", ""]
    for line in table(reports):
        cells = [cell for cell in re.split(r" {2,}", line) if cell]
        if not line:
            lines.append("")
        elif line.endswith(":"):
            lines += [f"**{line}**", "", f"| |{'|'.join(r.database for r in reports)}|"]
            lines.append("|---|" + "---:|" * len(reports))
        elif line.startswith(" "):
            lines += [f"| |{'|'.join(cells)}|", "|---|" + "---:|" * len(reports)]
        else:
            lines.append(f"|{'|'.join(cells)}|")
    return "\n".join(lines)


def sentence(reports: list[Report]) -> str:
    """The outcome for the README."""
    first, count = reports[0], sum(report.posted for report in reports)
    kinds = {name for report in reports for name in report.faults}
    red = {name: sum(len(report.found.red[name]) for report in reports) for name in RED}
    return (
        f"Its last full run ({first.at}, seed {first.seed}, "
        f"{' and '.join(report.database for report in reports)}): {count:,} applications under "
        f"{sum(report.faults.total() for report in reports):,} faults of {len(kinds)} kinds; "
        f"{red['lost']} lost, {red['twice']} doubled, {red['wrong']} with wrong content, "
        f"{red['stuck']} stuck."
    )


def write_docs(reports: list[Report], root: Path) -> None:
    """Put the outcome between the marks in ``docs/reliability.md`` and the README.

    Raises:
        ValueError: a file has lost its marks.
    """
    for name, text in (
        ("docs/reliability.md", markdown(reports)),
        ("README.md", textwrap.fill(sentence(reports), 100)),
    ):
        path = root / name
        before = path.read_text("utf-8")
        after, times = re.subn(
            r"(<!-- bin/prove writes from here -->\n).*?(<!-- to here -->)",
            partial(_between_marks, text),
            before,
            flags=re.DOTALL,
        )
        if times != 1:
            raise ValueError(f"{name} has no place for the outcome: its two marks are gone")
        path.write_text(after, "utf-8")


def post_times(attempts: list[dict[str, Any]], faults: list[dict[str, Any]]) -> dict[str, float]:
    """Seconds until a receipt, with and without a fault under way."""
    calm: list[float] = []
    stormy: list[float] = []
    for attempt in attempts:
        if attempt["status"] != 303:
            continue
        ended = attempt["at"] + attempt["seconds"]
        under = any(f["began"] <= ended and f["ended"] >= attempt["at"] for f in faults)
        (stormy if under else calm).append(attempt["seconds"])
    return {
        "p50 calm": _percentile(calm, 50),
        "p99 calm": _percentile(calm, 99),
        "p50 under faults": _percentile(stormy, 50),
        "p99 under faults": _percentile(stormy, 99),
        "slowest": max([*calm, *stormy], default=0.0),
    }


def _percentile(values: list[float], percent: int) -> float:
    if len(values) < 2:
        return values[0] if values else 0.0
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def versions(database: str, stack: Stack) -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for name in ("Wagtail", "Django", "Celery"):
        found[name] = version(name.lower())
    with contextlib.suppress(Exception):
        found["Valkey"] = str(stack.redis().info().get("valkey_version", ""))
    if database == "sqlite":
        found["SQLite"] = sqlite3.sqlite_version
    else:
        (row,) = stack.query("SHOW server_version")
        found["PostgreSQL"] = str(row["server_version"]).split()[0]
    return found
