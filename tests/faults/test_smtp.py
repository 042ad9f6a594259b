"""Each mail is sent once, fails with the server's answer, or is shown as unconfirmed.

The tests read what was sent from the mail server's own ledger.
"""

from __future__ import annotations

import pytest

from careers.pipeline.rate_limit import SILENCE
from tests.support.processes import until
from tests.support.stack import PLAIN_JOB, Receipt
from tests.support.wired import HR, MAIL_FATES, PASSWORD, USER, Storm, WiredSite

#: The first test waits for the site to start and for all faults to happen.
pytestmark = pytest.mark.timeout(900)

NO_ANSWER = "mail-unconfirmed"

#: By fault: how the receipt mail ends, and how often the server accepted it.
ENDS = {
    "well": ("succeeded", 1),
    "greylisted": ("succeeded", 1),
    "crowded": ("succeeded", 1),
    "unknown address": ("failed", 0),
    "closed in the message": ("uncertain", 0),
    "deferred after the data": ("succeeded", 1),
    "refused after the data": ("failed", 0),
    "no answer after the data": ("uncertain", 1),
    "closed after the data": ("uncertain", 1),
    "silent at the end": ("succeeded", 1),
    "absurd at the end": ("succeeded", 1),
}
#: With these faults the server certainly has not accepted the mail, and may do so later.
NOT_YET = ("greylisted", "crowded", "deferred after the data")


@pytest.mark.parametrize("fate", MAIL_FATES)
def test_receipt_mail_ends_in_the_state_that_the_mail_server_answered(
    wired: WiredSite, storm: Storm, fate: str
) -> None:
    """A refusal is certain. No answer past the point of no return leaves the mail unconfirmed, and
    the end of the conversation changes nothing. Only mails that were certainly not accepted are
    retried.
    """
    receipt = storm.mails[fate]
    step = wired.step(receipt, "mail_applicant")
    assert (step["state"], len(wired.smtp.mails(to=receipt.email))) == ENDS[fate]
    # Nothing is retried without a person; the server's ledger has every RCPT.
    named = [said for said in wired.smtp.commands if receipt.email in said]
    assert len(named) == (2 if fate in NOT_YET else 1)
    assert ("retrying" in wired.history(step)) >= (fate in NOT_YET)


def test_no_recipient_is_mailed_twice_under_mail_server_errors(
    wired: WiredSite, storm: Storm
) -> None:
    assert wired.smtp.doubles() == []
    everyone = [*storm.mails.values(), *storm.files.values()]
    unclear = storm.mails["closed in the message"]
    refused = [storm.mails[name] for name in ("unknown address", "refused after the data")]
    for receipt in everyone:
        assert storm.taken[(receipt.email,)] == (receipt not in (unclear, *refused))
    assert storm.taken[(HR,)] == len(everyone)


def test_task_status_shows_the_answer_of_the_mail_server(wired: WiredSite, storm: Storm) -> None:
    """In words, with the next action, and without the address."""
    refused, unclear = storm.mails["unknown address"], storm.mails["no answer after the data"]
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


def test_mail_connections_that_fail_delay_mails_and_lose_none(storm: Storm) -> None:
    """No banner, “too busy”, one byte a second, “try again” at the first command: each met a mail,
    which was sent once all the same.
    """
    for words in (
        "The mail server did not answer.",
        "The mail server accepts no more mails for now (421 4.3.2 Too busy).",
        "A server that the step needs was so slow that the step was stopped after 10 seconds.",
        "The mail server asked to try again later (451 4.3.0 Try again later).",
    ):
        assert words in "\n".join(again["reason"] for again in storm.tried_again)
    # All later faults have happened too; all other mails were sent.
    well = {storm.mails[fate].email for fate, end in ENDS.items() if end[0] == "succeeded"}
    well |= {receipt.email for receipt in storm.files.values()}
    states = {again["state"] for again in storm.tried_again if again["email"] in well}
    assert states == {"succeeded"}


def test_refused_hr_address_does_not_stop_mails_to_other_addresses(wired: WiredSite) -> None:
    """Each address gets its own mail, so a server may accept one and refuse another."""
    both = ["first@hr.example", "second@hr.example"]
    gone = "gone@hr.example"
    wired.smtp.fates[gone] = ["rcpt_550"]
    change = (
        "UPDATE careers_jobpage SET hr_recipients = %s WHERE page_ptr_id IN"
        " (SELECT id FROM wagtailcore_page WHERE slug = %s)"
    )
    wired.change_content(change, "\n".join([both[0], gone, both[1]]), PLAIN_JOB)
    try:
        receipt = wired.apply_to()
    finally:
        wired.change_content(change, HR, PLAIN_JOB)
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
    """An operator corrects the cause, then presses “Retry all” for both kinds of mail."""
    site.mend()
    for kind in ("mail_applicant", "mail_hr"):
        site.retry_all_like(kind, code)
    site.wait_for_end(receipts, 120)
    assert site.smtp.doubles() == []
    for receipt in receipts:
        assert set(site.states(receipt).values()) == {"succeeded"}
        assert len(site.smtp.mails(to=receipt.email)) == 1


def test_changed_mail_password_keeps_every_mail_until_it_is_corrected(wired: WiredSite) -> None:
    """A password that was changed only on the server fails no mail; one click sends each once."""
    wired.smtp.login = (USER, "another")
    receipts = [wired.apply_to() for _number in range(3)]
    for receipt in receipts:
        for kind in ("mail_applicant", "mail_hr"):
            step = wired.wait_for(receipt, kind, "mail-login")
            assert (step["error_class"], step["phase"]) == ("configuration", "")
    assert "EMAIL_HOST_PASSWORD" in wired.page_of(receipts[0])
    assert not any(wired.smtp.mails(to=receipt.email) for receipt in receipts)
    settle(wired, receipts, "mail-login")


def test_stripped_starttls_sends_nothing_unencrypted(
    wired: WiredSite,
) -> None:
    """An attacker between the site and the server removes its offer of STARTTLS."""
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


def test_mail_server_with_a_limit_is_not_overloaded_after_an_outage(wired: WiredSite) -> None:
    """Mails have queued during an outage, and the server accepts only a few at a time: each is
    sent once, and after a refusal every worker pauses.
    """
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
    until(
        lambda: len(wired.smtp.accepted) >= seen + 8, 120, "no worker tried again after the refusal"
    )
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
