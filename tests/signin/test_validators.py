"""Which passwords people may choose."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from home.models import SiteSettings

pytestmark = pytest.mark.django_db


def codes(password: str, user: Any) -> set[str]:
    """Why a password is refused; empty when it is accepted."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        return {str(reason.code) for reason in error.error_list}
    return set()


@pytest.fixture
def company(home: Any, settings: Any) -> None:
    settings.SITE_URL = "https://work.kestrel-instruments.example"
    SiteSettings.objects.update_or_create(
        site=home.get_site(), defaults={"company_name": "Kestrel"}
    )


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "73028461",  # digits only
        "zwölf kleine Füchse",
        "口令口令口令安全密码测试",
        " leading and trailing ",
        "x7" * 64,
    ],
)
def test_password_of_any_characters_is_accepted(ada: Any, password: str) -> None:
    assert codes(password, ada) == set()


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("x7!kQ2#", "password_too_short"),
        ("passwordpassword", "password_own_words"),
        ("trustno1", "password_too_common"),
        ("ada@example.com", "password_too_similar"),
    ],
)
def test_password_that_is_guessed_first_is_refused(ada: Any, password: str, reason: str) -> None:
    assert reason in codes(password, ada)


@pytest.mark.parametrize(
    "password",
    ["Kestrel1", "Kestrel-2026!", "Careers-Kestrel-26", "kestrelkestrel1", "INSTRUMENTS2026"],
)
def test_words_of_the_company_and_the_site_do_not_count(
    ada: Any, company: None, password: str
) -> None:
    assert codes(password, ada) == {"password_own_words"}


def test_long_password_may_hold_a_word_of_the_company(ada: Any, company: None) -> None:
    assert codes("a kestrel hovers over wet fields", ada) == set()
