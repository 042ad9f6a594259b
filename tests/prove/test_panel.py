"""The operator of the campaigns checks the mail server's log before they act."""

from __future__ import annotations

import pytest

from prove.panel import arrived

ADA = "6a4fbe0e-26b1-4d4c-9a0e-0d6a25b0a9c1"
LOG = [
    (f"receipt.{ADA}.0@example.org", ("ada@example.org",)),
    (f"hr.{ADA}.0123456789abcdef.1@example.org", ("crew@example.org",)),
]


@pytest.mark.parametrize(
    ("kind", "recipient", "sequence", "there"),
    [
        ("mail_applicant", "", 0, True),
        ("mail_applicant", "", 1, False),
        ("mail_hr", "crew@example.org", 1, True),
        ("mail_hr", "crew@example.org", 0, False),
        ("mail_hr", "jobs@example.org", 1, False),
    ],
)
def test_arrived_returns_whether_the_log_has_the_mail_of_the_step(
    kind: str, recipient: str, sequence: int, there: bool
) -> None:
    row = {
        "kind": kind,
        "recipient": recipient,
        "sequence": sequence,
        "public_id": ADA.replace("-", ""),
        "email": "ada@example.org",
    }
    assert arrived(row, LOG) is there
    assert not arrived({**row, "public_id": ADA[::-1].replace("-", "")}, LOG)
