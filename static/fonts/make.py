"""Make the web fonts and ``static/css/fonts.css`` from the families they come from.

Use: ``python static/fonts/make.py SOURCES``. README.md beside this file says what SOURCES holds.

Each file holds one script of a family, in one of the two weights that the site uses. The fallback
faces take the metrics of ours, so that a line of text keeps its length and its height when the
font arrives (CSS Fonts 5, ``size-adjust`` and the metric overrides).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

HERE = Path(__file__).resolve().parent
STYLESHEET = HERE.parent / "css" / "fonts.css"

#: Regular and strong.
WEIGHTS = (400, 650)
FEATURES = ["ccmp", "locl", "liga", "calt", "kern", "mark", "mkmk", "case", "pnum", "frac"]
FEATURES += ["numr", "dnom", "sups", "zero", "rlig", "init", "medi", "fina", "isol"]
#: Roughly how often a letter occurs in running English text, per thousand characters.
FREQUENCY = {
    " ": 183, "e": 102, "t": 75, "a": 65, "o": 62, "i": 57, "n": 57, "s": 53, "r": 50, "h": 50,
    "l": 33, "d": 33, "u": 23, "c": 22, "m": 20, "f": 20, "w": 17, "g": 16, "p": 15, "y": 14,
    "b": 13, "v": 8, "k": 6, ".": 7, ",": 6, "T": 2, "S": 2, "A": 2, "C": 2, "0": 2, "1": 2,
}  # fmt: skip


@dataclass(frozen=True)
class Cut:
    """One script of one family: the file it comes from and the characters it serves."""

    family: str
    script: str
    source: str
    ranges: str
    weights: tuple[int, ...] = WEIGHTS

    def codepoints(self) -> list[int]:
        """Every character of ``ranges``, which is written as CSS writes ``unicode-range``."""
        points: list[int] = []
        for part in self.ranges.split(","):
            first, _, last = part.strip().removeprefix("U+").partition("-")
            points.extend(range(int(first, 16), int(last or first, 16) + 1))
        return points

    def file(self, weight: int) -> str:
        """The name of the file for one weight."""
        return f"{self.family.lower().replace(' ', '-')}-{self.script}-{weight}.woff2"


SANS = "source-sans/VF/SourceSans3VF-Upright.ttf"
MONO = "source-code-pro/VF/SourceCodeVF-Upright.ttf"
ARABIC = "noto-sans-arabic/files/noto-sans-arabic-arabic-wght-normal.woff2"
HEBREW = "noto-sans-hebrew/files/noto-sans-hebrew-hebrew-wght-normal.woff2"

CUTS = (
    Cut(
        "Careers Sans",
        "latin",
        SANS,
        "U+0000-00FF, U+0131, U+0152-0153, U+02BB-02BC, U+02C6, U+02DA, U+02DC, U+2000-206F, "
        "U+20AC, U+2122, U+2190-2193, U+2212, U+2215, U+2248, U+2260, U+2264-2265, U+25A0-25A1, "
        "U+25CB, U+25CF, U+2610-2611, U+2713, U+2717, U+FEFF, U+FFFD",
    ),
    Cut(
        "Careers Sans",
        "latin-ext",
        SANS,
        "U+0100-0130, U+0132-0151, U+0154-02BA, U+02BD-02C5, U+02C7-02CC, U+02CE-02D7, "
        "U+02DD-02FF, U+1D00-1DBF, U+1E00-1E9F, U+1EF2-1EFF, U+2070-209F, U+20A0-20AB, "
        "U+20AD-20C0, U+2113, U+2116-2117, U+2120, U+2126, U+2150-215F, U+2194-2199, "
        "U+21D0-21D5, U+2200-2211, U+221A-222B, U+25B2-25C4, U+2639-2642, U+2660-266B, "
        "U+2714, U+2718, U+2764, U+2C60-2C7F, U+A720-A7FF",
    ),
    Cut(
        "Careers Sans",
        "vietnamese",
        SANS,
        "U+0102-0103, U+0110-0111, U+0128-0129, U+0168-0169, U+01A0-01A1, U+01AF-01B0, "
        "U+0300-036F, U+1EA0-1EF1, U+20AB",
    ),
    Cut("Careers Sans", "greek", SANS, "U+0370-03FF"),
    Cut("Careers Sans", "greek-ext", SANS, "U+1F00-1FFF"),
    Cut("Careers Sans", "cyrillic", SANS, "U+0400-045F, U+0490-0491, U+04B0-04B1"),
    Cut(
        "Careers Sans",
        "cyrillic-ext",
        SANS,
        "U+0460-048F, U+0492-04AF, U+04B2-052F, U+1C80-1C8A, U+20B4, U+2DE0-2DFF, U+A640-A69F",
    ),
    Cut(
        "Careers Sans",
        "arabic",
        ARABIC,
        "U+0600-06FF, U+0750-077F, U+0870-08FF, U+204F, U+2E41, U+FB50-FDFF, U+FE70-FEFC",
    ),
    Cut("Careers Sans", "hebrew", HEBREW, "U+0590-05FF, U+20AA, U+25CC, U+FB1D-FB4F"),
    Cut("Careers Mono", "latin", MONO, "U+0020-007E, U+00A0, U+2010-2014, U+2026", (400,)),
)


@dataclass(frozen=True)
class Fallback:
    """A family on the reader's machine, and a file of each weight for measuring it."""

    name: str
    locals: tuple[tuple[str, ...], tuple[str, ...]]
    files: tuple[str, str]


