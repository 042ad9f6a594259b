"""Proof that a form comes from our own page, and the confirmation token in its place."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.core.signing import TimestampSigner
from django.test import RequestFactory
from django.utils import timezone

from careers.apply.origin import CONFIRM, comes_from_our_page, confirmation_token, is_confirmed

KEY = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"origin": settings.SITE_URL}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"origin": f"{settings.SITE_URL}:1"}, False),
        ({"origin": "null"}, False),
        ({}, False),
    ],
)
def test_origin_is_proven_by_the_browser(headers: dict[str, str], expected: bool) -> None:
    assert comes_from_our_page(RequestFactory().post("/", headers=headers)) is expected


def confirmed(token: str) -> bool:
    return is_confirmed(RequestFactory().post("/", {CONFIRM: token}), KEY)


def test_confirmation_token_is_valid_for_its_job_and_a_day(time_machine: Any) -> None:
    token = confirmation_token(KEY)
    assert confirmed(token)
    assert not confirmed(confirmation_token(uuid.UUID(int=8)))
    time_machine.move_to(timezone.now() + dt.timedelta(days=1, seconds=5))
    assert not confirmed(token)


def test_confirmation_token_of_an_older_release_is_valid() -> None:
    assert confirmed(TimestampSigner(salt="careers.jobs.apply.confirm").sign(str(KEY)))
