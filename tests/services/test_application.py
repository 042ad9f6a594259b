"""One application, processed by the real worker, broker, bucket and mail server."""

from __future__ import annotations

import email
import email.policy
import io
import json
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage

from pypdf import PdfReader

from tests.support.databases import ON_SQLITE
from tests.support.servers import AcceptedMail
from tests.support.stack import DONE, Stack, a_cv, sha256


def parsed(mail: AcceptedMail) -> EmailMessage:
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


def test_application_ends_with_all_steps_done_and_all_files_archived(site: Stack) -> None:
    cv = a_cv("My life")
    receipt = site.apply(name="Søren Ødegård", phone="+47 55 12 34 56", cv=cv)
    assert receipt.status == 303

    site.wait_for_end([receipt])

    assert site.states(receipt) == DONE
    assert {step["attempts"] for step in site.steps(receipt)} == {1}
    files = {file["kind"]: file for file in site.files(receipt)}
    assert set(files) == {"cv", "pdf", "manifest"}
    assert all(file["stored"] is None for file in files.values()), "bytes stay in the database"
    objects = {kind: site.object(file["object_key"]) for kind, file in files.items()}
    assert objects["cv"] == cv
    for kind, content in objects.items():
        assert sha256(content) == files[kind]["sha256"]
        assert files[kind]["verified_at"]
    manifest = json.loads(objects["manifest"])
    for kind in ("cv", "pdf"):
        assert files[kind]["sha256"] in json.dumps(manifest)
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(objects["pdf"])).pages)
    assert "Søren Ødegård" in text
    assert site.application(receipt)["reference"] in text


def test_application_sends_one_mail_to_applicant_and_one_to_hr(site: Stack) -> None:
    receipt = site.apply(name="Ngozi Okafor")
    site.wait_for_end([receipt])
    application = site.application(receipt)
    public_id = str(application["public_id"]).replace("-", "")

    (to_applicant,) = site.smtp.mails(to=receipt.email)
    of_application = [
        mail for mail in site.smtp.mails() if public_id in mail.message_id.replace("-", "")
    ]
    assert len(of_application) == 2
    (to_hr,) = [mail for mail in of_application if mail is not to_applicant]
    assert all(len(mail.recipients) == 1 for mail in of_application)
    # The Message-ID is computed from the row alone, so a repetition has the same one.
    assert to_applicant.message_id.strip().startswith("<receipt.")
    assert to_applicant.message_id.strip().endswith(".0@tidewater.test>")
    for mail, kind in ((to_applicant, "mail_applicant"), (to_hr, "mail_hr")):
        assert (
            mail.message_id.strip() in json.dumps(site.step(receipt, kind)["result"])
            or mail.message_id.strip() in site.step(receipt, kind)["result"]
        )
        assert parsed(mail)["Auto-Submitted"] == "auto-generated"
    assert application["reference"] in str(parsed(to_hr)["Subject"]) + str(
        parsed(to_hr).get_body(("plain",))
    )


@ON_SQLITE
def test_receipt_page_is_served_and_not_cached(site: Stack) -> None:
    receipt = site.apply(name="Ngozi Okafor")
    status, headers, body = site.get(receipt.location)
    assert status == 200
    assert "no-store" in headers["Cache-Control"]
    assert site.application(receipt)["reference"].encode() in body


def test_same_content_sent_twice_at_once_is_one_application(site: Stack) -> None:
    cv = a_cv("Twice")
    site.form_address()
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda _n: site.apply(email="twice@example.org", cv=cv), range(8)))

    assert {receipt.status for receipt in receipts} == {303}
    assert len({receipt.location for receipt in receipts}) == 1
    rows = site.query("SELECT id FROM careers_application WHERE email = %s", "twice@example.org")
    assert len(rows) == 1
    site.wait_for_end(receipts[:1])
    assert site.states(receipts[0]) == DONE
    assert len(site.smtp.mails(to="twice@example.org")) == 1


@ON_SQLITE
def test_check_archive_reports_missing_and_changed_objects(site: Stack) -> None:
    receipt = site.apply()
    site.wait_for_end([receipt])
    assert site.manage("check_archive").returncode == 0

    (cv,) = [file for file in site.files(receipt) if file["kind"] == "cv"]
    path = site.var / "archive" / "careers" / cv["object_key"]
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"!")
    try:
        found = site.manage("check_archive")
    finally:
        path.write_bytes(content)
    assert found.returncode == 1
    assert cv["object_key"] in found.stdout + found.stderr or str(cv["public_id"]) in found.stdout


@ON_SQLITE
def test_pipeline_status_as_json_has_the_documented_keys(site: Stack) -> None:
    found = site.manage("pipeline_status", "--json")
    told = json.loads(found.stdout)
    assert {"at", "applications", "steps", "oldest_ready_seconds"} <= told.keys()
    assert {queue for worker in told["workers"] for queue in worker["queues"]} == {"cpu", "io"}
    assert told["sweeper"]["seen_at"]
    assert told["broker"] == {"ok": True, "error": ""}