FALLBACKS = (
    Fallback(
        "Careers Sans Arial",
        (
            ("Arial", "Liberation Sans", "Arimo", "Helvetica"),
            ("Arial Bold", "Liberation Sans Bold", "Arimo Bold", "Helvetica Bold"),
        ),
        ("fallback/LiberationSans-Regular.ttf", "fallback/LiberationSans-Bold.ttf"),
    ),
    Fallback(
        "Careers Sans Roboto",
        (("Roboto", "Roboto Regular"), ("Roboto Bold",)),
        (
            "roboto/files/roboto-latin-400-normal.woff2",
            "roboto/files/roboto-latin-700-normal.woff2",
        ),
    ),
    Fallback(
        "Careers Sans DejaVu",
        (("DejaVu Sans",), ("DejaVu Sans Bold",)),
        ("fallback/DejaVuSans.ttf", "fallback/DejaVuSans-Bold.ttf"),
    ),
)


def cut(sources: Path, piece: Cut, weight: int) -> TTFont:
    """Make one static, subset font.

    Args:
        sources: the folder with the unpacked families.
        piece: which script.
        weight: where to pin the weight axis.

    Returns:
        The font, named after our family: "Source" is a reserved name under the licence, so a
        changed copy must carry another one.
    """
    font = TTFont(sources / piece.source)
    options = Options()
    options.layout_features = FEATURES
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 13, 14]
    options.name_languages = [0x409]
    options.notdef_outline = True
    options.hinting = False
    subsetter = Subsetter(options)
    # Pango takes the space from the font of the letter before it, whatever the stylesheet says.
    subsetter.populate(unicodes=[0x20, 0xA0, *piece.codepoints()])
    subsetter.subset(font)
    font = instantiateVariableFont(font, {"wght": weight})
    rename(font, piece, weight)
    # A creation time would change the bytes in each run.
    font.recalcTimestamp = False
    font.flavor = "woff2"
    return font


def rename(font: TTFont, piece: Cut, weight: int) -> None:
    """Write our names into the font; copyright and licence stay."""
    style = {400: "Regular", 650: "Strong"}[weight]
    postscript = f"{piece.family.replace(' ', '')}-{style}"
    # Fontconfig and viewers merge files of one full name, so each script has its own.
    full = f"{piece.family} {style} {piece.script}"
    names = {1: piece.family, 2: style, 3: full, 4: full, 6: f"{postscript}-{piece.script}"}
    table = font["name"]
    for identifier, text in names.items():
        table.setName(text, identifier, 3, 1, 0x409)


def width(font: TTFont) -> float:
    """Mean advance of running text, in em."""
    cmap, advances = font.getBestCmap(), font["hmtx"]
    total = sum(advances[cmap[ord(letter)]][0] * n for letter, n in FREQUENCY.items())
    return float(total / sum(FREQUENCY.values()) / font["head"].unitsPerEm)


def fallbacks(sources: Path, ours: dict[int, TTFont]) -> Iterator[str]:
    """CSS rules of the fallback faces that keep lines where they are."""
    for family in FALLBACKS:
        for weight, names, file in zip(WEIGHTS, family.locals, family.files, strict=True):
            mine = ours[weight]
            size = width(mine) / width(TTFont(sources / file))
            em = mine["head"].unitsPerEm
            metrics = mine["hhea"]
            src = ", ".join(f'local("{name}")' for name in names)
            yield (
                f'@font-face {{\n  font-family: "{family.name}";\n  font-weight: {weight};\n'
                f"  src: {src};\n"
                f"  size-adjust: {size:.2%};\n"
                f"  ascent-override: {metrics.ascent / em / size:.2%};\n"
                f"  descent-override: {-metrics.descent / em / size:.2%};\n"
                f"  line-gap-override: {metrics.lineGap / em / size:.2%};\n}}\n"
            )


def main(sources: Path) -> None:
    """Write every font file and the stylesheet."""
    rules, latin = [], {}
    for piece in CUTS:
        for weight in piece.weights:
            font = cut(sources, piece, weight)
            font.save(HERE / piece.file(weight))
            if piece.family == "Careers Sans" and piece.script == "latin":
                latin[weight] = font
            rules.append(
                f'@font-face {{\n  font-family: "{piece.family}";\n  font-weight: {weight};\n'
                f"  font-display: swap;\n"
                f'  src: url("../fonts/{piece.file(weight)}") format("woff2");\n'
                f"  unicode-range: {piece.ranges};\n}}\n"
            )
    stack = ", ".join(f'"{name}"' for name in ["Careers Sans", *(f.name for f in FALLBACKS)])
    head = (
        "/* Made by static/fonts/make.py: change that, not this.\n"
        f"   Text: {stack}, system-ui, sans-serif (weights 400 and 650).\n"
        '   Code: "Careers Mono", ui-monospace, monospace (weight 400).\n'
        "   Figures are tabular unless font-variant-numeric: proportional-nums is set. */\n\n"
    )
    STYLESHEET.write_text(head + "\n".join([*rules, *fallbacks(sources, latin)]), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
