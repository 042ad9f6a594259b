"""The text of the mails. No test here needs a database."""

import datetime as dt
import email
import email.policy
import re
import unicodedata
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from hypothesis import example, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from careers.applications.frozen import FrozenForm, Option, Question
from careers.notifications import Identity, hr_application, operator_alert, receipt
from careers.notifications.messages import SUBJECT_LENGTH, one_line

PUBLIC_ID = uuid.UUID("6f1f9d4e-51a5-4c0c-8a3e-0d6b1a2c3d4e")
RECEIPT_URL = "https://careers.example.com/received/s3cret/"
RENEW_URL = "https://example.org/received/"
ADMIN_URL = "https://careers.example.com/admin/applications/7KD4-93MX/"

QUESTIONS = (
    Question("name", "name", "Full name", required=True),
    Question("email", "email", "E-mail", required=True),
    Question("cv", "file", "CV", required=True),
    Question("start", "single_choice", "When can you start?", options=(Option("o1", "At once"),)),
    Question(
        "days",
        "multiple_choice",
        "Which days suit you?",
        options=(Option("o2", "Monday"), Option("o3", "Friday & Saturday")),
    ),
    Question("van", "yes_no", "Do you drive?"),
    Question("why", "long_text", "Why us?"),
    Question("portfolio", "file", "Samples of your work"),
)
#: Everything that the applicant typed; none of it may be sent to an unconfirmed address.
TYPED = {"name": "Canary Kowalski", "why": "Buy canary pills at http://canary.example"}


def an_application(**changes: Any) -> Any:
    form = FrozenForm(
        job_title=changes.pop("title", "Gauge keeper"),
        company="Tidewater",
        language="en",
        time_zone="Europe/Oslo",
        questions=QUESTIONS,
    )
    files = [
        SimpleNamespace(kind="cv", question_key="cv", filename="canary cv.pdf"),
        SimpleNamespace(kind="answer", question_key="portfolio", filename="canary 1.pdf"),
        SimpleNamespace(kind="answer", question_key="portfolio", filename="canary 2.pdf"),
        SimpleNamespace(kind="pdf", question_key="", filename="7KD4-93MX.pdf"),
    ]
    return SimpleNamespace(
        **{
            "public_id": PUBLIC_ID,
            "reference": "7KD4-93MX",
            "language": "en",
            "frozen_form": form,
            "answers": {
                **TYPED,
                "email": "jane@example.org",
                "start": "o1",
                "days": ["o2", "o3", "canary option that nobody offered"],
                "van": False,
            },
            "name": TYPED["name"],
            "email": "jane@example.org",
            "received_at": dt.datetime(2026, 11, 22, 14, 53, tzinfo=dt.UTC),
            # The next day, in the time zone of the job.
            "receipt_issued_at": dt.datetime(2026, 11, 22, 23, 30, tzinfo=dt.UTC),
            "files": SimpleNamespace(all=lambda: files),
            **changes,
        }
    )


IDENTITY = Identity("Tidewater", "#0e5c46", "Bo Lind", "bo@example.com")


def a_receipt(application: Any = None, identity: Identity = IDENTITY, sequence: int = 0) -> Any:
    return receipt(
        application or an_application(),
        identity=identity,
        receipt_url=RECEIPT_URL,
        renew_url=RENEW_URL,
        sequence=sequence,
    )


def an_hr_mail(application: Any = None, recipient: str = "hr@example.com", **options: Any) -> Any:
    return hr_application(
        application or an_application(),
        recipient,
        identity=IDENTITY,
        admin_url=ADMIN_URL,
        **options,
    )


def parsed(message: Any) -> Any:
    return email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)


def words(html: str) -> str:
    """The visible text of the HTML part, with single spaces."""
    html = re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.fixture(autouse=True)
def _sender(settings: Any) -> None:
    settings.DEFAULT_FROM_EMAIL = "Careers <jobs@careers.example.com>"


