"""The sweeper asks the services; what is wrong is named, and nobody waits for the answer."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from psycopg import OperationalError

from careers.operations import probes
from careers.operations.health import Finding
from careers.operations.probes import Probe, Prober, ask_once
from tests.support.processes import until
from tests.support.servers import HostileS3, HostileSMTP, close_archive, reserve_port
from tests.support.speed import patient

FAULT = Finding("mail-login", "critical", "It refused the login.")
NOTE = Finding("archive-overwrites", "note", "It would overwrite.")


@pytest.fixture(autouse=True)
def _connections_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own transaction lives in the connection that a prober closes."""
    monkeypatch.setattr(probes.connections, "close_all", lambda: None)


@pytest.fixture
def prober() -> Iterator[Callable[..., Prober]]:
    """Makes probers; their children end with the test."""
    made: list[Prober] = []

    def make(*asked: Probe) -> Prober:
        made.append(Prober(asked))
        return made[-1]

    yield make
    for one in made:
        one.stop()


def answers(found: list[Finding], **more: Any) -> Probe:
    return Probe(
        **{"name": "mail", "ask": lambda: found, "silent": "mail-unreachable", "every": 60, **more}
    )


# ── Asking ──────────────────────────────────────────────────────────────────────────────


def test_answer_is_there_at_a_later_look(prober: Callable[..., Prober]) -> None:
    one = prober(answers([FAULT]))
    one.look()
    until(lambda: one.look() or one.findings, 10, "no answer came")
    assert one.findings == [FAULT]
    assert one.answered


def test_code_that_two_questions_find_is_told_once(prober: Callable[..., Prober]) -> None:
    found = ask_once([answers([FAULT, NOTE]), answers([NOTE], name="archive")]).findings
    assert found == [FAULT, NOTE]


def test_looking_never_waits_for_who_hangs(
    prober: Callable[..., Prober], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "PATIENCE", 1)
    one = prober(answers([], ask=lambda: time.sleep(60) or []))
    begun = time.monotonic()
    one.look()
    one.look()
    assert time.monotonic() - begun < patient(1)
    ((child, _pipe, _deadline),) = one._asking.values()
    until(lambda: one.look() or one.findings, 10, "it went on waiting")
    assert not Path(f"/proc/{child.pid}").exists()
    assert [(found.code, found.message) for found in one.findings] == [
        ("mail-unreachable", "Nothing came back from the service “mail” in time.")
    ]


def test_mistake_of_ours_is_no_fault_of_the_service(prober: Callable[..., Prober]) -> None:
    def fails() -> list[Finding]:
        raise KeyError("secret")

    assert ask_once([answers([], ask=fails)]).findings == []


def test_question_is_asked_again_when_it_is_due(prober: Callable[..., Prober]) -> None:
    one = prober(answers([], ask=lambda: [Finding(str(time.monotonic()), "note", "")], every=0.1))
    until(lambda: one.look() or one.findings, 10, "no answer came")
    first = one.findings
    until(lambda: one.look() or one.findings != first, 10, "it was asked once only")


@pytest.mark.parametrize(("found", "pause"), [([], True), ([NOTE], True), ([FAULT], False)])
def test_question_for_good_is_repeated_only_after_a_fault(
    found: list[Finding], pause: bool, prober: Callable[..., Prober]
) -> None:
    one = prober(answers(found, every=None))
    until(lambda: one.look() or one.answered, 10, "no answer came")
    assert (one._due["mail"] == float("inf")) is pause


def test_stopped_prober_leaves_no_child(prober: Callable[..., Prober]) -> None:
    one = prober(answers([], ask=lambda: time.sleep(60) or []))
    one.look()
    ((child, _pipe, _deadline),) = one._asking.values()
    one.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid or 0, 0)


# ── Questions ───────────────────────────────────────────────────────────────────────────


def test_mail_server_is_asked_without_sending_anything(settings: Any) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "ann", "right"
    with HostileSMTP() as smtp:
        settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.address
        assert probes.ask_mail() == []
        smtp.mode = "auth_535"
        (found,) = probes.ask_mail()
        until(lambda: smtp.commands.count("QUIT") == 2, 5, "it did not say QUIT")
    assert (found.code, found.level) == ("mail-login", "critical")
    assert "EMAIL_HOST_PASSWORD" in found.message
    assert smtp.accepted == []
    assert not any(command.startswith("MAIL") for command in smtp.commands)


