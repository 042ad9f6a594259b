"""Hosts: as they are typed, on the network, and shown to people."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import settings as rules
from hypothesis import strategies as st

from home.values.host import to_ascii, to_unicode, url_to_ascii

#: What is typed, what goes over the network, what people see.
HOSTS = [
    ("example.org", "example.org", "example.org"),
    ("EXAMPLE.Org", "example.org", "example.org"),
    ("example.org.", "example.org.", "example.org."),
    ("localhost", "localhost", "localhost"),
    ("my_server", "my_server", "my_server"),
    ("r3---sn.example.com", "r3---sn.example.com", "r3---sn.example.com"),
    ("127.0.0.1", "127.0.0.1", "127.0.0.1"),
    ("[192.0.2.1]", "[192.0.2.1]", "[192.0.2.1]"),
    ("[IPv6:2001:DB8::1]", "[ipv6:2001:db8::1]", "[ipv6:2001:db8::1]"),
    # Four characters that IDNA 2003 maps to others or drops.
    ("faß.de", "xn--fa-hia.de", "faß.de"),
    ("FAẞ.de", "xn--fa-hia.de", "faß.de"),
    ("fass.de", "fass.de", "fass.de"),
    ("xn--fa-hia.de", "xn--fa-hia.de", "faß.de"),
    ("XN--FA-HIA.DE", "xn--fa-hia.de", "faß.de"),
    ("σίσυφος.gr", "xn--kxa6ajbbmh.gr", "σίσυφος.gr"),
    ("σίσυφοσ.gr", "xn--kxa6akbbkh.gr", "σίσυφοσ.gr"),
    ("ΣΊΣΥΦΟΣ.gr", "xn--kxa6akbbkh.gr", "σίσυφοσ.gr"),
    ("ශ්\u200dරී.lk", "xn--10cl1a0b660p.lk", "ශ්\u200dරී.lk"),
    ("نامه\u200cای.ir", "xn--mgba3gch31f060k.ir", "نامه\u200cای.ir"),
    ("نامهای.ir", "xn--mgba3gch31f.ir", "نامهای.ir"),
    # Spellings of one name.
    ("bücher.example", "xn--bcher-kva.example", "bücher.example"),
    ("bu\u0308cher.example", "xn--bcher-kva.example", "bücher.example"),
    ("BÜCHER.example", "xn--bcher-kva.example", "bücher.example"),
    ("ｅｘａｍｐｌｅ．ｊｐ", "example.jp", "example.jp"),
    ("例え。テスト", "xn--r8jz45g.xn--zckzah", "例え.テスト"),
    ("exa\u00admple.org", "example.org", "example.org"),
    ("\u200bexample.org", "example.org", "example.org"),
    ("𝐞xample.org", "example.org", "example.org"),
    # Other scripts, and letters that Unicode got after IDNA 2003.
    ("пример.рф", "xn--e1afmkfd.xn--p1ai", "пример.рф"),
    ("דוגמה.ישראל", "xn--6dbbec0c.xn--4dbrk0ce", "דוגמה.ישראל"),
    (
        "موقع.وزارة-الأتصالات.مصر",
        "xn--4gbrim.xn----rmckbbajlc6dj7bxne2c.xn--wgbh1c",
        "موقع.وزارة-الأتصالات.مصر",
    ),
    ("उदाहरण.भारत", "xn--p1b6ci4b4b3a.xn--h2brj9c", "उदाहरण.भारत"),
    ("예제.한국", "xn--2j5b21b.xn--3e0b707e", "예제.한국"),
    ("ꮳꮃꭹ.example", "xn--f9dt7l.example", "ᏣᎳᎩ.example"),
    ("İstanbul.example", "xn--istanbul-o0e.example", "i̇stanbul.example"),
    ("ısparta.example", "xn--sparta-o9a.example", "ısparta.example"),
    # Not canonical, so no other spelling stands for it.
    ("xn--a.example", "xn--a.example", "xn--a.example"),
    ("xn--i-7iq.ws", "xn--i-7iq.ws", "xn--i-7iq.ws"),
]


@pytest.mark.parametrize(("typed", "sent", "shown"), HOSTS)
def test_host_has_one_spelling_on_the_network_and_one_for_people(
    typed: str, sent: str, shown: str
) -> None:
    assert to_ascii(typed) == sent
    assert to_unicode(typed) == shown == to_unicode(sent)
    assert to_ascii(shown) == sent


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ".",
        ".example.org",
        "a..b",
        "a b.example",
        "a/b.example",
        "a@b.example",
        "-a.example",
        "a-.example",
        "℀.example",  # maps to "a/c"
        "ﷺ.example",  # maps to words with spaces
        "i❤.ws",  # only its A-label names it without doubt
        "नी\u200c.example",  # a joiner that joins nothing
        "א1a.example",  # right-to-left and left-to-right letters in one label
        "\u0301a.example",
        "faß_x.example",
        "a" * 64 + ".example",
        "ä" * 60 + ".example",
        "a." * 127 + "example",
        "ä." * 5000,
        "[:::",
        "[example.org]",
        "a\r\nb.example",
        "a\x00.example",
    ],
)
def test_text_that_is_no_host_is_refused(typed: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- the words are for logs
        to_ascii(typed)
    assert to_unicode(typed) == typed.lower()


@rules(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_host_of_any_text_is_stable_or_refused(text: str) -> None:
    try:
        sent = to_ascii(text)
    except ValueError:
        return
    assert sent.isascii()
    assert to_ascii(sent) == to_ascii(to_unicode(text)) == sent
    assert to_unicode(to_unicode(text)) == to_unicode(text)


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("https://example.org/ß?ä#ü", "https://example.org/ß?ä#ü"),
        ("https://Example.org:8443", "https://Example.org:8443"),
        ("https://faß.de", "https://xn--fa-hia.de"),
        ("https://FAß.de:8443/ß?faß.de", "https://xn--fa-hia.de:8443/ß?faß.de"),
        ("rediss://ß:p@ß:1/0", "rediss://ß:p@xn--zca:1/0"),
        ("redis://[::1]:6379/0", "redis://[::1]:6379/0"),
        ("sqlite:////tmp/ß.sqlite3", "sqlite:////tmp/ß.sqlite3"),
    ],
)
def test_url_leads_to_its_own_host(typed: str, sent: str) -> None:
    assert url_to_ascii(typed) == sent
