"""Deadlines of tests grow with the load of the machine, and never shrink."""

from __future__ import annotations

import pytest

from tests.support import speed
from tests.support.processes import until


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A clock that only waiting moves, and a machine of any speed."""
    state = {"now": 1000.0, "factor": 1.0}

    def sleep(seconds: float) -> None:
        state["now"] += seconds

    def work() -> int:
        state["now"] += speed.REFERENCE * state["factor"]
        return 0

    monkeypatch.setattr("time.monotonic", lambda: state["now"])
    monkeypatch.setattr("time.perf_counter", lambda: state["now"])
    monkeypatch.setattr("time.sleep", sleep)
    monkeypatch.setattr(speed, "_work", work)
    monkeypatch.setattr(speed, "_measured", [])
    return state


@pytest.mark.parametrize(("factor", "expected"), [(0.5, 1.0), (1.0, 1.0), (4.0, 4.0), (99.0, 12.0)])
def test_slowness_is_at_least_one_and_has_a_limit(
    machine: dict[str, float], factor: float, expected: float
) -> None:
    machine["factor"] = factor
    assert speed.slowness() == pytest.approx(expected)


def test_slowness_is_measured_again_when_it_is_old(machine: dict[str, float]) -> None:
    assert speed.slowness() == pytest.approx(1)
    machine["factor"] = 5.0
    assert speed.slowness() == pytest.approx(1)
    machine["now"] += speed.FRESH + 0.1
    assert speed.slowness() == pytest.approx(3)
    machine["now"] += speed.FRESH + 0.1
    assert speed.slowness() == pytest.approx(5)


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_until_multiplies_its_time_limit_by_the_slowness(
    machine: dict[str, float], factor: float
) -> None:
    machine["factor"] = factor
    began = machine["now"]
    with pytest.raises(AssertionError, match="nothing came"):
        until(lambda: False, 60, "nothing came")
    assert machine["now"] - began == pytest.approx(60 * factor, rel=0.1)


def test_until_returns_at_once_when_the_condition_holds(machine: dict[str, float]) -> None:
    machine["factor"] = 8.0
    until(lambda: True, 60, "nothing came")
    assert machine["now"] == 1000.0
