"""The view that receives applications: applicants never lose what they entered."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import re
import sqlite3
import uuid
from typing import Any
from unittest.mock import Mock

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.core.signing import TimestampSigner
from django.db import OperationalError, connection
from django.test import Client
from django.test.client import encode_multipart
from django.urls import reverse
from django.utils import timezone, translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from wagtail.models import PageViewRestriction

from careers.applications.models import Application, ApplicationFile
from careers.apply.origin import CONFIRM_SALT
from careers.forms.models import PendingUpload
from careers.inspection import Busy, pool
from careers.jobs.models import JobPage
from careers.pipeline.models import Step, StepEvent
from home.models import SiteSettings
from tests.support.applying import (
    ADDRESS,
    JANE,
    ask,
    confirm_token,
    filled_in,
    kept_token,
    pdf,
    send,
    the_cv,
)
from tests.support.factories import JobPageFactory
from tests.support.papers import JPEG, PROGRAM, make_cv, make_pdf
from tests.support.translating import french, french_site, in_french

pytestmark = pytest.mark.django_db

ORIGIN = django_settings.SITE_URL


def words(response: Any) -> str:
    return response.content.decode()


# ── Accepted ────────────────────────────────────────────────────────────────────────────


def send_body(client: Client, job: Any, body: bytes) -> Any:
    """Send a body that the test client would not write, with the boundary ``limit``."""
    return client.generic(
        "POST",
        job.apply_url,
        body,
        content_type="multipart/form-data; boundary=limit",
        headers={"origin": ORIGIN},
    )


def test_valid_form_is_stored_and_redirects_to_receipt(client: Client, job: Any) -> None:
    response = send(client, job)
    application = Application.objects.get()
    assert response.status_code == 303
    assert response["Location"] == f"/received/{application.receipt_secret}/"
    assert "no-store" in response["Cache-Control"]
    assert (application.name, application.email) == (JANE, ADDRESS)
    assert (application.page_id, application.job_key) == (job.pk, job.translation_key)
    assert application.language == "en"
    assert not response.cookies


def test_uploaded_file_is_stored_unchanged_with_clean_name(client: Client, job: Any) -> None:
    send(client, job, cv=pdf(name="../../Jane\u202efdp.exe"))
    file = ApplicationFile.objects.get()
    assert (file.kind, file.question_key, file.filename) == ("cv", "cv", "Janefdp.exe.pdf")
    assert file.content_type == "application/pdf"
    assert bytes(file.stored.content) == the_cv()


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        (".", "file.pdf"),
        ("..", "file.pdf"),
        ("/", "file.pdf"),
        ("CV/", "CV.pdf"),
        ("\u200b", "file.pdf"),
        ("\u202e.pdf", "file.pdf"),
        ("\u3164", "file.pdf"),
        ("CV v1.2", "CV v1.2.pdf"),
    ],
)
def test_optional_file_with_any_name_is_stored(
    client: Client, job: Any, sent: str, stored: str
) -> None:
    job.ask_cv = "optional"
    job.save()
    # Django's test client would send a tidy name.
    named = pdf(name="NAME")
    body = encode_multipart("limit", filled_in(cv=named)).replace(b"NAME", sent.encode())
    answer = send_body(client, job, body)
    assert answer.status_code == 303
    file = ApplicationFile.objects.get()
    assert (file.filename, bytes(file.stored.content)) == (stored, the_cv())


def test_file_question_without_a_file_stays_optional(client: Client, job: Any) -> None:
    job.ask_cv = "optional"
    job.save()
    empty = SimpleUploadedFile("x", b"", "application/octet-stream")
    # What a browser sends for a file that nobody chose.
    body = encode_multipart("limit", filled_in(cv=empty)).replace(b'filename="x"', b'filename=""')
    answer = send_body(client, job, body)
    assert answer.status_code == 303
    assert not ApplicationFile.objects.exists()


def test_wrong_replacement_leaves_the_kept_file_on_the_page(client: Client, job: Any) -> None:
    token = kept_token(send(client, job, name=None))
    answer = send(client, job, cv=pdf(PROGRAM), **{"kept-cv": token})
    assert answer.status_code == 422
    assert kept_token(answer) == token
    assert "“CV”: The file must be one of these" in words(answer)
    assert send(client, job, cv=None, **{"kept-cv": token}).status_code == 303


def test_same_form_sent_twice_creates_one_application(client: Client, job: Any) -> None:
    first, second = send(client, job), send(client, job)
    assert first["Location"] == second["Location"]
    assert Application.objects.count() == 1
    assert Step.objects.count() == 4


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": ORIGIN},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
    ],
)
def test_form_with_own_origin_is_accepted(client: Client, job: Any, headers: Any) -> None:
    response = client.post(job.apply_url, filled_in(), headers=headers)
    assert response.status_code == 303


def test_form_without_csrf_token_is_accepted(job: Any) -> None:
    response = send(Client(enforce_csrf_checks=True), job)
    assert response.status_code == 303


def test_form_with_filled_honeypot_is_quarantined(client: Client, job: Any) -> None:
    response = send(client, job, more="https://spam.example")
    application = Application.objects.get()
    assert response.status_code == 303
    assert (application.quarantined, application.quarantine_reason) == (True, "honeypot")


# ── Without proof of origin: confirmation ───────────────────────────────────────────────


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://elsewhere.example"},
        {"origin": ORIGIN + ".elsewhere.example"},
        {"origin": "http://"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "none"},
    ],
)
def test_form_without_own_origin_needs_confirmation(client: Client, job: Any, headers: Any) -> None:
    response = client.post(job.apply_url, filled_in(name="Zoë O’Brien"), headers=headers)
    assert response.status_code == 200
    assert "Please check and send" in words(response)
    assert 'value="Zoë O’Brien"' in words(response)
    assert Application.objects.count() == 0
    again = client.post(
        job.apply_url,
        {
            "name": "Zoë O’Brien",
            "email": ADDRESS,
            "kept-cv": kept_token(response),
            "confirm": confirm_token(response),
        },
    )
    assert again.status_code == 303
    (file,) = Application.objects.get().files.all()
    assert bytes(file.stored.content) == the_cv()


def test_confirmation_token_of_another_job_is_rejected(
    client: Client, job: Any, job_index: Any
) -> None:
    other = JobPageFactory(parent=job_index)
    token = TimestampSigner(salt=CONFIRM_SALT).sign(str(other.job_key))
    response = client.post(job.apply_url, filled_in(confirm=token))
    assert response.status_code == 200
    assert confirm_token(response) != token


def test_expired_confirmation_token_asks_again_and_keeps_everything(
    client: Client, job: Any, time_machine: Any
) -> None:
    typed = {"name": "Zoë O’Brien", "phone": "+47 22 00 00 00"}
    token = confirm_token(client.post(job.apply_url, filled_in(**typed)))
    time_machine.move_to(timezone.now() + dt.timedelta(days=1, seconds=5))
    response = client.post(job.apply_url, filled_in(**typed, confirm=token))
    assert response.status_code == 200
    assert Application.objects.count() == 0
    for text in (*typed.values(), ADDRESS, "cv.pdf"):
        assert text in response.content.decode()
    again = {"confirm": confirm_token(response), "kept-cv": kept_token(response), "cv": None}
    assert client.post(job.apply_url, filled_in(**typed, **again)).status_code == 303
    assert Application.objects.get().name == typed["name"]


@pytest.mark.parametrize("token", ["x", "a:b:c", "\x00", "🦑:1:2", str(uuid.UUID(int=0))])
def test_forged_confirmation_token_is_rejected(client: Client, job: Any, token: str) -> None:
    response = client.post(job.apply_url, filled_in(confirm=token))
    assert response.status_code == 200
    assert Application.objects.count() == 0


def test_confirmation_page_names_file_that_could_not_be_kept(
    client: Client, job: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("careers.forms.uploads.KEPT_PER_NETWORK", 0)
    response = client.post(job.apply_url, filled_in())
    assert response.status_code == 422
    assert "Choose the file again: it could not be kept." in words(response)
    assert confirm_token(response)


def test_file_that_cannot_be_judged_now_is_kept_for_the_next_attempt(
    client: Client, job: Any, monkeypatch: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(pool.ForkServer, "run", Mock(side_effect=Busy))
        response = send(client, job)
    assert response.status_code == 503
    assert "but it is kept here. Wait a minute, then send the form again." in words(response)
    again = send(client, job, **{"kept-cv": kept_token(response), "cv": None})
    assert again.status_code == 303
    assert bytes(ApplicationFile.objects.get().stored.content) == the_cv()


def test_mark_of_a_file_is_stored_with_it(client: Client, job: Any) -> None:
    SiteSettings.objects.update(active_content="mark")
    send(client, job, cv=pdf(make_pdf("/OpenAction<</S/JavaScript/JS(1)>>")))
    assert ApplicationFile.objects.get().marks == "script"


# ── Errors: the form keeps everything ───────────────────────────────────────────────────


def test_invalid_form_keeps_every_answer_and_shows_each_error_twice(
    client: Client, job: Any
) -> None:
    job.questions = [
        ask("long_text", "Why here?", key="why"),
        ask("single_choice", "Shift?", key="shift", options={"a": "Early", "b": "Late"}),
        ask("multiple_choice", "Tools?", key="tools", options={"x": "Lathe", "y": "Saw"}),
        ask("yes_no", "Boat licence?", key="boat"),
        ask("number", "Years?", key="years"),
        ask("date", "From when?", key="start"),
        ask("consent", "Keep my application", key="keep"),
    ]
    job.save()
    answers = {
        "q-why": "Because <b>tides</b> & “moons”",
        "q-shift": "b",
        "q-tools": ["x", "y"],
        "q-boat": "no",
        "q-years": "many",
        "q-start": "2027-03-31",
        "q-keep": "on",
    }
    response = send(client, job, email="jane@", **answers)
    page = words(response)
    assert response.status_code == 422
    assert "<title>Error: Gauge keeper" in page
    message = "Nothing stands after the @ in “jane@”. Enter the whole e-mail address."
    assert f'<a href="#id_email">{message}</a>' in page
    assert page.count(message) == 2
    assert '<a href="#id_q-years">Enter “Years?” as a number, such as 40.</a>' in page
    assert 'value="jane@"' in page
    assert 'value="many"' in page
    assert 'value="2027-03-31"' in page
    assert "Because &lt;b&gt;tides&lt;/b&gt; &amp; “moons”" in page
    assert page.count(" checked") == 5
    assert Application.objects.count() == 0
    assert 'name="kept-cv"' in page
    assert "cv.pdf" in page


def test_kept_file_is_used_when_form_becomes_valid(client: Client, job: Any) -> None:
    token = kept_token(send(client, job, name=None))
    response = send(client, job, cv=None, **{"kept-cv": token})
    assert response.status_code == 303
    (file,) = Application.objects.get().files.all()
    assert (file.filename, bytes(file.stored.content)) == ("cv.pdf", the_cv())


def test_same_kept_file_sent_twice_creates_one_application(client: Client, job: Any) -> None:
    token = kept_token(send(client, job, name=None))
    answers = [send(client, job, cv=None, **{"kept-cv": token}) for _ in range(2)]
    assert [response.status_code for response in answers] == [303, 303]
    assert answers[0]["Location"] == answers[1]["Location"]
    assert Application.objects.count() == 1


def test_failure_to_release_kept_file_still_gives_receipt(
    client: Client, job: Any, monkeypatch: Any, caplog: Any
) -> None:
    def away(*_args: Any) -> None:
        raise OperationalError("server closed the connection")

    token = kept_token(send(client, job, name=None))
    monkeypatch.setattr("careers.apply.views.claim", away)
    assert send(client, job, cv=None, **{"kept-cv": token}).status_code == 303
    assert Application.objects.count() == 1
    assert "kept uploads are not released yet: OperationalError" in caplog.text


def test_claimed_kept_file_expires_within_an_hour(client: Client, job: Any) -> None:
    token = kept_token(send(client, job, name=None))
    send(client, job, cv=None, **{"kept-cv": token})
    left = PendingUpload.objects.get().expires_at - timezone.now()
    assert left < dt.timedelta(hours=1, seconds=5)


def test_too_large_file_keeps_other_answers(client: Client, job: Any, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 1024 * 1024
    big = pdf(make_cv() + b"\0" * 1024 * 1024)
    response = send(client, job, cv=big)
    assert response.status_code == 422
    assert "The file is 1.1\xa0MB. Choose a file of up to 1\xa0MB." in words(response)
    assert f'value="{JANE}"' in words(response)
    assert Application.objects.count() == PendingUpload.objects.count() == 0


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (PROGRAM, "The file must be one of these: PDF, DOCX, ODT, JPG, PNG."),
        (b"", "The file is empty. Choose another file."),
        (make_cv(password="x"), "The PDF is password-protected."),
    ],
)
def test_bad_file_shows_error_and_keeps_other_answers(
    client: Client, job: Any, content: bytes, message: str
) -> None:
    response = send(client, job, cv=pdf(content))
    assert response.status_code == 422
    assert message in words(response)
    assert f'value="{JANE}"' in words(response)


# ── Jobs that accept no applications ────────────────────────────────────────────────────


def test_closed_job_answers_gone_with_everything_entered(client: Client, job: Any) -> None:
    job.closes_at = timezone.now() - dt.timedelta(seconds=1)
    job.save()
    response = send(client, job, phone="+47 55 55 00 00")
    assert response.status_code == 410
    assert JANE in words(response)
    assert "+47 55 55 00 00" in words(response)
    assert Application.objects.count() == 0


@pytest.mark.parametrize("then", ["closes", "expires"])
def test_form_opened_in_time_is_corrected_and_sent_after_the_job_closed(
    client: Client, job: Any, french_job: Any, then: str
) -> None:
    SiteSettings.objects.update(closing_grace=60)
    moment = timezone.now() - dt.timedelta(minutes=1)
    JobPage.objects.update(**{"closes_at" if then == "closes" else "expire_at": moment})
    call_command("publish_scheduled")
    assert JobPage.objects.live().count() == (2 if then == "closes" else 0)
    for page in (job, french_job):
        assert '<form class="form"' not in words(client.get(page.get_url()))
        wrong = send(client, page, name="")
        assert wrong.status_code == 422
        assert wrong.context["late_until"]
        assert '<form class="form"' in words(wrong)
        assert "ld+json" not in words(wrong)
        assert send(client, page, name=f"Jane {page.pk}").status_code == 303
    assert Application.objects.count() == 2
    SiteSettings.objects.update(closing_grace=0)
    assert send(client, job, name="Late").status_code == 410


@pytest.mark.parametrize("then", ["closes", "opens later", "is taken down", "gets a password"])
def test_resent_application_gets_its_receipt_when_job_no_longer_accepts(
    client: Client, job: Any, then: str
) -> None:
    receipt = send(client, job)["Location"]
    match then:
        case "closes":
            job.closes_at = timezone.now() - dt.timedelta(seconds=1)
        case "opens later":
            job.opens_at = timezone.now() + dt.timedelta(days=1)
        case "is taken down":
            job.live = False
        case _:
            PageViewRestriction.objects.create(
                page=job, restriction_type="password", password="tides"
            )
    job.save()
    again, other = send(client, job), send(client, job, name="Somebody Else")
    assert (again.status_code, again["Location"]) == (303, receipt)
    assert other.status_code == (409 if then == "opens later" else 410)
    assert Application.objects.count() == 1


def test_resent_application_with_more_answers_gets_no_receipt_of_closed_job(
    client: Client, job: Any
) -> None:
    assert send(client, job).status_code == 303
    job.closes_at = timezone.now() - dt.timedelta(seconds=1)
    job.save()
    more = "Because of the tides"
    response = send(client, job, **{"q-why": more})
    assert response.status_code == 410
    assert more in words(response)


@pytest.mark.parametrize("hidden", ["taken down", "behind a login", "behind a password"])
def test_answer_about_hidden_job_does_not_reveal_it(client: Client, job: Any, hidden: str) -> None:
    if hidden == "taken down":
        job.live = False
        job.save()
    elif hidden == "behind a login":
        PageViewRestriction.objects.create(page=job, restriction_type="login")
    else:
        PageViewRestriction.objects.create(page=job, restriction_type="password", password="tides")
    response = send(client, job, phone="+47 55 55 00 00")
    assert response.status_code == 410
    assert JANE in words(response)
    assert "+47 55 55 00 00" in words(response)
    assert job.title not in words(response)
    assert Application.objects.count() == 0


def test_job_behind_password_accepts_visitor_who_entered_it(client: Client, job: Any) -> None:
    behind = PageViewRestriction.objects.create(
        page=job, restriction_type="password", password="tides"
    )
    client.post(
        reverse("wagtailcore_authenticate_with_password", args=[behind.pk, job.pk]),
        {"password": "tides", "return_url": job.url},
    )
    assert send(client, job).status_code == 303


@pytest.mark.parametrize("changes", [{}, {"email": "jane@"}], ids=["valid", "with an error"])
def test_answer_to_removed_question_is_returned(
    client: Client, job: Any, changes: dict[str, Any]
) -> None:
    gone = {"q-why": "Because of the tides", "q-sketch": pdf(name="sketch.pdf")}
    response = send(client, job, **gone, **changes)
    assert response.status_code == 422
    assert "The questions changed while you were writing" in words(response)
    assert "Because of the tides" in words(response)
    assert "sketch.pdf" in words(response)
    assert Application.objects.count() == 0

    # The form on the page asks only current questions, so it is accepted.
    again = send(client, job, cv=None, **{"kept-cv": kept_token(response)})
    assert again.status_code == 303
    assert Application.objects.count() == 1


def test_changed_privacy_notice_is_shown_before_anything_is_stored(
    client: Client, job: Any
) -> None:
    """The stored form must be the one that the applicant read."""
    read = job.frozen_form().edition
    job.privacy_notice = "<p>We keep applications for two years.</p>"
    job.save()
    response = send(client, job, edition=read)
    assert response.status_code == 422
    assert "The questions changed while you were writing" in words(response)
    assert "two years" in words(response)
    assert Application.objects.count() == 0

    edition = re.search(r'name="edition" value="(\w+)"', response.content.decode())
    assert edition is not None
    again = send(client, job, cv=None, edition=edition[1], **{"kept-cv": kept_token(response)})
    assert again.status_code == 303
    kept = Application.objects.get().form
    assert kept["privacy_notice"] == "We keep applications for two years."


def test_choice_for_removed_question_does_not_stop_the_application(
    client: Client, job: Any
) -> None:
    response = send(client, job, **{"q-boat": "yes", "q-shift": str(uuid.uuid4()), "q-why": " "})
    assert response.status_code == 303


def test_unknown_job_answers_not_found_with_everything_entered(client: Client, home: Any) -> None:
    response = client.post(
        f"/apply/{uuid.uuid4()}/", {"name": JANE, "q-why": "Tides", "kept-cv": "t", "confirm": "c"}
    )
    assert response.status_code == 404
    assert "This job is no longer here" in words(response)
    assert JANE in words(response)
    assert "Tides" in words(response)
    assert "<dd" not in words(response).partition("Tides")[2]


def test_get_redirects_to_form_on_job_page(client: Client, job: Any) -> None:
    response = client.get(job.apply_url)
    assert (response.status_code, response["Location"]) == (302, "/careers/gauge-keeper/#apply")


@pytest.mark.parametrize("method", ["put", "delete", "patch", "options"])
def test_other_methods_are_not_allowed(client: Client, job: Any, method: str) -> None:
    assert getattr(client, method)(job.apply_url).status_code == 405


def test_get_of_unknown_or_unpublished_job_is_not_found(client: Client, job: Any) -> None:
    job.live = False
    job.save()
    assert client.get(job.apply_url).status_code == 404
    assert client.get(f"/apply/{uuid.uuid4()}/").status_code == 404


# ── Bad requests ────────────────────────────────────────────────────────────────────────


def test_form_with_two_thousand_fields_is_too_large(client: Client, job: Any) -> None:
    response = send(client, job, **{f"x{number}": "y" for number in range(2000)})
    assert response.status_code == 413
    assert "The form is too large" in words(response)


def test_form_with_hundreds_of_files_is_too_large(client: Client, job: Any) -> None:
    response = send(client, job, **{f"x{number}": pdf(b"x") for number in range(200)})
    assert response.status_code == 413


def test_form_with_huge_text_is_too_large(client: Client, job: Any) -> None:
    response = send(client, job, **{"q-why": "x" * 3_000_000})
    assert response.status_code == 413
    assert "Shorten the longest answers" in words(response)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=", b"x"),
        ("multipart/form-data; boundary=\x00\xff", b"x"),
    ],
)
def test_malformed_multipart_is_bad_request(
    client: Client, job: Any, content_type: str, body: bytes
) -> None:
    response = client.generic("POST", job.apply_url, body, content_type)
    assert response.status_code == 400
    assert "The form did not arrive completely" in words(response)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/json"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "multipart/mixed; boundary=b"},
        {"Content-Encoding": "gzip"},
        {"Content-Encoding": "identity, br"},
    ],
)
def test_body_that_is_no_plain_form_is_refused(
    client: Client, job: Any, headers: dict[str, str]
) -> None:
    kind = headers.pop("Content-Type", "application/x-www-form-urlencoded")
    response = client.generic("POST", job.apply_url, b"name=x", kind, headers=headers)
    assert response.status_code == 415
    assert "Send the form with a web browser." in words(response)


@pytest.mark.parametrize("missing", [2, 200])
def test_form_truncated_in_its_last_file_is_bad_request(
    client: Client, job: Any, missing: int
) -> None:
    photo = SimpleUploadedFile("cv.jpg", JPEG + b"\0" * 1000, "image/jpeg")
    body = encode_multipart("b", filled_in(cv=photo))
    response = client.generic(
        "POST",
        job.apply_url,
        b"-",
        "multipart/form-data; boundary=b",
        headers={"origin": ORIGIN},
        CONTENT_LENGTH=str(len(body)),
        **{"wsgi.input": io.BytesIO(body[:-missing])},
    )
    assert response.status_code == 400
    assert "The form did not arrive completely" in words(response)
    assert Application.objects.count() == 0


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n\xff\xfe\r\n--b--',
        ),
        (
            "multipart/form-data; boundary=b; charset=utf-7",
            b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\n+2AA-\r\n--b--',
        ),
        ("application/x-www-form-urlencoded", b"name=%ff%fe&email=%ed%a0%80&=&&&=x"),
        ("application/x-www-form-urlencoded; charset=utf-7", b"name=%2b2AA-"),
        ("application/x-www-form-urlencoded; charset=base64", b"name=x"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"name=x"),
        ("", b""),
    ],
)
def test_body_without_readable_fields_is_an_empty_form(
    client: Client, job: Any, content_type: str, body: bytes
) -> None:
    response = client.generic("POST", job.apply_url, body, content_type, headers={"origin": ORIGIN})
    assert response.status_code == 422
    assert Application.objects.count() == 0


@pytest.mark.parametrize(
    "name",
    [
        "../../x",
        "x" * 300 + ".pdf",
        'a"b.pdf',
        "a\\b.pdf",
        "cv\u202efdp.exe",
        "%00.pdf",
        ".pdf",
        "...",
        "cv;.pdf",
        "&#46;&#46;/x",
    ],
)
def test_file_of_any_name_is_accepted_with_clean_name(client: Client, job: Any, name: str) -> None:
    response = send(client, job, cv=pdf(name=name))
    assert response.status_code == 303
    file = ApplicationFile.objects.get()
    assert file.filename.endswith(".pdf")
    assert not set(file.filename) & set('/\\"\r\n\u202e')


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    entered=st.dictionaries(
        st.sampled_from(
            ["name", "email", "phone", "more", "edition", "kept-cv", "drop-cv", "confirm", "q-x"]
        )
        | st.text(min_size=1, max_size=8),
        st.text(max_size=40),
    ),
    content=st.binary(max_size=60),
    name=st.text(min_size=1, max_size=30),
)
def test_form_with_any_input_answers_303_or_422(
    job: Any, entered: dict[str, str], content: bytes, name: str
) -> None:
    file = SimpleUploadedFile("cv.pdf", content)
    name = name.replace("\x00", "").replace("/", "")
    # Django's class refuses such names; other tests send what browsers send.
    file.name = "x" if name in ("", ".", "..") else name
    client = Client(headers={"origin": ORIGIN})
    response = client.post(job.apply_url, {**entered, "cv": file})
    assert response.status_code in (303, 422)


# ── When our system fails ───────────────────────────────────────────────────────────────


def test_form_without_content_length_is_rejected(client: Client, job: Any) -> None:
    response = client.post(
        job.apply_url,
        filled_in(),
        CONTENT_LENGTH="",
        HTTP_TRANSFER_ENCODING="chunked",
        headers={"origin": ORIGIN},
    )
    assert response.status_code == 411
    assert "Nothing was received." in words(response)
    assert "another browser" in words(response)
    assert Application.objects.count() == 0


def test_upcoming_job_answers_conflict_with_opening_time_and_everything_entered(
    client: Client, job: Any
) -> None:
    job.opens_at = timezone.now() + dt.timedelta(days=2)
    job.save()
    response = send(client, job, name="Zoë O’Brien")
    assert response.status_code == 409
    assert "You can’t apply yet" in words(response)
    assert "You can apply from" in words(response)
    assert "closed while you were writing" not in words(response)
    assert "Zoë O’Brien" in words(response)
    assert Application.objects.count() == 0


class Break:
    """Makes the database fail at the first statement that mentions ``table``."""

    def __init__(self, table: str = "", error: type[Exception] = OperationalError) -> None:
        self.table, self.error = table, error

    def __call__(self, execute: Any, sql: str, *args: Any) -> Any:
        if self.table in sql and "SAVEPOINT" not in sql:
            raise self.error("broken on purpose")
        return execute(sql, *args)


@pytest.mark.parametrize(
    "table",
    ["careers_application", "careers_filebytes", "careers_consent", "careers_stepevent", ""],
)
def test_database_error_stores_nothing_and_returns_everything_entered(
    client: Client, job: Any, table: str
) -> None:
    with connection.execute_wrapper(Break(table)):
        response = send(client, job, name="Zoë O’Brien")
    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert "could not be stored just now" in words(response)
    assert "Zoë O’Brien" in words(response)
    assert ADDRESS in words(response)
    for model in (Application, ApplicationFile, Step, StepEvent):
        assert model.objects.count() == 0
    assert send(client, job, name="Zoë O’Brien").status_code == 303


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL is locked in tests/faults")
def test_database_lock_timeout_returns_everything_entered(client: Client, job: Any) -> None:
    """Another process writes for longer than the request waits, such as a failing backup."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout = 200")
    with contextlib.closing(sqlite3.connect(connection.settings_dict["NAME"])) as foreign:
        foreign.isolation_level = None
        foreign.execute("BEGIN IMMEDIATE")
        response = send(client, job, name="Zoë O’Brien")
        foreign.execute("ROLLBACK")
    connection.close()
    assert response.status_code == 503
    assert "could not be stored just now" in words(response)
    assert "Zoë O’Brien" in words(response)
    assert Application.objects.count() == 0
    assert send(client, job, name="Zoë O’Brien").status_code == 303


