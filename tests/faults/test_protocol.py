"""What browsers, phones and caches do with a form: one application each, without long waits."""

from __future__ import annotations

import re
import secrets
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tests.support.faulty_site import FaultySite
from tests.support.own_server import OwnServer
from tests.support.processes import until
from tests.support.servers import HOST
from tests.support.stack import Receipt, Stack, a_cv, multipart

#: The first test of a run makes the database that all sites start from.
pytestmark = pytest.mark.timeout(900)
PATIENCE = 180  # seconds; ends a hang
MEGABYTE = 1_000_000


@pytest.fixture(params=["sqlite", "postgresql"])
def site(request: pytest.FixtureRequest) -> Stack:
    """A site whose every part runs, on either database."""
    if request.param == "sqlite":
        faulty: FaultySite = request.getfixturevalue("faulty")
        return faulty.stack
    own: OwnServer = request.getfixturevalue("own_server")
    return own


def applications(site: Stack, email: str) -> list[str]:
    """The receipts of one person's applications, oldest first."""
    rows = site.query(
        "SELECT receipt_secret FROM careers_application WHERE email = %s ORDER BY id", email
    )
    return [row["receipt_secret"] for row in rows]


def count(site: Stack) -> int:
    (row,) = site.query("SELECT count(*) AS n FROM careers_application")
    return int(row["n"])


def leave_the_rest(site: Stack) -> None:
    """Cancel the remaining steps; they show nothing more."""
    site.query(
        "UPDATE careers_step SET state = 'cancelled' WHERE state IN ('queued', 'waiting', 'sent')"
    )


# ── Clicks ──────────────────────────────────────────────────────────────────────────────


def test_double_clicks_of_many_applicants_make_one_application_each(site: Stack) -> None:
    """Twenty people send the same form twice at the same moment: both answers lead to the same
    receipt, there is one application, and one mail about it.
    """
    site.form_address()
    people = [(f"{secrets.token_hex(4)}@example.org", a_cv(str(n))) for n in range(20)]
    answers: list[list[Receipt]] = []

    with ThreadPoolExecutor(2) as hands:
        for email, cv in people:
            together = Barrier(2)

            def click(email: str = email, cv: bytes = cv, both: Barrier = together) -> Receipt:
                both.wait()
                return site.apply(email=email, cv=cv)

            answers.append([click.result() for click in [hands.submit(click) for _ in range(2)]])
    for (email, _cv), clicks in zip(people, answers, strict=True):
        assert [click.status for click in clicks] == [303, 303]
        assert {click.secret for click in clicks} == set(applications(site, email))
        assert len(applications(site, email)) == 1
    mailed = {"succeeded": len(people)}
    until(
        lambda: site.counts(clicks[0] for clicks in answers)["mail_applicant"] == mailed,
        PATIENCE,
        "an applicant got no mail",
    )
    assert [len(site.smtp.mails(to=email)) for email, _cv in people] == [1] * len(people)
    leave_the_rest(site)


def test_form_edited_and_sent_again_makes_a_second_application(site: Stack) -> None:
    """Back in the browser, one answer changed, sent again: both are kept, each with its own
    receipt. Sending the first form once more leads to the first receipt.
    """
    email, cv = f"{secrets.token_hex(4)}@example.org", a_cv("Back")
    first = site.apply(email=email, cv=cv, phone="+47 22 00 00 01")
    edited = site.apply(email=email, cv=cv, phone="+47 22 00 00 02")
    again = site.apply(email=email, cv=cv, phone="+47 22 00 00 01")
    assert applications(site, email) == [first.secret, edited.secret]
    assert again.secret == first.secret


