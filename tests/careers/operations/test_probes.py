"""Probes: what each service answers, and that a service that hangs delays no other."""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone, translation

from careers.operations import probes
from careers.operations.models import Finding, Severity
from careers.operations.probes import Probe, Prober, ask_once
from tests.support.processes import until
from tests.support.servers import (
    HOST,
    Clamd,
    HostileS3,
    HostileSMTP,
    close_archive,
    reserve_port,
)
from tests.support.speed import patient

FAULT = Finding(code="mail-login", severity=Severity.CRITICAL)
ADVICE = Finding(code="archive-overwrites", severity=Severity.ADVICE)


def codes(found: list[Finding]) -> list[str]:
    return [finding.code for finding in found]


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


# ── Running ─────────────────────────────────────────────────────────────────────────────


def test_answer_is_taken_at_a_later_update(prober: Callable[..., Prober]) -> None:
    one = prober(answers([FAULT]))
    one.update()
    until(lambda: one.update() or one.findings, 10, "no answer came")
    assert codes(one.findings) == ["mail-login"]
    assert one.answered


def test_code_from_two_probes_is_found_once(prober: Callable[..., Prober]) -> None:
    found = ask_once([answers([FAULT, ADVICE]), answers([ADVICE], name="archive")]).findings
    assert codes(found) == ["mail-login", "archive-overwrites"]


def test_update_does_not_wait_for_a_service_that_hangs(
    prober: Callable[..., Prober], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "PATIENCE", 1)
    one = prober(answers([], ask=lambda: time.sleep(60) or []))
    begun = time.monotonic()
    one.update()
    one.update()
    assert time.monotonic() - begun < patient(1)
    ((child, _pipe, _deadline),) = one._asking.values()
    until(lambda: one.update() or one.findings, 10, "it went on waiting")
    assert not Path(f"/proc/{child.pid}").exists()
    assert [(found.code, found.message) for found in one.findings] == [
        ("mail-unreachable", "The service “mail” did not answer in time.")
    ]


def test_probe_that_raises_reports_nothing(prober: Callable[..., Prober]) -> None:
    def fails() -> list[Finding]:
        raise KeyError("secret")

    assert ask_once([answers([], ask=fails)]).findings == []


def test_probe_runs_again_when_it_is_due(prober: Callable[..., Prober]) -> None:
    one = prober(
        answers([], ask=lambda: [Finding(code=str(time.monotonic()), severity="advice")], every=0.1)
    )
    until(lambda: one.update() or one.findings, 10, "no answer came")
    first = codes(one.findings)
    until(lambda: one.update() or codes(one.findings) != first, 10, "it was asked once only")


@pytest.mark.parametrize(("found", "pause"), [([], True), ([ADVICE], True), ([FAULT], False)])
def test_probe_without_interval_repeats_only_after_a_fault(
    found: list[Finding], pause: bool, prober: Callable[..., Prober]
) -> None:
    one = prober(answers(found, every=None))
    until(lambda: one.update() or one.answered, 10, "no answer came")
    assert (one._due["mail"] == float("inf")) is pause


def test_stopped_prober_leaves_no_child(prober: Callable[..., Prober]) -> None:
    one = prober(answers([], ask=lambda: time.sleep(60) or []))
    one.update()
    ((child, _pipe, _deadline),) = one._asking.values()
    one.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid or 0, 0)


# ── The probes ──────────────────────────────────────────────────────────────────────────


def test_mail_probe_sends_no_mail(settings: Any) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "ann", "right"
    with HostileSMTP() as smtp:
        settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.address
        assert probes.ask_mail() == []
        smtp.smtputf8 = False
        (advice,) = probes.ask_mail()
        smtp.mode = "auth_535"
        (found,) = probes.ask_mail()
        until(lambda: smtp.commands.count("QUIT") == 3, 5, "it did not say QUIT")
    assert (advice.code, advice.level) == ("mail-ascii-only", "note")
    assert "asks applicants with such an address for another one" in advice.message
    assert (found.code, found.level) == ("mail-login", "critical")
    assert "EMAIL_HOST_PASSWORD" in found.message
    assert smtp.accepted == []
    assert not any(command.startswith("MAIL") for command in smtp.commands)


