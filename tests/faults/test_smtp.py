"""Whatever the mail server does, each mail is sent once, refused in words, or said to be unclear.

What was sent stands in the mail server's own ledger.
"""

from __future__ import annotations

import pytest

from careers.pipeline.rate_limit import SILENCE
from tests.faults.wired import HR, MAIL_FATES, PASSWORD, USER, Storm, WiredSite
from tests.support.processes import until
from tests.support.stack import PLAIN_JOB, Receipt

#: The first test waits for the whole site and for the storm.
pytestmark = pytest.mark.timeout(900)

NO_ANSWER = "mail-unconfirmed"

#: By fate: how the receipt mail ends, and how often the server took it.
ENDS = {
    "well": ("succeeded", 1),
    "greylisted": ("succeeded", 1),
    "crowded": ("succeeded", 1),
    "unknown address": ("failed", 0),
    "closed in the message": ("uncertain", 0),
    "later after the dot": ("succeeded", 1),
    "refused after the dot": ("failed", 0),
    "silent after the dot": ("uncertain", 1),
    "closed after the dot": ("uncertain", 1),
    "silent at the end": ("succeeded", 1),
    "absurd at the end": ("succeeded", 1),
}
#: In these fates the server certainly has not taken the mail, and may another time.
NOT_YET = ("greylisted", "crowded", "later after the dot")


@pytest.mark.parametrize("fate", MAIL_FATES)
def test_receipt_ends_as_the_mail_server_said(wired: WiredSite, storm: Storm, fate: str) -> None:
    """A refusal is certain, silence after the dot is unclear, and the end of the conversation
    changes nothing any more. Only what was certainly not taken is tried again."""
    receipt = storm.mails[fate]
    step = wired.step(receipt, "mail_applicant")
    assert (step["state"], len(wired.smtp.mails(to=receipt.email))) == ENDS[fate]
    # Nothing is tried again behind a person's back; the server counts who was named to it.
    named = [said for said in wired.smtp.commands if receipt.email in said]
    assert len(named) == (2 if fate in NOT_YET else 1)
    assert ("retrying" in wired.history(step)) >= (fate in NOT_YET)


def test_nobody_is_mailed_twice_in_the_storm(wired: WiredSite, storm: Storm) -> None:
    assert wired.smtp.doubles() == []
    everybody = [*storm.mails.values(), *storm.files.values()]
    unclear = storm.mails["closed in the message"]
    refused = [storm.mails[name] for name in ("unknown address", "refused after the dot")]
    for receipt in everybody:
        assert storm.taken[(receipt.email,)] == (receipt not in (unclear, *refused))
    assert storm.taken[(HR,)] == len(everybody)


def test_what_the_mail_server_said_stands_in_the_panel(wired: WiredSite, storm: Storm) -> None:
    """In words, with the next action, and without the address."""
    refused, unclear = storm.mails["unknown address"], storm.mails["silent after the dot"]
    assert wired.step(refused, "mail_applicant")["error_public"] == (
        "The mail server refused the recipient’s address (550 5.1.1 <…>: User unknown). Correct "
        "the address, or contact the person in another way."
    )
    assert "(550 5.1.1 <…>: User unknown). Correct the address" in wired.page_of(refused)
    step = wired.step(unclear, "mail_applicant")
    assert step["error_code"] == NO_ANSWER
    page = wired.page_of(unclear)
    assert "Unconfirmed" in page
    assert "did not confirm it. Check the server" in page


def test_connections_that_lead_nowhere_delay_and_lose_nothing(storm: Storm) -> None:
    """No banner, “too busy”, one byte a second, “try again” at the first command: each of them
    met somebody, whose mail was sent once all the same."""
    for words in (
        "The mail server did not answer.",
        "The mail server accepts no more mails for now (421 4.3.2 Too busy).",
        "The other side was so slow that the step was stopped after 10 seconds.",
        "The mail server asked to try again later (451 4.3.0 Try again later).",
    ):
        assert words in "\n".join(again["reason"] for again in storm.tried_again)
    # Whoever was to meet another fate afterwards has met it; all the others were served.
    well = {storm.mails[fate].email for fate, end in ENDS.items() if end[0] == "succeeded"}
    well |= {receipt.email for receipt in storm.files.values()}
    states = {again["state"] for again in storm.tried_again if again["email"] in well}
    assert states == {"succeeded"}


