"""Pay in words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation

from careers.jobs.models import JobPage
from careers.jobs.pay import decimals_errors
from tests.support.editing import page_form

# A new page looks up its content type.
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("low", "high", "currency", "words"),
    [
        (None, None, "EUR", ""),
        (72000, 88000, "EUR", "€72,000 – €88,000 a year"),
        (72000, None, "EUR", "from €72,000 a year"),
        (None, 88000, "EUR", "€88,000 a year"),
        (72000, 72000, "EUR", "€72,000 a year"),
        ("17.500", None, "EUR", "from €17.50 a year"),
        ("1234.5", "1300.000", "KWD", "KWD\u00a01,234.500 – KWD\u00a01,300 a year"),
        ("5000000.000", None, "JPY", "from ¥5,000,000 a year"),
    ],
)
def test_pay_range_is_shown_in_words(low: object, high: object, currency: str, words: str) -> None:
    ends = [None if end is None else Decimal(str(end)) for end in (low, high)]
    with translation.override("en"):
        page = JobPage(pay_from=ends[0], pay_to=ends[1], pay_currency=currency)
        assert page.pay == words


@pytest.mark.parametrize(
    ("currency", "amount", "message"),
    [
        ("EUR", "17.50", None),
        ("EUR", "17.505", "Amounts in EUR have at most 2 decimals."),
        ("KWD", "17.505", None),
        ("JPY", "5000000.000", None),
        ("JPY", "17.5", "Amounts in JPY have no decimals."),
    ],
)
def test_amount_with_decimals_that_the_currency_lacks_is_refused(
    currency: str, amount: str, message: str | None
) -> None:
    cleaned = {"pay_currency": currency, "pay_from": Decimal(amount), "pay_to": None}
    assert decimals_errors(cleaned).get("pay_from") == message
    assert "pay_to" not in decimals_errors(cleaned)


def test_stored_amount_and_currency_of_the_past_stay_valid(job: JobPage) -> None:
    # A schedule and a translation save pages as they are.
    job.pay_from, job.pay_currency = Decimal("17.505"), "HRK"
    job.full_clean()


def edited(job: JobPage, **changes: str) -> Any:
    """The editor's form of a job as HR sends it."""
    form_class = JobPage.get_edit_handler().get_form_class()
    return form_class(page_form(job, **changes), instance=job, parent_page=job.get_parent())


@pytest.mark.parametrize(
    ("typed", "currency", "stored"),
    [
        ("72 000,50", "Euro (EUR)", ("72000.5", "EUR")),
        ("1,234.5670", "Kuwaiti Dinar (KWD)", ("1234.567", "KWD")),
        ("5’000’000", "jpy", ("5000000", "JPY")),
    ],
)
def test_hr_writes_pay_as_people_do(
    job: JobPage, typed: str, currency: str, stored: tuple[str, str]
) -> None:
    form = edited(job, pay_from=typed, pay_currency=currency)
    assert "pay_from" not in form.errors
    page = form.save(commit=False)
    assert (str(page.pay_from), page.pay_currency) == stored
    # What the editor shows is read as the same amount again.
    shown = type(form)(instance=page, parent_page=job.get_parent())["pay_from"]
    assert shown.field.clean(shown.value()) == page.pay_from


@pytest.mark.parametrize(
    ("field", "changes", "message"),
    [
        ("pay_from", {"pay_from": "45.000"}, "This can be 45000 or 45."),
        ("pay_from", {"pay_from": "1e3"}, "Enter a number, such as 40."),
        ("pay_to", {"pay_to": "17.5", "pay_currency": "JPY"}, "Amounts in JPY have no decimals."),
        ("pay_currency", {"pay_currency": "DEM"}, "“DEM” is not in the list."),
    ],
)
def test_pay_that_cannot_be_understood_is_refused_in_words(
    job: JobPage, field: str, changes: dict[str, str], message: str
) -> None:
    assert message in edited(job, **changes).errors[field][0]
