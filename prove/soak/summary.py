"""What a soak prints."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence

from prove.soak.growth import Verdict
from prove.soak.outcome import Documents, Outcome, Sample


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so large a share does not exceed; 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0


def machine() -> str:
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return f"{os.cpu_count()} cores, {pages / 1e9:.0f} GB memory"


SHOWN = ("web", "cpu", "io", "sweeper", "beat", "flower", "broker", "archive")


def heading(outcome: Outcome) -> list[str]:
    parts = " ".join(f"{name:>7}" for name in SHOWN)
    return [
        f"{outcome.started}, {outcome.database}, {outcome.seconds / 60:g} minutes, {machine()}",
        f"{'':>6} {'applications/s':>14} {'POST s':>13} {'steps':>12}  PSS in MB",
        (
            f"{'minute':>6} {'wanted':>7}{'posted':>7} {'p50':>6} {'p99':>6} {'open':>5}"
            f" {'oldest':>6} {parts} files temp. keys conn."
        ),
    ]


def row(sample: Sample) -> str:
    parts = sample.used["parts"]
    memory = " ".join(f"{parts.get(name, {}).get('pss', 0):7.1f}" for name in SHOWN)
    files = sum(used.get("files", 0) for used in parts.values())
    return (
        f"{sample.at / 60:6.1f} {sample.wanted:7.2f}{sample.reached:7.2f} {sample.p50:6.3f}"
        f" {sample.p99:6.3f} {sample.open:5d} {sample.oldest:6.1f} {memory} {files:5.0f}"
        f" {sample.used['temporary files']:5d} {sample.used['keys']:4d}"
        f" {sample.used.get('connections', 0):5d}"
    )


def judgement(found: dict[str, Verdict]) -> list[str]:
    if not found:
        return []
    lines = [f"{'second half':24} {'from':>8} {'to':>8} {'grown':>7} {'allowed':>7}"]
    return lines + [
        f"{name:24} {verdict.first:8.1f} {verdict.last:8.1f} {verdict.growth:+7.2f}"
        f" {verdict.allowed:7.1f}{'  GROWS' if verdict.grows else ''}"
        for name, verdict in found.items()
    ]


def summary(outcome: Outcome | Documents) -> list[str]:
    lines = judgement(outcome.verdicts)
    if isinstance(outcome, Outcome):
        lines.append(
            f"{outcome.posted} applications, {outcome.rate} a second in the second half;"
            f" drained {outcome.drained:.0f} s after the last."
        )
    else:
        lines.append(
            f"{outcome.count} documents in {outcome.seconds:.0f} s and {outcome.lives} lives."
            f" Of one core, a life's first took {outcome.first} s,"
            f" another {outcome.median} s (median), {outcome.p99} s (p99)."
        )
    lines += [f"PROBLEM: {problem}" for problem in outcome.problems]
    return [*lines, f"{len(outcome.problems)} problems"]
