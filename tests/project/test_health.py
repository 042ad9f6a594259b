"""Signs of life."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from careers.pipeline.models import StepKind

pytestmark = pytest.mark.django_db


def test_live_asks_nobody(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/health/live")
    assert (response.status_code, response.content) == (200, b"live\n")
    assert "no-store" in response["Cache-Control"]


def test_ready_tells_this_machine_of_the_pipeline(client: Client) -> None:
    facts = client.get("/health/ready", headers={"host": "localhost"}).json()
    assert facts["database"] is True
    assert set(facts["steps"]) == set(StepKind.values)


@pytest.mark.parametrize(
    "sender",
    [
        {"REMOTE_ADDR": "192.0.2.1", "headers": {"host": "localhost"}},
        {"headers": {"x-forwarded-for": "192.0.2.1", "host": "localhost"}},
        {},
    ],
)
def test_ready_tells_others_only_that_it_is(client: Client, sender: Any) -> None:
    assert client.get("/health/ready", **sender).json() == {"database": True}


def test_not_ready_without_the_database(client: Client) -> None:
    def broken(execute: Any, sql: str, *args: Any) -> Any:
        raise OperationalError("gone")

    with connection.execute_wrapper(broken):
        response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {"database": False, "error": "OperationalError"}


def test_readiness_does_not_need_workers_or_broker(client: Client) -> None:
    assert client.get("/health/ready").status_code == 200
