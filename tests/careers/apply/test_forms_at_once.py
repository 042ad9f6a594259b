"""How many forms are handled at the same time."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from careers.applications.models import Application
from careers.applications.networks import network_of
from careers.apply import views
from careersite import gunicorn
from tests.support.applying import JANE, send


def test_forms_leave_threads_to_pages() -> None:
    _running, places, of_one_sender = views.FORMS._limits
    assert of_one_sender < places < gunicorn.threads


def test_form_whose_turn_does_not_come_is_given_back_with_its_answers(
    client: Client, job: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PATIENCE", 0)
    with views.FORMS.taken_by(network_of("127.0.0.1")):
        response = send(client, job)
    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert JANE in response.content.decode()
    assert not Application.objects.exists()
    assert send(client, job).status_code == 303


def test_form_of_another_network_does_not_wait(client: Client, job: Any) -> None:
    with views.FORMS.taken_by(network_of("203.0.113.9")):
        assert send(client, job).status_code == 303
