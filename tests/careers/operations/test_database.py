"""The database's errors and migrations, as an operator reads about them."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from psycopg import OperationalError

from careers.operations import database, probes


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("app", "name", "newer"),
    [
        ("careers", "9999_of_next_year", ["careers.9999_of_next_year"]),
        ("careers", "0001_renamed", ["careers.0001_renamed"]),
        ("wagtailcore", "9999_of_next_year", ["wagtailcore.9999_of_next_year"]),
        # Squashed away by its package long ago.
        ("wagtailcore", "0002_initial_data", []),
        ("removed_app", "9999_whatever", []),
    ],
)
def test_newer_migrations_are_found(app: str, name: str, newer: list[str]) -> None:
    MigrationRecorder(connection).record_applied(app, name)
    assert database.newer_migrations() == newer
    assert [found.code for found in probes.ask_database()] == ["database-newer"] * bool(newer)


@pytest.mark.django_db
def test_migrate_refuses_a_newer_database() -> None:
    MigrationRecorder(connection).record_applied("careers", "9999_of_next_year")
    with pytest.raises(
        CommandError, match="A newer version of this site made the database"
    ) as caught:
        call_command("migrate", verbosity=0)
    assert caught.value.returncode == 2


@pytest.mark.parametrize(
    ("words", "code", "setting"),
    [
        ('FATAL:  password authentication failed for user "x"', "database-login", "password"),
        ('FATAL:  role "x" does not exist', "database-login", "user"),
        ('FATAL:  no pg_hba.conf entry for host "10.0.0.1"', "database-login", "pg_hba.conf"),
        ('FATAL:  database "x" does not exist', "database-missing", "its name"),
        ("SSL error: certificate verify failed", "database-tls", "sslrootcert"),
        ("server does not support SSL, but SSL was required", "database-tls", "sslmode"),
        ("failed to resolve host 'db': Name or service not known", "database-unreachable", "name"),
        ("connection to server failed: Connection refused", "database-unreachable", "port"),
        ("connection timeout expired", "database-unreachable", "in time"),
        ("unable to open database file", "database-unreachable", "path"),
        ("something else with a password=hush", "database-login", ""),
        ("something else", "database-unreachable", "log"),
    ],
)
def test_cause_of_a_database_error_names_the_setting(words: str, code: str, setting: str) -> None:
    found, sentence = database.cause(OperationalError(words))
    assert found == code
    assert setting in sentence
    assert "DATABASE_URL" in sentence
    assert "hush" not in sentence