class TestReceipt:
    def test_receipt_has_its_headers(self) -> None:
        mail = parsed(a_receipt())
        assert mail["Subject"] == "We have your application: Gauge keeper"
        assert mail["From"] == "Tidewater <jobs@careers.example.com>"
        assert mail["To"] == "jane@example.org"
        assert mail["Reply-To"] == "Bo Lind <bo@example.com>"
        assert mail["Auto-Submitted"] == "auto-generated"
        assert mail["Content-Language"] == "en"
        assert mail["Date"].datetime.year >= 2026
        assert mail["Message-ID"].strip() == f"<receipt.{PUBLIC_ID}.0@careers.example.com>"

    def test_text_and_html_hold_the_same_facts(self) -> None:
        message = a_receipt()
        for text in (message.body, words(message.alternatives[0].content).replace("&amp;", "&")):
            for said in (
                "Gauge keeper",
                "7KD4-93MX",
                "22 November 2026, 15:53 (CET)",
                "It works until 21 February 2027.",
                "CV and Samples of your work (2 files)",
                "When can you start?",
                "At once",
                "Monday and Friday & Saturday",
                "Do you drive?",
                "reply to this e-mail; it goes to Bo Lind",
                "If that was not you",
            ):
                assert said in text
        assert RECEIPT_URL in message.body
        assert f'href="{RECEIPT_URL}"' in message.alternatives[0].content
        assert f"\n{RENEW_URL}\n" in message.body
        assert f'href="{RENEW_URL}"' in message.alternatives[0].content

    def test_receipt_repeats_nothing_that_the_applicant_typed(self) -> None:
        raw = a_receipt().message().as_string()
        assert "canary" not in raw.lower()
        assert "canary" not in str(parsed(a_receipt()).get_body(("plain",)).get_content()).lower()

    def test_text_part_has_no_double_blank_lines(self) -> None:
        body = a_receipt().body
        assert "Reference: 7KD4-93MX\n" in body
        assert "When can you start? At once\n" in body
        assert "\n\n\n" not in body

    def test_long_titles_are_cut_in_the_subject_only(self) -> None:
        title = "Keeper of very many gauges " * 6
        message = a_receipt(an_application(title=title))
        assert message.subject.endswith("…")
        assert title.strip() in message.body

    def test_receipt_without_a_contact_offers_no_reply(self) -> None:
        message = a_receipt(identity=Identity("Tidewater"))
        assert parsed(message)["Reply-To"] is None
        assert "reply" not in message.body

    def test_contact_without_a_name_offers_a_reply(self) -> None:
        message = a_receipt(identity=Identity("Tidewater", contact_email="bo@example.com"))
        assert parsed(message)["Reply-To"] == "bo@example.com"
        assert "reply to this e-mail." in message.body

    def test_sending_again_changes_the_message_id(self) -> None:
        ids = {parsed(a_receipt(sequence=n))["Message-ID"] for n in (0, 0, 1)}
        assert len(ids) == 2

    def test_receipt_is_in_the_language_of_the_application(self) -> None:
        message = a_receipt(an_application(language="ar"))
        assert parsed(message)["Content-Language"] == "ar"
        assert '<html lang="ar" dir="rtl">' in message.alternatives[0].content

    def test_zone_without_a_name_is_shown_as_its_offset(self) -> None:
        application = an_application()
        form = application.frozen_form
        application.frozen_form = FrozenForm(**{**vars(form), "time_zone": "Asia/Dubai"})
        assert "18:53 (UTC+04)" in a_receipt(application).body

    @pytest.mark.parametrize("colour", ["#ffffff", "#000000", "red", "", "#12345;x:y"])
    def test_button_is_readable_in_any_colour(self, colour: str) -> None:
        html = a_receipt(identity=Identity("Tidewater", colour)).alternatives[0].content
        [(fill, ink)] = re.findall(r"background:(#\w{6}); color:(#\w{6}); font-weight", html)
        assert fill != ink
        assert "x:y" not in html


class TestHRMail:
    def test_hr_mail_is_in_the_language_of_the_site(self) -> None:
        mail = parsed(an_hr_mail(an_application(language="fr")))
        assert mail["Content-Language"] == "en"
        assert mail["Subject"] == "Application for Gauge keeper: Canary Kowalski"

    def test_hr_mail_has_its_headers(self) -> None:
        mail = parsed(an_hr_mail())
        assert mail["Subject"] == "Application for Gauge keeper: Canary Kowalski"
        assert mail["To"] == "hr@example.com"
        assert mail["Reply-To"] == "Canary Kowalski <jane@example.org>"
        assert mail["Auto-Submitted"] == "auto-generated"

    def test_hr_mail_has_a_link_and_no_attachment(self) -> None:
        message = an_hr_mail()
        assert ADMIN_URL in message.body
        assert f'href="{ADMIN_URL}"' in message.alternatives[0].content
        assert message.attachments == []
        assert TYPED["why"] not in message.body
        assert "PDF is missing" not in message.body

    def test_hr_mail_without_pdf_says_that_it_is_missing(self) -> None:
        message = an_hr_mail(pdf_missing=True)
        for text in (message.body, words(message.alternatives[0].content)):
            assert "The PDF is missing." in text
            assert "7KD4-93MX" in text

    def test_two_recipients_get_different_anonymous_message_ids(self) -> None:
        ids = [parsed(an_hr_mail(recipient=who))["Message-ID"] for who in ("hr@a.com", "ceo@a.com")]
        assert ids[0] != ids[1]
        assert parsed(an_hr_mail(recipient="HR@a.com"))["Message-ID"] == ids[0]
        assert re.fullmatch(rf"<hr\.{PUBLIC_ID}\.\w{{16}}\.0@careers.example.com>", ids[0].strip())
        assert "hr@" not in ids[0]

    def test_html_escapes_names(self) -> None:
        html = an_hr_mail(an_application(name="<img src=x>")).alternatives[0].content
        assert "<img" not in html
        assert "&lt;img src=x&gt;" in html


