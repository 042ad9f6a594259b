"""``bin/prove``, shortened: both databases, a fixed seed, and what its exit code says."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prove import __main__ as command
from prove import injection
from prove.forms import forms
from prove.report import Report, complaints, table, write_docs
from tests.support.short_campaign import SHORT, ShortCampaign
from tests.support.stack import ROOT


@pytest.mark.parametrize("database", command.DATABASES)
@pytest.mark.timeout(1200)
def test_short_campaign_loses_and_doubles_nothing(
    short_campaigns: dict[str, ShortCampaign],
    database: str,
    record_property: Callable[[str, object], None],
) -> None:
    """Forty people apply while workers, web, Redis, S3, mail and database break."""
    report = short_campaigns[database].report
    record_property("table", "\n".join(table([report])))
    assert complaints(report) == []
    assert report.ok
    # What somebody else sends again is an application of its own.
    repetitions = report.found.counts["sent again"]
    assert repetitions
    assert report.found.counts["applications"] == SHORT["applications"] + repetitions
    assert report.found.counts["receipts"] >= SHORT["applications"]
    assert report.found.counts["samples of the panel"] >= 2
    assert report.posted == SHORT["applications"]
    # Some wait for a moment that never comes, and more of them on a busy machine.
    assert report.faults.total() >= SHORT["faults"] // 2
    assert report.found.doubtful < 0.5


@pytest.mark.timeout(1200)
def test_campaign_without_point_of_no_return_fails(
    short_campaigns: dict[str, ShortCampaign],
) -> None:
    """Workers die after a mail was sent, and no row records that they had begun."""
    report = short_campaigns["sabotaged"].report
    assert report.faults
    assert report.found.red["twice"]
    assert not report.ok


def test_campaign_with_too_few_applications_or_faults_fails() -> None:
    def report(**facts: Any) -> Report:
        given = {"posted": 10, "faults": Counter({"redis: FLUSHALL": 6})} | facts
        return Report("sqlite", 1, 10, {}, **given)

    assert report(missed=Counter({"s3: 500": 4})).ok
    for facts, reason in (
        ({"posted": 9}, "only 9 of 10 applications were posted"),
        ({"missed": Counter({"s3: 500": 5})}, "only 6 of 11 planned faults happened"),
        ({"untried": Counter({"s3: 500": 1})}, "1 planned faults were never tried"),
        ({"broken": ["application 3: KeyError: 1"]}, "application 3: KeyError: 1"),
    ):
        short = report(**facts)
        assert not short.ok
        assert complaints(short) == [f"sqlite: it proves too little: {reason}"]


def test_same_seed_gives_same_plan() -> None:
    plan = list(command.plan_lines(5, 60, 120, "postgresql"))
    assert plan == list(command.plan_lines(5, 60, 120, "postgresql"))
    assert plan != list(command.plan_lines(6, 60, 120, "postgresql"))
    assert plan[1:] != list(command.plan_lines(5, 60, 120, "sqlite"))[1:]


@pytest.mark.parametrize("database", command.DATABASES)
def test_full_campaign_plans_every_kind_of_fault(database: str) -> None:
    """250 faults in 2000 applications: every kind, and none at either end."""
    planned = injection.faults(1, 250, 2000, database=database)
    known = {
        name
        for name, kind in injection.KINDS.items()
        if kind.needs in ("", "scanner", database)
        or (kind.needs == "server" and database == "postgresql")
    }
    assert {fault.kind for fault in planned} == known
    assert len(known) > 25
    assert [fault.at for fault in planned] == sorted(fault.at for fault in planned)
    assert planned[0].at >= 100
    assert planned[-1].at <= 1900


def test_every_application_has_content_of_its_own() -> None:
    people = list(forms(3, 300))
    assert len({form.letter for form in people}) == len({form.paper for form in people}) == 300
    assert len({form.answers["why"] for form in people}) == 300
    assert {form.language for form in people} == {"en", "fr"}
    assert len({(form.email, form.phone, form.cv) for form in people}) == 300
    assert len({form.cv for form in people}) == 300
    # Some people apply twice.
    assert len({form.email for form in people}) < 300
    assert {form.manner for form in people} == {
        "once",
        "twice at once",
        "answer lost",
        "upload cut",
        "sent by another",
    }
    # With and without JavaScript, and nobody has another person's key.
    keys = [sender.key for form in people for sender in (form.sender, form.other)]
    assert "" in keys
    assert len(set(keys) - {""}) == len(keys) - keys.count("") > 300


@pytest.fixture
def outcome(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """The outcome of the campaign that the command runs."""
    wanted: dict[str, Any] = {"red": {}}

    def run_campaign(**given: Any) -> Report:
        if "error" in wanted:
            raise wanted["error"]
        count = given["applications"]
        report = Report(given["database"], given["seed"], count, {}, posted=count)
        report.faults["redis: FLUSHALL"] = 3
        report.found.counts["mails"] = 7
        report.found.red.update(wanted["red"])
        return report

    monkeypatch.setattr(command, "run_campaign", run_campaign)
    monkeypatch.setattr(command, "_prepare", lambda databases: None)
    return wanted


def test_exit_code_is_0_green_1_red_2_not_run(
    outcome: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written_to = tmp_path / "outcome.json"
    assert command.main(["--applications", "1", "--json", str(written_to)]) == 0
    written = json.loads(written_to.read_text())
    assert [report["ok"] for report in written] == [True, True]
    assert written[0]["faults"] == {"redis: FLUSHALL": 3}
    assert written[0]["found"]["counts"] == {"mails": 7}
    outcome["red"] = {"twice": ["the mail of step 7 was accepted 2 times"]}
    assert command.main(["--applications", "1", "--database", "sqlite"]) == 1
    assert "the mail of step 7" in capsys.readouterr().err
    outcome["error"] = OSError("no disk")
    assert command.main(["--applications", "1"]) == 2
    assert "no disk" in capsys.readouterr().err


def test_write_docs_replaces_the_earlier_outcome(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    places = [tmp_path / "docs" / "reliability.md", tmp_path / "README.md"]
    for place in places:
        place.write_text(
            "Before.\n<!-- bin/prove writes from here -->\nold\n<!-- to here -->\nAfter.\n"
        )
    reports = []
    for database in command.DATABASES:
        versions = {"Python": "3.11"}
        report = Report(database, 1, 2000, versions, posted=2000, at="2026-11-22")
        report.faults["redis: FLUSHALL"] = 3
        report.found.unconfirmed["worker io: frozen"] = 2
        reports.append(report)
    for _time in range(2):
        write_docs(reports, tmp_path)
    docs, readme = (place.read_text() for place in places)
    assert "old" not in docs + readme
    assert docs.startswith("Before.\n")
    assert docs.endswith("<!-- to here -->\nAfter.\n")
    assert "| |sqlite|postgresql|" in docs
    assert "|redis: FLUSHALL|3|3|" in docs
    assert "4,000 applications under 6 faults of 1 kinds; 0 lost" in " ".join(readme.split())
    places[1].write_text("No marks.")
    with pytest.raises(ValueError, match=r"README\.md"):
        write_docs(reports, tmp_path)


def test_docs_have_a_place_for_the_outcome() -> None:
    for name in ("docs/reliability.md", "README.md"):
        text = (ROOT / name).read_text("utf-8")
        assert text.count("<!-- bin/prove writes from here -->") == 1