def test_mail_server_that_is_away_is_a_warning(settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", reserve_port()
    assert probes.ask_mail() == [
        Finding(
            "mail-unreachable",
            "warning",
            "The mail server did not answer. It will be tried again.",
            "Check that it runs, EMAIL_HOST and EMAIL_PORT. Applications are stored and safe; what "
            "waits is done once this works.",
        )
    ]


def test_mail_provider_that_is_away_is_named_with_its_settings(settings: Any) -> None:
    settings.EMAIL_PROVIDER, settings.EMAIL_API_KEY = "resend", "key"
    settings.EMAIL_API_URL = f"http://127.0.0.1:{reserve_port()}/"
    (found,) = probes.ask_mail()
    assert (found.code, found.level) == ("mail-unreachable", "warning")
    assert found.message == "The mail provider did not answer. It will be tried again."
    assert found.action.startswith("Check EMAIL_PROVIDER and EMAIL_API_URL.")


@pytest.mark.parametrize(
    ("mode", "code", "words"),
    [
        ("bad_key", "archive-key", "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."),
        ("wrong_region", "archive-region", "in the region “eu-north-1”. Write it into AWS_S3_"),
        ("no_bucket", "archive-bucket", "has no bucket “careers-test”"),
        ("denied", "archive-forbidden", "refused access to the bucket “careers-test”"),
        ("wrong_clock", "archive-clock", "the clocks differ: here it is 20"),
        ("error_500", "archive-unavailable", "had an internal error."),
    ],
)
def test_archive_that_refuses_says_which_setting(
    mode: str, code: str, words: str, settings: Any
) -> None:
    with HostileS3(mode) as s3:
        settings.STORAGES = s3.storages()
        (found,) = probes.ask_archive()
        close_archive()
    assert found.code == code
    assert words in found.message


@pytest.mark.parametrize(
    ("mode", "codes"),
    [
        ("ok", []),
        ("ignores_conditions", ["archive-overwrites"]),
        ("refuses_conditions", ["archive-overwrites"]),
        ("denied", ["archive-forbidden"]),
    ],
)
def test_archive_that_would_overwrite_is_noted_and_nothing_is_left(
    mode: str, codes: list[str], settings: Any
) -> None:
    with HostileS3(mode) as s3:
        settings.STORAGES = s3.storages()
        assert [found.code for found in probes.ask_archive_conditions()] == codes
        close_archive()
    assert s3.objects == {}


def test_clocks_that_differ_are_both_told(settings: Any, time_machine: Any) -> None:
    with HostileS3() as s3:
        settings.STORAGES = s3.storages()
        assert probes.ask_archive() == []
        close_archive()
    hour = dt.timedelta(hours=1)
    (found,) = probes._clock("the database", dt.datetime.now(dt.UTC) + hour)
    assert found.code == "clock"
    assert found.message.count(":") == 4 + 1
    assert probes._clock("the database", dt.datetime.now(dt.UTC) + dt.timedelta(seconds=50)) == []


@pytest.mark.django_db
def test_database_of_this_version_is_well() -> None:
    assert probes.ask_database() == []


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
def test_database_of_a_newer_version_is_named(app: str, name: str, newer: list[str]) -> None:
    MigrationRecorder(connection).record_applied(app, name)
    assert probes.newer_migrations() == newer
    assert [found.code for found in probes.ask_database()] == ["database-newer"] * bool(newer)


@pytest.mark.django_db
def test_older_code_does_not_migrate_a_newer_database() -> None:
    MigrationRecorder(connection).record_applied("careers", "9999_of_next_year")
    with pytest.raises(CommandError, match="made by a newer version of this site") as caught:
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
def test_database_that_refuses_says_what_to_correct(words: str, code: str, setting: str) -> None:
    found, sentence = probes.database_cause(OperationalError(words))
    assert found == code
    assert setting in sentence
    assert "DATABASE_URL" in sentence
    assert "hush" not in sentence
