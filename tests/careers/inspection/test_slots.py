"""How many jobs run and wait at once."""

from __future__ import annotations

import threading

import pytest

from careers.inspection import Busy, Slots
from careers.inspection import slots as slots_module


def test_second_job_of_one_sender_waits_and_another_sender_does_not() -> None:
    slots = Slots(running=2, places=4, of_one_sender=4)
    with slots.taken_by("one"):
        with pytest.raises(Busy), slots.taken_by("one", patience=0):
            pass
        with slots.taken_by("other", patience=0):
            pass
    with slots.taken_by("one", patience=0):
        pass


def in_thread(slots: Slots, sender: str, results: list[str]) -> threading.Thread:
    """Start a job of a sender; note whether it got a slot."""

    def send() -> None:
        try:
            with slots.taken_by(sender):
                results.append("ran")
        except Busy:
            results.append("busy")

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_waiting_job_gets_the_slot_that_becomes_free() -> None:
    slots = Slots(running=1, places=2, of_one_sender=2)
    results: list[str] = []
    with slots.taken_by("one"):
        thread = in_thread(slots, "other", results)
        assert results == []
    thread.join()
    assert results == ["ran"]


LIMITS = [{"places": 1, "of_one_sender": 9}, {"places": 9, "of_one_sender": 1}]


@pytest.mark.parametrize("limits", LIMITS)
def test_job_beyond_the_places_is_refused_while_a_job_is_slow(
    limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots_module, "QUICK", 0.0)
    slots = Slots(running=1, **limits)
    with slots.taken_by("one"), pytest.raises(Busy), slots.taken_by("one", patience=3600):
        pass
    with slots.taken_by("one", patience=0):
        pass


@pytest.mark.parametrize("limits", LIMITS)
def test_job_beyond_the_places_waits_while_jobs_are_quick(
    limits: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots_module, "QUICK", 3600.0)
    monkeypatch.setattr(slots_module, "GRACE", 3600.0)
    slots = Slots(running=1, **limits)
    results: list[str] = []
    with slots.taken_by("one"):
        threads = [in_thread(slots, "one", results) for _job in range(8)]
        assert results == []
    for thread in threads:
        thread.join()
    assert results == ["ran"] * 8
