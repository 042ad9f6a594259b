"""Campaigns that are small enough for each run of the tests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prove.campaign import run_campaign
from prove.report import Report

#: The seed was chosen for many different faults.
SHORT: dict[str, Any] = {"seed": 7, "applications": 40, "faults": 16}
#: With workers that do not record the point of no return of a mail, and die.
SABOTAGED: dict[str, Any] = {
    "seed": 7,
    "applications": 20,
    "faults": 4,
    "celery_app": "prove.sabotaged",
    "only": {"mail_applicant: child dies after it", "mail_hr: worker dies after it"},
}


@dataclass(frozen=True)
class ShortCampaign:
    """The outcome of a campaign, and where its ledgers, rows and objects are."""

    report: Report
    directory: Path


def run(what: dict[str, Any], database: str, directory: Path, server: str) -> ShortCampaign:
    """Run one and keep its directory; ``what`` is ``SHORT`` or ``SABOTAGED``."""
    report = run_campaign(
        **what, database=database, directory=directory, server=server, preload=True
    )
    return ShortCampaign(report, directory)