def test_database_error_is_logged_without_personal_data(
    client: Client, job: Any, caplog: Any
) -> None:
    with connection.execute_wrapper(Break("careers_stepevent")):
        send(client, job, name="Canary Birdsong", email="canary@example.org")
    assert "could not be stored" in caplog.text
    assert "anary" not in caplog.text


def test_address_of_another_language_is_answered_in_the_language_of_the_job(
    client: Client, job: Any
) -> None:
    with translation.override("fr"):
        address = reverse("apply", args=[job.job_key])
    assert address.startswith("/fr/")
    response = client.post(address, {"name": ""}, headers={"Sec-Fetch-Site": "same-origin"})
    assert response.status_code == 422
    assert '<html lang="en"' in response.content.decode()


# ── In French ───────────────────────────────────────────────────────────────────────────


@pytest.fixture
def french_job(home: Any, job_index: Any, job: Any) -> Any:
    french_site(home, job_index)
    return in_french(job, {"Gauge keeper": "Gardien de jauges"})


def test_french_form_is_answered_in_french(client: Client, french_job: Any) -> None:
    assert french_job.apply_url == f"/fr/apply/{french_job.job_key}/"
    wrong = send(client, french_job, name="")
    assert wrong.status_code == 422
    assert "Saisissez votre nom complet." in words(wrong)
    right = send(client, french_job)
    assert right.status_code == 303
    assert right["Location"].startswith("/fr/received/")
    assert "Nous avons bien reçu votre candidature" in words(client.get(right["Location"]))
    assert Application.objects.get().language == "fr"


def test_closed_french_job_is_answered_in_french(client: Client, french_job: Any, job: Any) -> None:
    job.closes_at = timezone.now() - dt.timedelta(minutes=1)
    job.save_revision().publish()
    response = send(client, french_job)
    assert response.status_code == 410
    assert "Cette offre a été clôturée pendant que vous écriviez" in words(response)


def test_alias_in_another_language_is_answered_in_the_original_language(
    client: Client, job: Any
) -> None:
    job.copy_for_translation(french(), copy_parents=True, alias=True)
    response = client.post(f"/fr/apply/{job.job_key}/", {"name": "Jeanne"})
    assert '<html lang="en"' in response.content.decode()
    assert f'action="/apply/{job.job_key}/"' in response.content.decode()


def test_unknown_job_at_french_address_is_answered_in_french(client: Client, home: Any) -> None:
    response = client.post(f"/fr/apply/{uuid.uuid4()}/", {"name": "Jeanne"})
    assert response.status_code == 404
    assert "Cette offre n’est plus disponible" in words(response)
    assert "Jeanne" in words(response)