def test_unreachable_mail_server_is_a_warning(settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", reserve_port()
    (found,) = probes.ask_mail()
    assert (found.code, found.level) == ("mail-unreachable", "warning")
    assert found.message == "The mail server did not answer. The site tries again."
    assert found.action == (
        "Check that it runs, EMAIL_HOST and EMAIL_PORT. Applications are stored and safe. The "
        "waiting work is done once this works again."
    )


def test_unreachable_mail_provider_is_reported_with_its_settings(settings: Any) -> None:
    settings.EMAIL_PROVIDER, settings.EMAIL_API_KEY = "resend", "key"
    settings.EMAIL_API_URL = f"http://127.0.0.1:{reserve_port()}/"
    (found,) = probes.ask_mail()
    assert (found.code, found.level) == ("mail-unreachable", "warning")
    assert found.message == "The mail provider did not answer. The site tries again."
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
def test_archive_that_refuses_access_is_reported_with_the_setting(
    mode: str, code: str, words: str, settings: Any
) -> None:
    with HostileS3(mode) as s3:
        settings.STORAGES = s3.storages()
        (found,) = probes.ask_archive()
        close_archive()
    assert found.code == code
    assert words in found.message


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("ok", []),
        ("ignores_conditions", ["archive-overwrites"]),
        ("refuses_conditions", ["archive-overwrites"]),
        ("denied", ["archive-forbidden"]),
    ],
)
def test_archive_that_overwrites_is_advice_and_the_test_object_is_deleted(
    mode: str, expected: list[str], settings: Any
) -> None:
    with HostileS3(mode) as s3:
        settings.STORAGES = s3.storages()
        assert codes(probes.ask_archive_conditions()) == expected
        close_archive()
    assert s3.objects == {}


def test_finding_about_different_clocks_names_both_times(settings: Any, time_machine: Any) -> None:
    with HostileS3() as s3:
        settings.STORAGES = s3.storages()
        assert probes.ask_archive() == []
        close_archive()
    hour = dt.timedelta(hours=1)
    (found,) = probes.clocks("database", dt.datetime.now(dt.UTC) + hour)
    assert found.code == "clock"
    assert found.message.count(":") == 4 + 1
    assert "the database" in found.message
    assert probes.clocks("database", dt.datetime.now(dt.UTC) + dt.timedelta(seconds=50)) == []


@pytest.mark.django_db
def test_database_probe_finds_nothing_wrong() -> None:
    assert probes.ask_database() == []


def test_finding_stores_no_rendered_text(settings: Any) -> None:
    """The process that probes has one language, the readers have several."""
    settings.EMAIL_HOST = ""
    with translation.override("fr"):
        (found,) = probes.ask_mail()
    assert found.facts["cause"] == {
        "sentence": "No mail server is configured. Set EMAIL_HOST to its name.",
        "values": {},
    }


# ── The virus scanner ───────────────────────────────────────────────────────────────────


def test_scanner_is_probed_only_where_one_is_configured(settings: Any, clamd: Clamd) -> None:
    assert probes.ask_scanner() == []
    assert "scanner" in [probe.name for probe in probes.all_probes()]
    settings.CLAMAV_URL = ""
    assert "scanner" not in [probe.name for probe in probes.all_probes()]


def test_unreachable_scanner_is_a_warning_with_the_setting(settings: Any) -> None:
    settings.CLAMAV_URL = f"tcp://{HOST}:{reserve_port()}"
    (finding,) = probes.ask_scanner()
    assert (finding.code, finding.severity) == ("scanner-unreachable", Severity.WARNING)
    assert "CLAMAV_URL" in finding.action


@pytest.mark.parametrize(("days", "found"), [(6, []), (7, ["scanner-outdated"]), (None, [])])
def test_old_signatures_are_a_warning(
    clamd: Clamd, monkeypatch: pytest.MonkeyPatch, days: int | None, found: list[str]
) -> None:
    made = None if days is None else timezone.now().date() - dt.timedelta(days=days)
    monkeypatch.setattr(probes.scanning, "database_date", lambda: made)
    assert codes(probes.ask_scanner()) == found
    assert all("freshclam" in finding.action for finding in probes.ask_scanner())
