"""What applicants were sent."""

from __future__ import annotations

from tests.support.stack import DONE, Receipt, Stack


def assert_mailed_once(site: Stack, receipts: list[Receipt]) -> None:
    """Assert that every step has succeeded and that each person got one receipt mail."""
    assert [site.states(receipt) for receipt in receipts] == [DONE] * len(receipts)
    assert [len(site.smtp.mails(to=receipt.email)) for receipt in receipts] == [1] * len(receipts)
    assert site.smtp.doubles() == []
