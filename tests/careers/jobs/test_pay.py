"""Pay in words."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from careers.jobs.models import JobPage

# A new page looks up its content type.
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (None, None, ""),
        (72000, 88000, "€72,000 – €88,000 a year"),
        (72000, None, "from €72,000 a year"),
        (None, 88000, "€88,000 a year"),
        (72000, 72000, "€72,000 a year"),
        ("17.5", None, "from €17.50 a year"),
    ],
)
def test_pay_range_is_shown_in_words(low: object, high: object, words: str) -> None:
    ends = [None if end is None else Decimal(str(end)) for end in (low, high)]
    with translation.override("en"):
        assert JobPage(pay_from=ends[0], pay_to=ends[1]).pay == words