def test_hr_address_that_is_refused_keeps_no_other_from_its_mail(wired: WiredSite) -> None:
    """One mail for each address: a server that takes one and refuses another is understood."""
    both = ["first@hr.example", "second@hr.example"]
    gone = "gone@hr.example"
    wired.smtp.fates[gone] = ["rcpt_550"]
    change = (
        "UPDATE careers_jobpage SET hr_recipients = %s WHERE page_ptr_id IN"
        " (SELECT id FROM wagtailcore_page WHERE slug = %s)"
    )
    wired.query(change, "\n".join([both[0], gone, both[1]]), PLAIN_JOB)
    try:
        receipt = wired.apply_to()
    finally:
        wired.query(change, HR, PLAIN_JOB)
    wired.wait_for_end([receipt], 120)
    by_recipient = {
        step["recipient"]: step["state"]
        for step in wired.steps(receipt)
        if step["kind"] == "mail_hr"
    }
    assert by_recipient == {both[0]: "succeeded", gone: "failed", both[1]: "succeeded"}
    assert [len(wired.smtp.mails(to=address)) for address in (*both, gone)] == [1, 1, 0]
    page = wired.page_of(receipt)
    assert "(550 5.1.1 <…>: User unknown)" in page
    assert gone in page


def settle(site: WiredSite, receipts: list[Receipt], code: str) -> None:
    """An operator mends the cause, then presses “Retry all” for both kinds of mail."""
    site.mend()
    for kind in ("mail_applicant", "mail_hr"):
        site.retry_all_like(kind, code)
    site.wait_for_end(receipts, 120)
    assert site.smtp.doubles() == []
    for receipt in receipts:
        assert set(site.states(receipt).values()) == {"succeeded"}
        assert len(site.smtp.mails(to=receipt.email)) == 1


def test_changed_password_keeps_every_mail_until_it_is_mended(wired: WiredSite) -> None:
    """A password that was changed there and not here fails no mail; one click sends each once."""
    wired.smtp.login = (USER, "another")
    receipts = [wired.apply_to() for _number in range(3)]
    for receipt in receipts:
        for kind in ("mail_applicant", "mail_hr"):
            step = wired.wait_for(receipt, kind, "mail-login")
            assert (step["error_class"], step["phase"]) == ("configuration", "")
    assert "EMAIL_HOST_PASSWORD" in wired.page_of(receipts[0])
    assert not any(wired.smtp.mails(to=receipt.email) for receipt in receipts)
    settle(wired, receipts, "mail-login")


def test_encryption_that_is_taken_out_on_the_way_sends_nothing_in_the_clear(
    wired: WiredSite,
) -> None:
    """Somebody between us and the server removes its offer of STARTTLS."""
    seen = len(wired.smtp.commands)
    wired.smtp.certificate = None
    receipts = [wired.apply_to()]
    for kind in ("mail_applicant", "mail_hr"):
        step = wired.wait_for(receipts[0], kind, "mail-tls")
        assert step["error_class"] == "configuration"
    told = {command.partition(" ")[0].upper() for command in wired.smtp.commands[seen:]}
    assert told <= {"EHLO", "QUIT"}
    settle(wired, receipts, "mail-tls")
    assert all(mail.encrypted for mail in wired.smtp.mails())
    assert PASSWORD not in wired.log_text()


def test_server_that_comes_back_with_a_limit_is_not_stormed(wired: WiredSite) -> None:
    """Mails have gathered while it was away, and it takes only a few in a moment: each is sent
    once, and between two refusals every worker leaves it in peace."""
    wired.smtp.refuse_connections()
    try:
        receipts = wired.apply_many(6)
        for receipt in receipts:
            wired.wait_for(receipt, "mail_applicant", "mail-unreachable")
    finally:
        wired.smtp.turned_away.clear()
        wired.smtp.allowance = (5, 6)
        wired.smtp.listen_again()
    seen = len(wired.smtp.accepted)
    until(lambda: len(wired.smtp.accepted) >= seen + 8, 120, "nobody came back after the refusal")
    refused = list(wired.smtp.turned_away)
    wired.smtp.allowance = None
    wired.wait_for_end(receipts, 120)
    assert wired.smtp.doubles() == []
    assert [len(wired.smtp.mails(to=receipt.email)) for receipt in receipts] == [1] * 6
    assert refused
    workers = 2
    for moment in refused:
        soon = moment + SILENCE.total_seconds()
        assert len([other for other in refused if moment <= other < soon]) <= workers
