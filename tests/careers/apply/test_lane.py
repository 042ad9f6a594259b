"""How many forms are handled at the same time."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.test import Client

from careers.applications.models import Application
from careers.apply import lane
from careersite import gunicorn
from tests.support.applying import JANE, send


@pytest.fixture(autouse=True)
def one_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """One form at a time; others do not wait for long."""
    monkeypatch.setattr(lane, "_turns", threading.BoundedSemaphore(1))
    monkeypatch.setattr(lane, "PATIENCE", 0.01)


def test_forms_leave_threads_to_pages() -> None:
    assert gunicorn.threads >= 4 * lane.AT_ONCE


def test_form_whose_turn_does_not_come_is_given_back_with_its_answers(
    client: Client, job: Any
) -> None:
    with lane.turn():
        response = send(client, job)
    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert JANE in response.content.decode()
    assert not Application.objects.exists()
    assert send(client, job).status_code == 303


def test_turn_ends_when_the_form_fails() -> None:
    with pytest.raises(ValueError, match="broken"), lane.turn():
        raise ValueError("broken")
    with lane.turn():
        pass


def test_second_turn_waits_for_the_first() -> None:
    with lane.turn(), pytest.raises(lane.Busy), lane.turn():
        pass
    with lane.turn():
        pass
