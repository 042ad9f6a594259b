"""Headers of every response."""

from __future__ import annotations

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory

from careersite.middleware import public_pages_are_cacheable
from tests.support import people


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Accept-Language", None),
        ("Accept-Language, Cookie", "Cookie"),
        ("Cookie, accept-language", "Cookie"),
        ("Accept-Encoding", "Accept-Encoding"),
        (None, None),
    ],
)
def test_responses_do_not_vary_by_accept_language(before: str | None, after: str | None) -> None:
    headers = {"Vary": before} if before else {}
    get = public_pages_are_cacheable(lambda request: HttpResponse(headers=headers))
    assert get(RequestFactory().get("/")).headers.get("Vary") == after


@pytest.mark.django_db
def test_public_pages_have_the_strict_policy(client: Client, home: object) -> None:
    policy = client.get("/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'self'" in policy


@pytest.mark.django_db
def test_admin_has_the_policy_that_wagtail_needs(client: Client, home: object) -> None:
    client.force_login(people.ada())
    policy = client.get("/admin/")["Content-Security-Policy"]
    assert "'unsafe-inline'" in policy
    assert "object-src 'none'" in policy