HOSTILE = st.text(
    st.one_of(st.characters(), st.sampled_from("\r\n\0\u2028\u202e\u2066,;:<>@\"'\\=?&{}%")),
    max_size=400,
)


@rules(deadline=None, max_examples=50)
@given(name=HOSTILE, title=HOSTILE, company=HOSTILE)
@example("x\r\nBcc: all@example.com", "y\nX-Spam: no", "z\r\n\r\nbody")
@example("=?utf-8?q?a=0D=0ABcc:_b=40c.d?=", "=?=?", "a, b <c@d.e>")
@example("\u202egnp.exe", "\ud800", "")
def test_hostile_text_changes_nothing_but_the_text(name: str, title: str, company: str) -> None:
    """No name or title adds a header, a recipient or a line, or prevents a mail."""
    application = an_application(name=name, title=title)
    identity = Identity(company, contact_name=name, contact_email="bo@example.com")
    for message in (
        receipt(application, identity=identity, receipt_url=RECEIPT_URL, renew_url=RENEW_URL),
        hr_application(application, "hr@example.com", identity=identity, admin_url=ADMIN_URL),
    ):
        message.encoding = "utf-8"
        content = message.message().as_bytes(linesep="\r\n")
        names = [name.lower() for name in email.message_from_bytes(content)]
        assert sorted(names) == [
            "auto-submitted",
            "content-language",
            "content-type",
            "date",
            "from",
            "message-id",
            "mime-version",
            "reply-to",
            "subject",
            "to",
            "x-auto-response-suppress",
        ]
        mail = email.message_from_bytes(content, policy=email.policy.default)
        assert [each.addr_spec for each in mail["From"].addresses] == ["jobs@careers.example.com"]
        assert len(mail["To"].addresses) == 1
        assert len(mail["Reply-To"].addresses) == 1
        assert len(message.subject) <= SUBJECT_LENGTH
        assert "\u202e" not in message.body
        assert all(len(line) < 998 for line in content.split(b"\r\n"))


@rules(deadline=None)
@given(HOSTILE, st.integers(2, 200))
def test_one_line_returns_one_short_visible_line(text: str, length: int) -> None:
    line = one_line(text, length)
    assert len(line) <= length
    assert line == one_line(line, length)
    invisible = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert not any(unicodedata.category(c) in invisible for c in line if c not in "\u200c\u200d")
    assert "=?" not in line


def test_one_line_keeps_zero_width_characters_in_names() -> None:
    assert one_line("می\u200cخواهم", 20) == "می\u200cخواهم"


@pytest.mark.parametrize(
    "address",
    ["a@b.c, d@e.f", "a@b.c\r\nBcc: d@e.f", "a b@c.d", "<a@b.c>", "", "bär@b.c", "a@i❤.ws"],
)
def test_reply_to_is_empty_for_an_invalid_address(address: str) -> None:
    message = a_receipt(identity=Identity("Tidewater", contact_email=address))
    assert parsed(message)["Reply-To"] is None


@pytest.mark.parametrize(
    ("host", "sent"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("faß.de", "xn--fa-hia.de"),
        ("fass.de", "fass.de"),
        ("نامه\u200cای.ir", "xn--mgba3gch31f060k.ir"),
    ],
)
def test_every_host_in_a_mail_is_the_one_that_was_typed(
    settings: Any, host: str, sent: str
) -> None:
    settings.DEFAULT_FROM_EMAIL = f"jobs@{host}"
    application = an_application(email=f"jane@{host}")
    identity = Identity("Tidewater", contact_email=f"bo@{host}")
    to_applicant = parsed(a_receipt(application, identity))
    to_hr = parsed(an_hr_mail(application, f"hr@{host}"))
    for mail, header, local in (
        (to_applicant, "From", "jobs"),
        (to_applicant, "To", "jane"),
        (to_applicant, "Reply-To", "bo"),
        (to_hr, "To", "hr"),
        (to_hr, "Reply-To", "jane"),
    ):
        assert [one.addr_spec for one in mail[header].addresses] == [f"{local}@{sent}"]
    assert to_applicant["Message-ID"].strip().endswith(f"@{sent}>")


