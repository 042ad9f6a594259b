"""Answers in scripts that need the system's fonts, with and without those fonts."""

from __future__ import annotations

import hashlib
import io
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pikepdf
import pypdf
import pytest
from fontTools.ttLib import TTFont

from careers.documents import SCRIPTS, missing_scripts, render_pdf
from tests.support.paperwork import answering
from tests.support.pdfs import in_a_new_process, letters, text_of

WORLD = {
    "arabic": "أنا مهندسة من القاهرة",
    "hebrew": "אני מהנדסת מחיפה",
    "chinese": "我是北京来的工程师。",
    "japanese": "東京のエンジニアです。",
    "korean": "서울에서 온 엔지니어입니다",
    "emoji": "👋 🎉 🚀",
}


def glyphs(content: bytes) -> Iterator[tuple[TTFont | None, int]]:
    """Every glyph that the pages draw with a composite font, with the embedded font."""
    with pikepdf.open(io.BytesIO(content)) as file:
        for page in file.pages:
            embedded = {}
            for name, font in page.Resources.Font.items():
                descriptor = font.DescendantFonts[0].FontDescriptor
                stream = descriptor.get("/FontFile2") or descriptor.get("/FontFile3")
                assert stream is not None, f"{font.BaseFont} is not embedded"
                # TTFont cannot read bare CFF. Our fonts are never bare CFF.
                embedded[name] = TTFont(io.BytesIO(stream.read_bytes()))
            current = None
            for operands, operator in pikepdf.parse_content_stream(page):
                if str(operator) == "Tf":
                    current = embedded[str(operands[0])]
                elif str(operator) in ("Tj", "TJ"):
                    shown = operands[0] if str(operator) == "TJ" else operands
                    for piece in shown:
                        if isinstance(piece, pikepdf.String):
                            codes = bytes(piece)
                            for at in range(0, len(codes), 2):
                                yield current, int.from_bytes(codes[at : at + 2])


def boxes(content: bytes) -> int:
    """The number of glyphs that no font has, which are drawn as boxes."""
    return sum(
        1
        for font, glyph in glyphs(content)
        if font is None or not 0 < glyph < font["maxp"].numGlyphs
    )


@pytest.fixture(scope="module")
def made() -> bytes:
    return render_pdf(answering(*WORLD.values()))


# ── With fonts, which bin/setup --dev installs ──────────────────────────────────────────


def test_fonts_for_the_tests_are_installed() -> None:
    assert {"chinese", "japanese", "korean", "emoji"} & {*missing_scripts()} == set()


def test_answers_in_all_scripts_have_glyphs(made: bytes) -> None:
    assert boxes(made) == 0
    assert sum(1 for _glyph in glyphs(made)) > 100


def test_emoji_are_images_that_pdf_a_allows(made: bytes) -> None:
    with pikepdf.open(io.BytesIO(made)) as file:
        images = file.pages[0].Resources.XObject
        assert [image.Interpolate for image in images.values()] == [False] * 3


def test_answers_in_all_scripts_can_be_extracted(made: bytes) -> None:
    text = letters(text_of(made))
    for script in ("chinese", "japanese", "korean", "emoji"):
        assert letters(WORLD[script]) in text


def test_same_answer_gives_the_same_bytes_later(made: bytes) -> None:
    # Fonts carry the time of their last change, in seconds.
    out = in_a_new_process(
        f"""
        import hashlib, time_machine
        with time_machine.travel("2030-01-01"):
            print(hashlib.sha256(render_pdf(answering(*{list(WORLD.values())!r}))).hexdigest())
        """
    )
    assert out.split()[-1] == hashlib.sha256(made).hexdigest()


@pytest.mark.parametrize(("script", "side"), [("arabic", "right"), ("chinese", "left")])
def test_answers_are_aligned_by_the_direction_of_their_script(script: str, side: str) -> None:
    content = render_pdf(answering(WORLD[script]))
    words = WORLD[script].split()
    places = []

    def visit(text: str, _matrix: object, place: list[float], *_font: object) -> None:
        if text.strip() and (text.strip() in WORLD[script] or words[0] in text):
            places.append(place[4])

    pypdf.PdfReader(io.BytesIO(content)).pages[0].extract_text(visitor_text=visit)
    assert places
    assert (max(places) > 300) == (side == "right")


# ── Without ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def no_fonts(tmp_path: Path) -> str:
    """A configuration without any font of the machine."""
    path = tmp_path / "fonts.conf"
    path.write_text(
        f'<?xml version="1.0"?><fontconfig><cachedir>{tmp_path}</cachedir></fontconfig>'
    )
    return str(path)


def test_missing_scripts_without_fonts_lists_all(
    no_fonts: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FONTCONFIG_FILE", no_fonts)
    assert missing_scripts() == list(SCRIPTS)


def test_pdf_is_made_without_fonts(no_fonts: str, tmp_path: Path) -> None:
    path = tmp_path / "made.pdf"
    in_a_new_process(
        f"""
        import warnings; warnings.simplefilter("ignore")
        open({str(path)!r}, "wb").write(render_pdf(answering(*{list(WORLD.values())!r})))
        """,
        FONTCONFIG_FILE=no_fonts,
    )
    content = path.read_bytes()
    unknown = ("chinese", "japanese", "korean", "emoji")
    assert boxes(content) == sum(len(letters(WORLD[script])) for script in unknown)
    # PDF readers extract text with these tables.
    with pikepdf.open(io.BytesIO(content)) as file:
        known = " ".join(
            font.ToUnicode.read_bytes().decode() for font in file.pages[0].Resources.Font.values()
        )
    for character in "".join(letters(WORLD[script]) for script in unknown):
        assert f"<{character.encode('utf-16-be').hex()}>" in known


def test_missing_scripts_without_fontconfig_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert missing_scripts() == []
    monkeypatch.setattr(shutil, "which", lambda _name: "/bin/false")
    assert missing_scripts() == []


def test_characters_with_a_font_are_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO, logger="careers.documents"):
        render_pdf(answering(*WORLD.values()))
    assert caplog.messages == []
