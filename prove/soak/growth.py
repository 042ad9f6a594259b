"""Whether a series of measurements grows.

Memory is never constant: pools replace their children, and allocators keep what they have. So the
slope is the median of all slopes between two points (Theil 1950, Sen 1968), which up to 29 %
outliers cannot change much. Only the second half of a run counts, after every cache is warm, and
its growth must stay under an allowance. Where each measurement is of another process, a trend
counts only when chance would hardly produce it (Mann 1945, Kendall 1938).
"""

from __future__ import annotations

import itertools
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

Series = Sequence[tuple[float, float]]
#: Fewer points say nothing.
LEAST_POINTS = 8
#: Standard deviations of Kendall's S that chance exceeds in one of a thousand series.
CHANCE = 3.09


@dataclass(frozen=True)
class Allowance:
    """How much a series may rise within the half of a run that counts.

    Attributes:
        share: of its own median.
        least: in its own unit, for what is small.
    """

    share: float
    least: float

    def of(self, series: Series) -> float:
        return max(self.share * statistics.median(value for _at, value in series), self.least)


@dataclass(frozen=True)
class Verdict:
    """The judgement of one series.

    Attributes:
        first: the median of the earliest third of the points that count.
        last: the median of the latest third.
        growth: the slope times the length of what counts, in the series' unit.
        allowed: the most that this may be.
        may_be_chance: whether chance alone may have produced the trend.
    """

    first: float
    last: float
    growth: float
    allowed: float
    may_be_chance: bool = False

    @property
    def grows(self) -> bool:
        return self.growth > self.allowed and not self.may_be_chance


def slope(series: Series) -> float:
    """The median slope between any two points of a series; 0.0 for fewer than two moments."""
    slopes = [
        (later - earlier) / (then - before)
        for (before, earlier), (then, later) in itertools.combinations(sorted(series), 2)
        if then > before
    ]
    return statistics.median(slopes) if slopes else 0.0


def trend(series: Series) -> float:
    """How far a series rises beyond chance: Kendall's S in standard deviations, without ties."""
    values, n = [value for _at, value in sorted(series)], len(series)
    rises = sum((b > a) - (b < a) for a, b in itertools.combinations(values, 2))
    return max(0, rises - 1) / math.sqrt(n * (n - 1) * (2 * n + 5) / 18)


def second_half(series: Series) -> Series:
    """The points of the later half of the time."""
    middle = (min(series)[0] + max(series)[0]) / 2
    return [point for point in series if point[0] >= middle]


def judge(series: Series, allowance: Allowance, *, scatters: bool = False) -> Verdict | None:
    """Say whether a series grows; None when too little was measured to say.

    Args:
        scatters: whether its points have nothing to do with each other, so that chance alone may
            make a trend.
    """
    if not series:
        return None
    counts = sorted(second_half(series))
    if len(counts) < LEAST_POINTS:
        return None
    third = len(counts) // 3
    values = [value for _at, value in counts]
    return Verdict(
        first=statistics.median(values[:third]),
        last=statistics.median(values[-third:]),
        growth=slope(counts) * (counts[-1][0] - counts[0][0]),
        allowed=allowance.of(counts),
        may_be_chance=scatters and trend(counts) <= CHANCE,
    )
