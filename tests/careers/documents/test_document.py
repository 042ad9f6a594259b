import dataclasses
import datetime as dt
from typing import Any

import pytest

from careers.applications.files import store_file
from careers.documents import AnswerText, Branding, document_for, render_pdf
from tests.support.applying import apply_for, ask, the_cv
from tests.support.paperwork import document

BRAND = Branding("Tidewater", "#0e5c46")


def test_document_has_what_the_applicant_saw_and_sent(job: Any) -> None:
    job.questions = [
        ask("long_text", "Why?", key="why", help_text="Be brief."),
        ask("multiple_choice", "Which?", key="which", options={"a": "Boats", "b": "Gauges"}),
        ask("short_text", "Else?", key="else"),
        ask("note", "Read this.", key="note"),
    ]
    job.save_revision().publish()
    application = apply_for(
        job, answers={"phone": "+47 55", "why": "Tides.\n\nSea.", "which": ["a", "b"]}
    )

    made = document_for(application, BRAND)

    labels = {question.key: question.label for question in application.frozen_form.questions}
    assert made.applicant == (
        (labels["name"], "Jane Miller"),
        (labels["email"], "jane@example.org"),
        (labels["phone"], "+47 55"),
    )
    assert made.answers == (
        AnswerText("Why?", ("Tides.", "Sea."), "Be brief."),
        AnswerText("Which?", ("Boats", "Gauges"), is_list=True),
        AnswerText("Else?"),
    )
    assert [(file.name, file.size) for file in made.files] == [("cv.pdf", len(the_cv()))]
    assert made.received_at == application.received_at
    assert (made.reference, made.job_title) == (application.reference, "Gauge keeper")
    assert made.time_zone == "Europe/Oslo"
    assert made.job == tuple(job.frozen_form().facts)


def test_application_from_the_form_becomes_a_pdf(job: Any) -> None:
    assert render_pdf(document_for(apply_for(job), BRAND)).startswith(b"%PDF-1.7")


def test_document_is_the_same_after_its_pdf_is_stored(job: Any) -> None:
    application = apply_for(job)
    before = document_for(application, BRAND)
    for kind in ("pdf", "manifest"):
        store_file(application, kind=kind, content=b"ours", filename="x", content_type="text/plain")
    assert document_for(application, BRAND) == before


def test_document_without_phone_has_no_phone_line(job: Any) -> None:
    assert len(document_for(apply_for(job), BRAND).applicant) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Jane Millar"},
        {"received_at": dt.datetime(2026, 11, 22, 15, 4, tzinfo=dt.UTC)},
        {"answers": ()},
        {"files": ()},
        {"language": "de"},
        {"branding": Branding("Another", "#0e5c46")},
    ],
)
def test_digest_changes_with_the_content(change: dict[str, Any]) -> None:
    assert document(**change).digest != document().digest


def test_digest_does_not_depend_on_colour_and_logo() -> None:
    painted = Branding("Tidewater Instruments", "#ff0000", b"logo", "image/png")
    assert dataclasses.replace(document(), branding=painted).digest == document().digest


def test_digest_does_not_depend_on_the_time_zone_of_the_datetime() -> None:
    oslo = dt.timezone(dt.timedelta(hours=1))
    there = dt.datetime(2026, 11, 22, 16, 3, tzinfo=oslo)
    assert document(received_at=there).digest == document().digest
