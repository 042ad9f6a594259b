"""Text keeps all that can be seen and loses all that can't."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careers.applications.frozen import Question
from home.bidi import FSI, PDI, isolated
from home.values.text import (
    _UNSEEN,
    MARKS_ON_A_CHARACTER,
    clean,
    one_line,
    plain,
    visible,
)
from tests.support.whole_way import text_of, whole_way

#: Every code point, lone surrogates too, and often those that need a decision.
WILD = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(
            "\u200b\u200c\u200d\u200e\u200f\u202e\u034f\ufe0f\u20e3\u0301\u0323\u0f73\u302e 1 \n\t"
            "\u05d0\ufb2c\u0639\u0928\u094d\u0e01\u2126\u212a\u1100\u1161\u11a8\u6f22\u1820\u180b"
            "#*8\u0591\u2adc\u0958\xad\ufe00\U000e0100\U0001d15e"
            "\U0001f469\U0001f3f4\U000e0067\U000e007f\u3164\u2800"
        ),
    )
)
#: Typed, and stored. The text is shown, mailed and archived as it is stored.
LINES = [
    ("Ada Lovelace", "Ada Lovelace"),
    ("  Ada \t Lovelace\u00a0", "Ada Lovelace"),
    ("Zoe\u0308", "Zoë"),
    ("one\r\ntwo\u2028three\x85four", "one two three four"),
    ("nul\x00 bell\x07 escape\x1b[31m", "nul bell escape[31m"),
    ("\ufeffzero\u200b width\u2060", "zero width"),
    ("co\u00adoperate", "cooperate"),
    ("evil\u202egpj.exe\u202c", "evilgpj.exe"),
    ("\u2066isolated\u2069 \u2068text\u2069", "isolated text"),
    ("half \ud83d a pair", "half a pair"),
    ("Ada\u200e \u200f(she)\u061c", "Ada (she)"),
    ("A\u200dB\u200cC", "ABC"),
    ("pasted \ufffcpicture", "pasted picture"),
    ("no character \ufdd0\uffff\U0010ffff", "no character"),
    ("tag\U000e0041ged", "tagged"),
    ("musical\U0001d173 note", "musical note"),
    ("\u3164김\u3164철수\uffa0", "김 철수"),
    ("\u2813\u2811\u2800\u2817", "\u2813\u2811 \u2817"),
    ("山田\u3000太郎", "山田 太郎"),
    ("\u0301\u0301Ada", "Ada"),
    (" \u0301Ada", "Ada"),
    ("a" + "\u0301" * 100 + "b", "á" + "\u0301" * (MARKS_ON_A_CHARACTER - 1) + "b"),
    ("می\u200cخواهم", "می\u200cخواهم"),
    ("ه\u200d \u200c\u200dx", "ه\u200d x"),
    ("श्री\u200dमती क्\u200dष", "श्री\u200dमती क्\u200dष"),
    ("ണ\u0d4d\u200d", "ണ\u0d4d\u200d"),
    ("ශ්\u200dරී", "ශ්\u200dරී"),
    ("ខ្មែរ\u200bខ្មែរ\u200b", "ខ្មែរ\u200bខ្មែរ"),
    ("ไทย\u200bไทย", "ไทย\u200bไทย"),
    ("ᠮᠣᠩᠭᠣᠯ\u180bA\u180b", "ᠮᠣᠩᠭᠣᠯ\u180bA"),
    ("葛\U000e0100城 A\U000e0100", "葛\U000e0100城 A"),
    ("漢\ufe00\ufe01", "漢\ufe00\ufe01"),
    ("👩\ufe0f\u200d⚕\ufe0f", "👩\ufe0f\u200d⚕\ufe0f"),
    ("1\ufe0f\u20e3 and 2\ufe0f", "1\ufe0f\u20e3 and 2"),
    (
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    ),
    ("Hello C++\u200e", "Hello C++"),
    ("שלום C++\u200e", "שלום C++\u200e"),
    ("\u200fC++ שלום", "\u200fC++ שלום"),
    ("ש\u05c1ָלוֹם", unicodedata.normalize("NFC", "ש\u05c1ָלוֹם")),
    ("ཧཱུྃ ཀླད", unicodedata.normalize("NFC", "ཧཱུྃ ཀླད")),
    ("Nguyễn Thị", "Nguyễn Thị"),
    ("\u1112\u1161\u11ab", "한"),
    ("Ελληνικά ΑΣ", "Ελληνικά ΑΣ"),
    ("“quoted” – D’Arcy", "“quoted” – D’Arcy"),
    ("\u200b\u202e\u00a0\u2800", ""),
]
PARAGRAPHS = [
    ("One\r\n\r\nTwo", "One\n\nTwo"),
    (" \tOne\x0bTwo\x0c\x00Three\x07\n ", "One\nTwo\nThree"),
    ("a\n\u0301b", "a\nb"),
    ("45\u202f000 €\u00a0!", "45\u202f000 €\u00a0!"),
    ("a\tb   c", "a\tb   c"),
    ("\u3000字下げ\n\u3000字下げ", "字下げ\n\u3000字下げ"),
]


@pytest.mark.parametrize(("typed", "stored"), LINES)
def test_clean_keeps_what_can_be_seen(typed: str, stored: str) -> None:
    assert clean(typed) == stored
    assert visible(typed) is bool(stored)


@pytest.mark.parametrize(("typed", "stored"), PARAGRAPHS)
def test_clean_with_lines_keeps_lines_and_spaces(typed: str, stored: str) -> None:
    assert clean(typed, lines=True) == stored


@given(WILD, st.booleans())
def test_clean_of_any_text_is_composed_encodable_and_clean_already(typed: str, lines: bool) -> None:
    text = clean(typed, lines=lines)
    assert clean(text, lines=lines) == text
    assert unicodedata.is_normalized("NFC", text)
    text.encode()
    assert not {c for c in text if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp")} - set(
        "\n\t"
    )
    assert not text or any(unicodedata.category(c)[0] in "LNPSC" or c > "\u0900" for c in text)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("1\xad\ufe0f", "1"),
        ("1\u200d\ufe0f", "1"),
        ("1\ufe0f\xad\u20e3", "1\ufe0f\u20e3"),
        ("1\u200b\ufe0f\u20e3", "1\ufe0f\u20e3"),
        ("\u0591\u200e", ""),
        ("\u0591\u200eAda\u200f", "Ada"),
        ("1\ufe0f" + "\u0301" * 9, "1" + "\u0301" * 7),
    ],
)
def test_what_was_beside_a_removed_character_is_decided_on_again(typed: str, stored: str) -> None:
    assert clean(typed) == stored
    assert clean(stored) == stored


@given(WILD)
def test_clean_of_any_text_bounds_marks(typed: str) -> None:
    row = 0
    for character in clean(typed):
        row = row + 1 if unicodedata.combining(character) else 0
        assert row <= MARKS_ON_A_CHARACTER


@given(st.text(st.characters(categories=["L", "N", "P", "S"], exclude_characters="\u2800\u3164")))
def test_clean_of_letters_and_signs_only_composes(typed: str) -> None:
    fillers = str.maketrans("", "", "\u115f\u1160\uffa0\ufffc")
    assert clean(typed) == unicodedata.normalize("NFC", typed.translate(fillers))


def test_every_control_and_format_character_is_decided_on() -> None:
    """A character that Unicode adds, or that the patterns miss, would be stored unseen."""
    seen_by_readers = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
    kept = [
        f"{code:x}"
        for code in range(0x110000)
        if unicodedata.category(character := chr(code)) in ("Cc", "Cf", "Cs")
        and code not in seen_by_readers
        and clean(f"a{character}b") not in ("ab", "a b")
    ]
    assert kept == []
    assert not _UNSEEN.search("".join(map(chr, seen_by_readers)))


@pytest.mark.parametrize(
    ("text", "limit", "line"),
    [("a\nbb   cc", 6, "a bb…"), ("a\nbb   cc", 7, "a bb cc"), ("ab\u200bcd", 4, "abcd")],
)
def test_one_line_over_the_limit_ends_with_an_ellipsis(text: str, limit: int, line: str) -> None:
    assert one_line(text, limit) == line


@pytest.mark.parametrize(
    ("typed", "ascii_text"),
    [
        ("٠١٢٣٤٥٦٧٨٩", "0123456789"),
        ("۰۱۲", "012"),
        ("०१२ ০১২ ๐๑๒", "012 012 012"),
        ("０１２（Ａｂ）", "012(Ab)"),
        ("1\u20102\u20113\u20124\u20135\u20146\u22127\u30fc8", "1-2-3-4-5-6-7-8"),
        ("½ ² Ⅳ 三", "½ ² Ⅳ 三"),
    ],
)
def test_plain_writes_digits_and_dashes_in_ascii(typed: str, ascii_text: str) -> None:
    assert plain(typed) == ascii_text


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("Ada", "Ada"),
        ("שלום", f"{FSI}שלום{PDI}"),
        ("a" + "\u0317" * 100, "a" + "\u0317" * MARKS_ON_A_CHARACTER),
        ("Ada\u202e", "Ada"),
        ("a\nb", "a\nb"),
    ],
)
def test_text_stored_by_an_earlier_release_is_shown_clean(stored: str, shown: str) -> None:
    assert isolated(stored) == shown


@pytest.mark.parametrize(("kind", "rows"), [("short_text", LINES), ("long_text", PARAGRAPHS)])
def test_each_text_is_the_same_on_pages_and_in_archive_and_document(
    kind: str, rows: list[tuple[str, str]]
) -> None:
    texts = {f"{number}": row for number, row in enumerate(rows)}
    questions = [Question(key, kind, f"Question {key}") for key in texts]
    way = whole_way({f"q-{key}": typed for key, (typed, _stored) in texts.items()}, questions)
    expected = {key: stored for key, (_typed, stored) in texts.items()}
    assert {key: way.application.answers[key] for key in texts} == expected
    assert {key: way.archived["answers"][key] for key in texts} == expected
    shown = {key: words.split() for key, words in way.shown("fr").items()}
    assert {key: shown[key] for key in texts} == {
        key: stored.split() for key, stored in expected.items()
    }
    lines = [line for stored in expected.values() for line in stored.splitlines()]
    # A document widens tabs.
    printed = " ".join(way.printed.split())
    assert [line for line in lines if " ".join(line.split()) not in printed] == []
    # The mails repeat no answer: what a stranger typed would go to any address.
    mails = text_of(way.to_hr) + text_of(way.to_applicant)
    assert [line for line in lines if len(line) > 4 and line in mails] == []
