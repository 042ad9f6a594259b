"""A site answers at the host that its administrator typed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory
from wagtail.models import Page, Site

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "asked_for"),
    [
        ("straße.example", "xn--strae-oqa.example"),
        ("strasse.example", "strasse.example"),
        ("ΣΊΣΥΦΟΣ.example", "xn--kxa6akbbkh.example"),
    ],
)
def test_request_finds_the_site_of_its_host(settings: Any, typed: str, asked_for: str) -> None:
    settings.ALLOWED_HOSTS = [asked_for]
    site = Site.objects.create(hostname=typed, port=80, root_page=Page.get_first_root_node())
    request = RequestFactory().get("/", headers={"host": asked_for})
    assert Site.find_for_request(request) == site
    assert site.root_url == f"http://{asked_for}"
