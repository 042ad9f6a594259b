"""Liveness and readiness."""

from __future__ import annotations

import shutil
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from careers.operations import database
from careers.pipeline import registry
from careersite import health

pytestmark = pytest.mark.django_db


def test_live_answers_without_a_query(client: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        response = client.get("/health/live")
    assert (response.status_code, response.content) == (200, b"live\n")
    assert "no-store" in response["Cache-Control"]


def test_ready_shows_the_pipeline_to_this_machine(client: Client) -> None:
    facts = client.get("/health/ready", headers={"host": "localhost"}).json()
    assert facts["database"] is True
    assert set(facts["steps"]) == set(registry.kinds())


@pytest.mark.parametrize(
    "sender",
    [
        {"REMOTE_ADDR": "192.0.2.1", "headers": {"host": "localhost"}},
        {"headers": {"x-forwarded-for": "192.0.2.1", "host": "localhost"}},
        {},
    ],
)
def test_ready_shows_only_the_database_to_other_machines(client: Client, sender: Any) -> None:
    assert client.get("/health/ready", **sender).json() == {"database": True}


def test_not_ready_without_the_database(client: Client) -> None:
    def broken(execute: Any, sql: str, *args: Any) -> Any:
        raise OperationalError("gone")

    with connection.execute_wrapper(broken):
        response = client.get("/health/ready")
    assert response.status_code == 503
    assert response.json() == {"database": False, "error": "OperationalError"}


@pytest.fixture
def newer_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """This code has a migration that the database lacks, and was just started."""
    known = database.MigrationRecorder.applied_migrations

    def applied(recorder: Any) -> Any:
        return {key: row for key, row in known(recorder).items() if key[1] != "0006_lineage"}

    monkeypatch.setattr(database.MigrationRecorder, "applied_migrations", applied)
    monkeypatch.setattr(health, "_lacking", None)


@pytest.mark.usefixtures("newer_code")
def test_not_ready_before_the_database_was_migrated(client: Client) -> None:
    response = client.get("/health/ready")
    assert (response.status_code, response.json()) == (
        503,
        {"database": True, "migrations": False},
    )
    here = client.get("/health/ready", headers={"host": "localhost"})
    assert here.status_code == 503
    assert here.json()["error"] == (
        "The database lacks careers.0006_lineage. Run manage.py migrate."
    )


def test_migrations_are_checked_until_they_are_there(
    client: Client, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_lacking", None)
    assert client.get("/health/ready").status_code == 200
    with django_assert_num_queries(1):
        assert client.get("/health/ready").status_code == 200


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("."))(total=10**12, used=10**12, free=0)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)


@pytest.mark.usefixtures("full_disk")
def test_not_ready_when_the_disk_of_the_database_is_full(client: Client) -> None:
    response = client.get("/health/ready")
    assert (response.status_code, response.json()) == (503, {"database": True, "disk": False})
    here = client.get("/health/ready", headers={"host": "localhost"})
    assert here.status_code == 503
    assert "disk-full" in {finding["code"] for finding in here.json()["findings"]}


@pytest.mark.usefixtures("full_disk")
def test_ready_when_the_disk_is_full_and_the_database_elsewhere(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = SimpleNamespace(vendor="postgresql", cursor=connection.cursor)
    monkeypatch.setattr(health, "connection", elsewhere)
    assert client.get("/health/ready").status_code == 200
    here = client.get("/health/ready", headers={"host": "localhost"})
    assert here.status_code == 200
    assert "disk-full" in {finding["code"] for finding in here.json()["findings"]}


def test_not_ready_while_the_process_is_about_to_stop(
    client: Client, django_assert_num_queries: Any
) -> None:
    health.stopping.set()
    try:
        with django_assert_num_queries(0):
            response = client.get("/health/ready")
        assert (response.status_code, response.json()) == (503, {"stopping": True})
        assert client.get("/health/live").status_code == 200
    finally:
        health.stopping.clear()


def test_readiness_does_not_need_workers_or_broker(client: Client) -> None:
    assert client.get("/health/ready").status_code == 200
