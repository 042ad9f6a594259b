"""What is true for every public page."""

import re
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.test import Client
from wagtail.blocks.struct_block import StructBlockValidationError
from wagtail.rich_text import RichText

from home.blocks import BodyBlock
from home.models import PlainPage

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages(job: Any) -> list[str]:
    home = job.get_parent().get_parent()
    home.add_child(instance=PlainPage(title="Privacy", slug="privacy"))
    return ["/", "/careers/", "/careers/?q=nothing", "/careers/gauge-keeper/", "/privacy/"]


def test_pages_are_the_same_for_all_visitors(client: Client, pages: list[str]) -> None:
    for address in pages:
        response = client.get(address)
        assert response.status_code == 200, address
        assert not response.cookies, address
        assert "Cookie" not in response.get("Vary", ""), address
        assert "csrfmiddlewaretoken" not in response.content.decode(), address


def test_pages_comply_with_the_content_security_policy(client: Client, pages: list[str]) -> None:
    for address in [*pages, "/there-is-no-such-page/"]:
        html = client.get(address).content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", html), address
        scripts = re.findall(r"<script([^>]*)>", html)
        assert all("src=" in tag or "application/ld+json" in tag for tag in scripts), address
        loaded = re.findall(r"<(?:script|img|source|iframe)[^>]+src=\"([^\"]+)", html)
        loaded += re.findall(r"<link[^>]+stylesheet\"[^>]+href=\"([^\"]+)", html)
        assert all(url.startswith("/") and not url.startswith("//") for url in loaded), address


def test_missing_page_shows_an_error_with_links(client: Client, pages: list[str]) -> None:
    response = client.get("/there-is-no-such-page/")
    assert response.status_code == 404
    assert "Page not found" in response.content.decode()


def test_missing_page_offers_the_search_and_the_newest_jobs(
    client: Client, job: Any, django_assert_max_num_queries: Any
) -> None:
    with django_assert_max_num_queries(26):
        page = client.get("/there-is-no-such-page/").content.decode()
    assert '<form class="search" method="get" action="/careers/"' in page
    assert "Gauge keeper" in page
    assert '<meta name="robots" content="noindex">' in page


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "500"])
def test_error_pages_need_no_database(name: str, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        html = render_to_string(f"{name}.html")
    assert html.count("<h1>") == 1
    assert 'href="/"' in html


def test_server_error_page_needs_no_database() -> None:
    html = render_to_string("500.html")
    assert "can’t be shown right now" in html
    assert "we keep one copy" in html


def test_footer_links_to_plain_pages(client: Client, pages: list[str]) -> None:
    for address in pages:
        assert 'href="/privacy/"' in client.get(address).content.decode(), address


def test_blocks_escape_html_in_texts() -> None:
    block = BodyBlock()
    raw = [
        {"type": "heading", "value": "<b>Here</b>"},
        {"type": "quote", "value": {"text": "<i>x</i>", "name": "A & B", "role": ""}},
        {
            "type": "facts",
            "value": {"title": "", "items": [{"title": "<u>one</u>", "text": "two"}]},
        },
    ]
    html = "".join(child.render() for child in block.to_python(raw))
    assert "&lt;b&gt;Here" in html
    assert "“&lt;i&gt;x&lt;/i&gt;”" in html
    assert "A &amp; B" in html
    assert "&lt;u&gt;one" in html


def test_call_to_action_needs_exactly_one_target() -> None:
    block = BodyBlock().child_blocks["call_to_action"]
    value = {"text": "Come", "label": "Go", "page": None, "address": ""}
    with pytest.raises(StructBlockValidationError) as refused:
        block.clean(block.to_python(value))
    assert "but not both" in str(refused.value.block_errors["page"])
    good = block.clean(block.to_python({**value, "address": "https://example.org/"}))
    assert good.href == "https://example.org/"


def test_paragraph_keeps_its_links() -> None:
    html = BodyBlock().child_blocks["paragraph"].render(RichText('<p><a href="/x/">x</a></p>'))
    assert '<a href="/x/">' in html
