"""Web addresses as people type and paste them."""

from __future__ import annotations

import pytest
from wagtail.admin.forms.models import formfield_for_dbfield

from careers.applications.frozen import Question
from home.blocks import CallToActionBlock
from home.models import SiteSettings
from home.values import link
from tests.support.whole_way import whole_way

#: Typed, and stored, shown and archived.
LINKS = [
    ("https://example.org/me?a=1", "https://example.org/me?a=1"),
    ("http://example.org", "http://example.org"),
    ("HTTPS://example.org", "HTTPS://example.org"),
    ("www.linkedin.com/in/anna", "https://www.linkedin.com/in/anna"),
    ("linkedin.com/in/anna", "https://linkedin.com/in/anna"),
    ("medium.com/@anna", "https://medium.com/@anna"),
    ("example.org", "https://example.org"),
    ("example.org:8080", "https://example.org:8080"),
    ("example.org:8080/x", "https://example.org:8080/x"),
    ("example.org?next=http://b.example", "https://example.org?next=http://b.example"),
    ("example.org#work", "https://example.org#work"),
    ("//example.org/x", "https://example.org/x"),
    ("192.168.1.1/x", "https://192.168.1.1/x"),
    ("https://[::1]/x", "https://[::1]/x"),
    (" https://example.org \n", "https://example.org"),
    ("<https://example.org/a>", "https://example.org/a"),
    ("“example.org/a”", "https://example.org/a"),
    ("\u200bhttps://example.org\ufeff", "https://example.org"),
    ("\u202aexample.org/a\u202c", "https://example.org/a"),
    ("exa\u00admple.org", "https://example.org"),
    ("example.org/\x1fa\x00", "https://example.org/a"),
    ("ｗｗｗ．ｅｘａｍｐｌｅ．ｃｏｍ／a", "https://www.example.com/a"),
    ("https：／／example.com/：", "https://example.com/："),
    ("例え。テスト", "https://例え.テスト"),
    ("faß.de/anna", "https://faß.de/anna"),
    ("https://example.org/пётр", "https://example.org/пётр"),
    ("https://example.org/a%20b", "https://example.org/a%20b"),
    ("https://example.org/~anna/", "https://example.org/~anna/"),
    ("https://example.org/a?b=<c>&d='e'", "https://example.org/a?b=<c>&d='e'"),
    ("HTTP://Anna:secret@Example.ORG", "HTTP://Anna:secret@Example.ORG"),
    ("https://example.org/\u202egpj.exe", "https://example.org/gpj.exe"),
]


@pytest.mark.parametrize(("typed", "address"), LINKS)
def test_read_returns_the_whole_address(typed: str, address: str) -> None:
    assert link.read(typed) == address


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            "https://",
            "anna",
            "n/a",
            "none",
            "1.5",
            "anna smith",
            "example.org/a b",
            "a.b c.de",
        ),
        *(
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "java\u200bscript:alert(1)",
            "data:text/html,x",
        ),
        *("ftp://example.org", "mailto:a@example.org", "a@example.org", "tel:+4420", "file:///etc"),
        *("https:/example.org", "https:example.org", "http//example.org", "https://exa mple.org"),
        # No host can have these names (IDNA 2008).
        *("https://☃.example", "https://a\u3002\u3002b.example", "https://-ü.example"),
        "https://example.org/" + "a" * 3000,
    ],
)
def test_read_of_no_web_address_returns_none(typed: str) -> None:
    assert link.read(typed) is None


def test_link_without_a_scheme_gets_https_in_the_admin_too() -> None:
    fields = [
        formfield_for_dbfield(SiteSettings._meta.get_field("organisation_url")),
        CallToActionBlock().child_blocks["address"],
    ]
    assert [field.clean("www.example.org/a") for field in fields] == [
        "https://www.example.org/a"
    ] * 2


def test_each_link_is_the_same_on_pages_and_in_archive_and_document() -> None:
    links = {f"{number}": row for number, row in enumerate(LINKS)}
    questions = [Question(key, "link", key) for key in links]
    way = whole_way({f"q-{key}": typed for key, (typed, _address) in links.items()}, questions)
    stored = {key: address for key, (_typed, address) in links.items()}
    shown = way.shown("fr")
    assert {key: way.application.answers[key] for key in links} == stored
    assert {key: way.archived["answers"][key] for key in links} == stored
    assert {key: shown[key] for key in links} == stored
    assert [address for address in stored.values() if address not in way.printed] == []
