"""Shades of the accent colour in which text stays readable.

Contrast follows WCAG 2.2 (relative luminance and contrast ratio); shades are found in OKLab,
where a colour keeps its hue while it gets lighter or darker.
"""

import re
from dataclasses import dataclass

#: The backgrounds with the least contrast to accent-coloured text; ``tokens.css`` repeats them.
LIGHT_GROUND = "#f2f0ea"
DARK_GROUND = "#1f2125"

#: Contrast of text (WCAG 2.2, 1.4.3) and of the border of a control (1.4.11).
WORDS = 4.5
EDGES = 3.0


@dataclass(frozen=True)
class Shades:
    """The shades for one background, each as ``#rrggbb``.

    Attributes:
        words: for links and other text.
        fill: for the main button.
        fill_edge: for its border, which shows it where the fill is close to the background.
        fill_words: for its text.
        fill_hover: for the main button under the pointer.
    """

    words: str
    fill: str
    fill_edge: str
    fill_words: str
    fill_hover: str


def is_colour(text: str) -> bool:
    """Whether a text is ``#`` and six hexadecimal digits."""
    return re.fullmatch(r"#[0-9a-fA-F]{6}", text) is not None


def shades(accent: str, ground: str) -> Shades:
    """The shades of ``accent`` (``#rrggbb``) for a background.

    On a light background the button has exactly the chosen colour, even a pale yellow. On a
    dark one a dark colour is lightened, because the button would hardly be visible.

    Raises:
        ValueError: ``accent`` or ``ground`` is not ``#`` and six hexadecimal digits.
    """
    edge = readable(accent, ground, EDGES)
    fill = accent.lower() if _is_light(ground) else edge
    on_fill = words_on(fill)
    away = "#000000" if on_fill == "#ffffff" else "#ffffff"
    return Shades(
        words=readable(accent, ground, WORDS),
        fill=fill,
        fill_edge=edge,
        fill_words=on_fill,
        fill_hover=mix(fill, away, 0.14),
    )


def readable(colour: str, ground: str, least: float) -> str:
    """``colour`` itself where it contrasts enough with ``ground``, else its nearest shade.

    It gets darker on a light ground and lighter on a dark one, in steps of one hundredth, until
    the ratio is at least ``least``; the hue stays, and as much chroma as the screen can show.
    """
    target = "#000000" if _is_light(ground) else "#ffffff"
    lightness, a, b = _oklab(_linear(colour))
    end = 0.0 if _is_light(ground) else 1.0
    shade = colour.lower()
    for step in range(1, 101):
        if contrast(shade, ground) >= least:
            return shade
        shade = _in_gamut(lightness + (end - lightness) * step / 100, a, b)
    return target


def words_on(colour: str) -> str:
    """Black or white, whichever is easier to read on ``colour``; one of them always reaches 4.5."""
    return max("#ffffff", "#000000", key=lambda words: contrast(words, colour))


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two colours, from 1 to 21."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    """The WCAG relative luminance of a colour, from 0 to 1."""
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def mix(colour: str, other: str, share: float) -> str:
    """``colour`` with ``share`` (0 to 1) of it replaced by ``other``, mixed in OKLab."""
    here, there = _oklab(_linear(colour)), _oklab(_linear(other))
    mixed = tuple(a + (b - a) * share for a, b in zip(here, there, strict=True))
    return _hexadecimal(_from_oklab(mixed))


def _is_light(colour: str) -> bool:
    """Whether black is easier to read on it than white."""
    return words_on(colour) == "#000000"


def _linear(colour: str) -> tuple[float, ...]:
    """Red, green and blue as linear light, from 0 to 1."""
    if not is_colour(colour):
        raise ValueError(f"{colour!r} is not a colour such as #0e5c46")
    channels = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return tuple(
        value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4
        for value in channels
    )


def _in_gamut(lightness: float, a: float, b: float) -> str:
    """The colour with this lightness and hue, with less chroma if a screen cannot show it."""
    for strength in range(20, -1, -1):
        light = _from_oklab((lightness, a * strength / 20, b * strength / 20))
        if all(-0.001 <= value <= 1.001 for value in light):
            break
    return _hexadecimal(light)


def _hexadecimal(light: tuple[float, ...]) -> str:
    digits = "#"
    for value in light:
        value = min(max(value, 0.0), 1.0)
        value = value * 12.92 if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
        digits += f"{round(value * 255):02x}"
    return digits


def _oklab(light: tuple[float, ...]) -> tuple[float, ...]:
    """Björn Ottosson’s matrices, as in CSS Color 4."""
    red, green, blue = light
    long = (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3)
    medium = (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3)
    short = (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _from_oklab(lab: tuple[float, ...]) -> tuple[float, ...]:
    lightness, a, b = lab
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