def test_one_cached_page_serves_two_people_without_cookies(faulty: FaultySite) -> None:
    """Two people get the same bytes from a cache and send the form without cookies and JavaScript:
    two applications, and neither answer shows the other person.
    """
    site = faulty.stack
    status, headers, page = site.get("/careers/production-planner/")
    assert (status, "Set-Cookie" in headers) == (200, False)
    found = re.search(rb'action="(/apply/[^"#]+)', page)
    assert found
    answers = []
    for name in ("Ada One", "Berit Two"):
        email = f"{secrets.token_hex(4)}@example.org"
        hidden = re.findall(rb'type="hidden" name="([^"]+)" value="([^"]*)"', page)
        fields = {key.decode(): value.decode() for key, value in hidden}
        answers.append(site.apply(name=name, email=email, **fields))
    assert [answer.status for answer in answers] == [303, 303]
    assert answers[0].secret != answers[1].secret
    assert b"Ada One" not in site.get(answers[1].location)[2]


# ── Bodies ──────────────────────────────────────────────────────────────────────────────


def head(site: Stack, length: int, content_type: str) -> bytes:
    lines = [
        f"POST {site.form_address()} HTTP/1.1",
        f"Host: {HOST}:{site.port}",
        f"Origin: {site.url}",
        f"Content-Type: {content_type}",
        f"Content-Length: {length}",
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def test_interrupted_upload_leaves_no_rows_and_no_files(faulty: FaultySite) -> None:
    """Connections break after half of the CV, more often than the web server has threads: there is
    no row and no kept file, and the next form is accepted.
    """
    site = faulty.stack
    kept = "SELECT count(*) AS n FROM careers_pendingupload"
    before, files = count(site), site.query(kept)
    fields = {"name": "Ada Cut", "email": "cut@example.org"}
    body, content_type = multipart(fields, {"cv": ("CV.pdf", a_cv("Cut", size=4 * MEGABYTE))})
    for _ in range(34):
        with socket.create_connection((HOST, site.port), PATIENCE) as connection:
            connection.sendall(head(site, len(body), content_type) + body[: len(body) // 2])
    assert site.apply().status == 303
    assert count(site) == before + 1
    assert applications(site, "cut@example.org") == []
    assert site.query(kept) == files


def memory_peaks(site: Stack) -> list[int]:
    """The peak memory in bytes of each web process since the last call (proc(5))."""
    peaks = []
    for pid in site["web"].children():
        status = Path(f"/proc/{pid}/status").read_text()
        (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", status)
        peaks.append(int(kilobytes) * 1024)
        Path(f"/proc/{pid}/clear_refs").write_text("5")
    return peaks


def test_twenty_large_uploads_at_once_take_bounded_memory(faulty: FaultySite) -> None:
    """Twenty people send 10 MB at the same moment. All are accepted, those who are told to try
    again at a later attempt. The memory of a web process grows with its sixteen threads and not
    with the number of people: each thread holds a form and the database driver's copy of its file,
    and the two forms that run are copied up to four times.
    """
    site = faulty.stack
    size = 10 * MEGABYTE
    site.apply(cv=a_cv("Warm", size=size - 1000))
    memory_peaks(site)
    before = memory_peaks(site)
    people = [
        (f"{secrets.token_hex(4)}@example.org", a_cv(str(number), size=size - 1000))
        for number in range(20)
    ]

    def send(email: str, cv: bytes) -> Receipt:
        receipts = [site.apply(email=email, cv=cv)]
        while receipts[-1].status == 503 and len(receipts) < 20:
            time.sleep(1)
            receipts.append(site.apply(email=email, cv=cv))
        return receipts[-1]

    with ThreadPoolExecutor(20) as pool:
        receipts = list(pool.map(lambda person: send(*person), people))
    after = memory_peaks(site)
    assert [receipt.status for receipt in receipts] == [303] * 20
    assert [applications(site, email) for email, _cv in people] == [[r.secret] for r in receipts]
    grown = [high - low for high, low in zip(after, before, strict=True)]
    assert max(grown) < (16 * 2 + 2 * 4) * size
    leave_the_rest(site)
