"""Which gauges may grow during a soak, by how much, and which did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prove.soak.growth import Allowance, Series, Verdict, judge
from prove.soak.outcome import Sample

#: What may be added within the half of the run that counts. Memory in MB, the rest in numbers.
ALLOWED = {
    "pss": Allowance(share=0.05, least=5),
    "files": Allowance(share=0.05, least=3),
    "threads": Allowance(share=0.05, least=3),
    "processes": Allowance(share=0, least=1),
    "connections": Allowance(share=0.05, least=3),
    "keys": Allowance(share=0.05, least=3),
    "temporary files": Allowance(share=0.05, least=3),
    # It remembers the last 10,000 tasks, some 7 kB each, and grows until it does.
    "flower pss": Allowance(share=0.05, least=80),
}
#: Shown, but without a limit. rclone keeps the metadata of each object in memory until it ends: 3
#: to 4 kB an object were measured (cmd/serve/s3/backend.go, ``meta``).
UNJUDGED = ("archive pss",)


def all_series(samples: Sequence[Sample]) -> Mapping[str, Series]:
    """Each gauge over time, by its name; the parts' own as ``part gauge``."""
    series: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        for name, value in sample.used.items():
            if isinstance(value, int | float):
                series.setdefault(name, []).append((sample.at, value))
        for part, used in sample.used["parts"].items():
            for name, value in used.items():
                series.setdefault(f"{part} {name}", []).append((sample.at, value))
    return series


def verdicts(samples: Sequence[Sample]) -> dict[str, Verdict]:
    """What is allowed to grow by so much, and whether it grew by more."""
    found = {}
    for name, series in all_series(samples).items():
        if name in UNJUDGED:
            continue
        part, _, gauge = name.partition(" ")
        allowance = ALLOWED.get(name) or (
            ALLOWED.get(gauge) if part in samples[0].used["parts"] else None
        )
        verdict = judge(series, allowance) if allowance else None
        if verdict:
            found[name] = verdict
    return found


def grown(found: dict[str, Verdict]) -> list[str]:
    return [
        f"{name} grows: {verdict.first:g} to {verdict.last:g}, by {verdict.growth:.1f}"
        f" where {verdict.allowed:.1f} is allowed"
        for name, verdict in found.items()
        if verdict.grows
    ]
