"""Errors of effects contain only text that people may read."""

from __future__ import annotations

import sqlite3

import psycopg.errors
import pytest
from django.db import OperationalError

from careers.applications.errors import (
    EffectError,
    Misconfigured,
    Permanent,
    Transient,
    Uncertain,
    is_disk_full,
)


@pytest.mark.parametrize("kind", [Transient, Permanent, Misconfigured, Uncertain])
def test_error_has_its_code_and_public_text(kind: type[EffectError]) -> None:
    error = kind("smtp-busy", "The mail server is busy.", retry_after=60)
    assert (error.code, error.public, error.retry_after) == (
        "smtp-busy",
        "The mail server is busy.",
        60,
    )
    assert str(error) == "smtp-busy"


def test_full_disk_is_recognised_by_the_database_error() -> None:
    full = sqlite3.connect(":memory:")
    full.execute("CREATE TABLE notes (text)")
    full.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as caught:
        full.execute("INSERT INTO notes VALUES (zeroblob(100000))")
    full.close()
    assert is_disk_full(OperationalError(*caught.value.args))
    postgresql = OperationalError("could not extend file")
    postgresql.__cause__ = psycopg.errors.DiskFull()
    assert is_disk_full(postgresql)
    assert not is_disk_full(OperationalError("database is locked"))
