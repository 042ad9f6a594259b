"""A page as its editor in the admin posts it."""

from __future__ import annotations

import uuid
from typing import Any

from careers.jobs.models import JobPage


def page_form(job: JobPage, **changes: str) -> dict[str, Any]:
    """The edit form of a job as the admin posts it."""
    data = {
        "title": job.title,
        "slug": job.slug,
        "summary": job.summary,
        "seo_title": "",
        "search_description": "",
        "workplace": job.workplace,
        "employment_type": job.employment_type,
        "pay_currency": "EUR",
        "pay_unit": "YEAR",
        "ask_phone": job.ask_phone,
        "ask_cv": job.ask_cv,
        "ask_cover_letter": job.ask_cover_letter,
        "hr_recipients": job.hr_recipients,
        "privacy_notice": "null",
        "body-count": "0",
        "questions-count": "0",
        "comments-TOTAL_FORMS": "0",
        "comments-INITIAL_FORMS": "0",
        **changes,
    }
    return {name: value for name, value in data.items() if value is not None}


def choice_questions(count: int, options: int) -> dict[str, str]:
    """The fields of new choice questions, as the admin posts them."""
    fields = {"questions-count": str(count)}
    for number in range(count):
        question = f"questions-{number}"
        kind = "multiple_choice" if number % 2 else "single_choice"
        fields |= _item(question, number) | {
            f"{question}-type": kind,
            f"{question}-value-label": f"Question {number}",
            f"{question}-value-help_text": "",
            f"{question}-value-options-count": str(options),
        }
        for place in range(options):
            option = f"{question}-value-options-{place}"
            fields |= _item(option, place) | {
                f"{option}-type": "",
                f"{option}-value": f"Option {place}",
            }
    return fields


def _item(name: str, place: int) -> dict[str, str]:
    """The hidden fields of one item of a list."""
    return {f"{name}-deleted": "", f"{name}-order": str(place), f"{name}-id": str(uuid.uuid4())}
