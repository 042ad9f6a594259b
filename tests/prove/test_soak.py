"""The soak judges growth correctly, and a short one finds no problem."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from prove.soak import outcome, run, summary, trends
from prove.soak.growth import Allowance, judge, second_half, slope, trend
from prove.soak.load import LoadControl
from tests.support.stack import ROOT, Receipt, Stack

TIGHT = Allowance(share=0.05, least=1)
LEVELS = st.floats(10, 1_000)
LENGTHS = st.integers(24, 90)
SEEDS = st.integers(0, 2**32)


def spoilt(values: Sequence[float], seed: int) -> list[tuple[float, float]]:
    """A series; a quarter of the points that count are arbitrary values."""
    chance, middle = random.Random(seed), len(values) // 2
    series = list(enumerate(map(float, values)))
    for n in chance.sample(range(middle, len(series)), len(series) // 8):
        series[n] = (n, chance.uniform(0, 10_000))
    return [(float(at), value) for at, value in series]


# ── Growth ──────────────────────────────────────────────────────────────────────────────


@given(LEVELS, LENGTHS, SEEDS)
def test_flat_series_with_a_quarter_of_outliers_is_flat(
    level: float, length: int, seed: int
) -> None:
    verdict = judge(spoilt([level] * length, seed), TIGHT)
    assert verdict is not None
    assert verdict.growth == 0
    assert not verdict.grows


@given(LEVELS, LENGTHS, SEEDS, st.floats(1.3, 10))
def test_growing_series_with_a_quarter_of_outliers_grows(
    level: float, length: int, seed: int, times: float
) -> None:
    """In the second half the series grows by this multiple of the allowance."""
    span = (length - 1) / 2
    rise = times * max(1, 0.05 * level) / span
    series = spoilt([level + rise * (n - length * 0.75) for n in range(length)], seed)
    assert slope(second_half(series)) == pytest.approx(rise)
    verdict = judge(series, TIGHT)
    assert verdict is not None
    assert verdict.grows


@given(LEVELS, LENGTHS, SEEDS)
def test_noisy_series_is_flat(level: float, length: int, seed: int) -> None:
    chance = random.Random(seed)
    series = [(float(n), level * chance.uniform(0.99, 1.01)) for n in range(length)]
    verdict = judge(series, TIGHT)
    assert verdict is not None
    assert not verdict.grows


@pytest.mark.parametrize("period", [2, 3, 4])
def test_series_of_renewed_children_is_flat(period: int) -> None:
    """Each child grows by a fifth until it is renewed; the pool as a whole does not."""
    series = [(float(n), 100 + 20 * (n % period) / (period - 1)) for n in range(60)]
    verdict = judge(series, TIGHT)
    assert verdict is not None
    assert not verdict.grows


@pytest.mark.parametrize("seed", range(50))
def test_scattered_series_grows_only_with_a_real_trend(seed: int) -> None:
    """The values scatter by a tenth, as for processes that render different documents."""
    chance = random.Random(seed)
    scattered = [(float(n), chance.uniform(180, 220)) for n in range(50)]
    growing = [(at, value + 4 * at) for at, value in scattered]
    for series, grows in ((scattered, False), (growing, True)):
        verdict = judge(series, TIGHT, scatters=True)
        assert verdict is not None
        assert verdict.grows is grows


def test_growth_in_the_first_half_is_ignored() -> None:
    verdict = judge([(float(n), min(n, 30) * 10.0) for n in range(61)], TIGHT)
    assert verdict is not None
    assert verdict.growth == 0


def test_trend_is_kendalls_s_in_standard_deviations() -> None:
    """Ten that rise have S = 45, and the variance 10 · 9 · 25 / 18."""
    assert trend([(float(n), float(n)) for n in range(10)]) == pytest.approx(44 / 125**0.5)
    assert trend([(float(n), -float(n)) for n in range(10)]) == 0
    assert trend([(0.0, 1.0), (1.0, 1.0)]) == 0


def test_judge_returns_none_for_too_few_points() -> None:
    assert judge([], TIGHT) is None
    assert judge([(float(n), 1.0) for n in range(10)], TIGHT) is None


def a_sample(at: float, **used: Any) -> outcome.Sample:
    used = {"parts": {"cpu": {"pss": 200.0, "files": 20}}, "keys": 9, "states": {}, **used}
    return outcome.Sample(at, 1.0, 1.0, 0.1, 0.2, 0.0, 0, used)


def test_growing_part_and_broker_are_reported() -> None:
    samples = [
        a_sample(60.0 * n, parts={"cpu": {"pss": 200.0 + n, "files": 20}}, keys=9 + n)
        for n in range(60)
    ]
    found = trends.verdicts(samples)
    assert list(found) == ["keys", "cpu pss", "cpu files"]
    assert [problem.partition(":")[0] for problem in trends.grown(found)] == [
        "keys grows",
        "cpu pss grows",
    ]


def test_embedded_archive_may_grow_in_memory_but_not_in_open_files() -> None:
    parts = [{"archive": {"pss": 80 + 5.0 * n, "files": 10 + n}} for n in range(60)]
    samples = [a_sample(60.0 * n, parts=used) for n, used in enumerate(parts)]
    assert [problem.split(":")[0] for problem in trends.grown(trends.verdicts(samples))] == [
        "archive files grows"
    ]


def test_flower_may_grow_up_to_its_task_limit() -> None:
    def risen(by: float) -> list[str]:
        parts = [{"flower": {"pss": 140 + by * n / 30, "files": 20}} for n in range(60)]
        samples = [a_sample(60.0 * n, parts=used) for n, used in enumerate(parts)]
        return trends.grown(trends.verdicts(samples))

    assert risen(70) == []
    assert len(risen(90)) == 1


# ── Load ────────────────────────────────────────────────────────────────────────────────


def test_rate_rises_while_queue_is_short_and_falls_when_it_is_long() -> None:
    control = LoadControl(rate=2.0)
    control.adapt(oldest=0, reached=2.0)
    assert control.rate == pytest.approx(2.1)
    control.adapt(oldest=3, reached=2.0)
    assert control.rate == pytest.approx(2.1)
    control.adapt(oldest=6, reached=2.0)
    assert control.rate == pytest.approx(1.575)


def test_rate_stays_after_a_cut_until_the_queue_is_short() -> None:
    """Otherwise the waiting work would cause one cut after the other, and an idle site."""
    control = LoadControl(rate=4.0)
    rates = []
    for _ in range(6):
        control.adapt(oldest=6, reached=4.0)
        rates.append(control.rate)
    assert rates == [3.0, 3.0, 3.0, 3.0, 2.25, 2.25]


def test_rate_does_not_rise_above_what_can_be_posted() -> None:
    control = LoadControl(rate=2.0)
    control.adapt(oldest=0, reached=1.0)
    assert control.rate == 2.0


@given(st.floats(0.5, 8))
def test_rate_converges_to_the_capacity_of_the_site(capacity: float) -> None:
    """The rate settles at what the site completes, and no step waits long."""
    control, waiting, rates, waits = LoadControl(), 0.0, [], []
    for _ in range(2_000):
        waiting = max(0.0, waiting + 5 * (control.rate - capacity))
        control.adapt(oldest=waiting / capacity, reached=control.rate)
        rates.append(control.rate)
        waits.append(waiting / capacity)
    assert 0.9 * capacity < sum(rates[500:]) / 1_500 < 1.1 * capacity
    assert max(waits[500:]) < 10


def test_quantile_returns_a_measured_value() -> None:
    assert summary.quantile([], 0.5) == 0.0
    assert summary.quantile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert summary.quantile(list(range(1, 101)), 0.99) == 99


# ── A whole soak ───────────────────────────────────────────────────────────────────────────


def test_messages_and_steps_left_in_queues_are_problems() -> None:
    empty = {"queue cpu": 0, "queue io": 0, "unacknowledged": 0, "states": {"succeeded": 8}}
    assert run.no_queue(empty) == []
    left = {**empty, "queue io": 2, "states": {"succeeded": 7, "retrying": 1}}
    assert run.no_queue(left) == ["2 messages left in queue io", "steps left: {'retrying': 1}"]


def test_short_soak_finds_no_problem_and_then_each_injected_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At the end a mail is doubled, an object removed and a receipt invented."""
    count, found = run.ends_well, []

    def count_and_spoil(stack: Stack, receipts: list[Receipt]) -> list[str]:
        found.append(count(stack, receipts))
        stack.smtp.accepted.append(stack.smtp.accepted[0])
        (stack.var / "archive" / "careers" / stack.object_keys()[0]).unlink()
        invented = Receipt(303, "/received/unknown-receipt/", 0.1, "eve@example.org")
        found.append(count(stack, [*receipts, invented]))
        return found[0]

    monkeypatch.setattr(run, "ends_well", count_and_spoil)
    result = run.soak("sqlite", 5, say=lambda line: None)
    assert result.problems == []
    assert result.posted >= 16
    assert set(summary.SHOWN) == set(result.samples[0].used["parts"])
    assert result.after["states"].keys() <= {"succeeded"}
    assert [problem.partition(":")[0] for problem in found[1]] == [
        "receipts without a row",
        "applications",
        "applicants with other than one mail",
        "mails accepted twice",
        "mails",
        "objects",
    ]


def test_documents_are_rendered_by_forked_children_and_counted(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "prove.soak"),
            *("--documents", "5", "--children", "2", "--life", "2", "--json", str(report)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(report.read_text())
    last = {sample["child"]: sample["documents"] for sample in found["samples"]}
    assert last == {1: 3, 2: 2}
    assert found["lives"] == 3
    assert found["problems"] == []
