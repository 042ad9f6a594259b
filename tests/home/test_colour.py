import re
from pathlib import Path

import pytest

from home.colour import (
    DARK_GROUND,
    EDGES,
    LIGHT_GROUND,
    WORDS,
    contrast,
    mix,
    readable,
    shades,
    words_on,
)

TOKENS = Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css"
ACCENTS = [
    f"#{red:02x}{green:02x}{blue:02x}"
    for red in (0, 51, 119, 187, 255)
    for green in (0, 51, 119, 187, 255)
    for blue in (0, 51, 119, 187, 255)
]


def test_contrast_of_black_and_white_is_21() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("ground", [LIGHT_GROUND, DARK_GROUND])
@pytest.mark.parametrize("accent", ACCENTS)
def test_every_accent_is_readable_on_both_backgrounds(accent: str, ground: str) -> None:
    found = shades(accent, ground)
    assert contrast(found.words, ground) >= WORDS
    assert contrast(found.fill_edge, ground) >= EDGES
    assert contrast(found.fill_words, found.fill) >= WORDS
    assert contrast(found.fill_words, found.fill_hover) >= WORDS


def test_readable_accent_is_unchanged() -> None:
    assert readable("#0e5c46", LIGHT_GROUND, WORDS) == "#0e5c46"
    assert shades("#0e5c46", LIGHT_GROUND).fill == "#0e5c46"


def test_button_keeps_a_pale_accent_in_light_mode_and_lightens_a_dark_one_in_dark_mode() -> None:
    assert shades("#FFD400", LIGHT_GROUND).fill == "#ffd400"
    assert shades("#ffd400", LIGHT_GROUND).fill_words == "#000000"
    assert contrast(shades("#101080", DARK_GROUND).fill, DARK_GROUND) >= EDGES


def test_mix_ends_at_either_colour() -> None:
    assert mix("#123456", "#abcdef", 0) == "#123456"
    assert mix("#123456", "#abcdef", 1) == "#abcdef"


def test_text_is_black_on_yellow_and_white_on_navy() -> None:
    assert words_on("#ffd400") == "#000000"
    assert words_on("#001f5b") == "#ffffff"


@pytest.mark.parametrize("text", ["", "red", "#fff", "0e5c46f", "#12345g"])
def test_invalid_colour_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a colour"):
        contrast(text, "#ffffff")


def test_stylesheet_has_the_same_backgrounds() -> None:
    light, dark = re.findall(r"--surface:\s*(#[0-9a-f]{6})", TOKENS.read_text())[:2]
    assert (light, dark) == (LIGHT_GROUND, DARK_GROUND)