def test_hr_mail_names_an_address_that_a_reply_would_not_reach() -> None:
    message = an_hr_mail(an_application(email="zoë@faß.de"))
    assert parsed(message)["Reply-To"] is None
    for text in (message.body, words(message.alternatives[0].content)):
        assert "does not reach the applicant: write to zoë@faß.de." in text
        assert "reply to this e-mail." not in text


# ── To operators ──────────────────────────────────────────────────────────────────────

ALERT = {
    "message": "No worker is running.",
    "cause": "",
    "action": "Start the workers.",
    "path": "/admin/tasks/",
    "since": "2026-11-22T14:53:00+00:00",
}
DIGEST = {
    "date": "2026-11-21",
    "path": "/admin/tasks/",
    "jobs": [["Gauge keeper <b>", 2], ["Bell founder", 1]],
    "held_back": 1,
    "steps": [["Make the PDF", 3, 0], ["Mail to HR", 2, 1]],
    "attention": [
        {
            "step": "Mail to HR",
            "count": 1,
            "cause": "The mail server refused the recipient.",
            "path": "/admin/tasks/?state=attention&kind=mail_hr",
        }
    ],
    "findings": [{"message": "No scan.", "action": "Install it."}],
}


def to_operator(kind: str, facts: dict[str, Any], **changes: Any) -> Any:
    given: dict[str, Any] = {
        "identity": IDENTITY,
        "key": f"{kind}.no-worker.20261122T145300",
        "time_zone": "Europe/Oslo",
        **changes,
    }
    return operator_alert(kind, facts, "ops@example.com", **given)


def html_of(mail: Any) -> str:
    return str(mail.alternatives[0][0])


def test_problem_mail_has_cause_start_time_and_advice() -> None:
    mail = to_operator("alert", {**ALERT, "cause": "The <key> is wrong."})
    assert mail.subject == "Problem: No worker is running."
    for text in (mail.body, html_of(mail)):
        assert "Start the workers." in text
        assert "22 November 2026, 15:53 (CET)" in text
        assert f"{settings.SITE_URL}/admin/tasks/" in text
    assert "The <key> is wrong." in mail.body
    assert "The &lt;key&gt; is wrong." in html_of(mail)
    assert mail.reply_to == []


def test_resolved_mail_names_the_problem_and_both_times() -> None:
    mail = to_operator("recovered", {**ALERT, "until": "2026-11-22T15:10:00+00:00"})
    assert mail.subject == "Resolved: No worker is running."
    assert "Ended: 22 November 2026, 16:10 (CET)" in mail.body


def test_summary_counts_and_links() -> None:
    mail = to_operator("digest", DIGEST)
    assert mail.subject == "Daily summary: 3 applications on 21 November 2026"
    assert "Gauge keeper <b>: 2" in mail.body
    assert "Gauge keeper &lt;b&gt;" in html_of(mail)
    assert "Of these quarantined as spam: 1" in mail.body
    assert "Mail to HR: 2 done, 1 failed" in mail.body
    assert "Mail to HR: 1 step\nThe mail server refused the recipient.\nhttp" in mail.body
    assert "/admin/tasks/?state=attention&amp;kind=mail_hr" in html_of(mail)
    assert "No scan. Install it." in mail.body


def test_summary_of_a_quiet_day_says_that_nothing_needs_attention() -> None:
    quiet = {**DIGEST, "jobs": [], "held_back": 0, "attention": [], "findings": []}
    mail = to_operator("digest", quiet)
    assert mail.subject == "Daily summary: 0 applications on 21 November 2026"
    assert "Everything works. Nothing needs attention." in mail.body
    assert "Needs attention now" not in html_of(mail)


def test_operator_mails_have_ids_by_alert_recipient_and_sequence() -> None:
    ids = [
        to_operator("alert", ALERT).extra_headers["Message-ID"],
        to_operator("alert", ALERT, sequence=1).extra_headers["Message-ID"],
        to_operator("alert", ALERT, key="alert.no-worker.20261122T180000").extra_headers[
            "Message-ID"
        ],
        operator_alert(
            "alert",
            ALERT,
            "second@example.com",
            identity=IDENTITY,
            key="alert.no-worker.20261122T145300",
            time_zone="UTC",
        ).extra_headers["Message-ID"],
    ]
    assert len(set(ids)) == 4
    assert ids[0] == to_operator("alert", ALERT).extra_headers["Message-ID"]
    assert "ops" not in ids[0].replace("operators", "")
