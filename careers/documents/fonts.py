"""Which fonts there are: files of the product that can be read, and fonts of this machine.

The product includes fonts for Latin, Greek, Cyrillic, Vietnamese, Arabic and Hebrew. Fonts for
other scripts take megabytes and only some companies need them, so the system provides them. The
PDF shows characters without a font as boxes; they can still be copied out of the PDF.
"""

from __future__ import annotations

import functools
import io
import logging
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from django.contrib.staticfiles import finders
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from fontTools.ttLib import TTFont
from PIL import ImageFont

log = logging.getLogger(__name__)

#: Seconds to wait for the answer for one script. For the first one, fontconfig reads all fonts.
PATIENCE = 20


@dataclass(frozen=True)
class Script:
    """A script, and how to get a font for it.

    Attributes:
        sample: characters that every font for the script has.
        package: the Debian package with such a font.
    """

    name: str | Promise
    sample: str
    package: str


SCRIPTS = {
    "chinese": Script(_("Chinese"), "你這应", "fonts-noto-cjk"),
    "japanese": Script(_("Japanese"), "あカ東", "fonts-noto-cjk"),
    "korean": Script(_("Korean"), "한글안", "fonts-noto-cjk"),
    "devanagari": Script(_("Devanagari"), "नमस", "fonts-noto-core"),
    "thai": Script(_("Thai"), "สวด", "fonts-noto-core"),
    "emoji": Script(_("emoji"), "👋🎉🚀", "fonts-noto-color-emoji"),
}


def files() -> list[Path]:
    """The font files of the product or of its configured directory, in the order of their names."""
    # The first directory wins, file by file: a company may replace some of the fonts.
    folders = reversed(finders.find("fonts", find_all=True))
    found = {file.name: file for folder in folders for file in Path(folder).glob("*.woff2")}
    return [file for _name, file in sorted(found.items())]


@functools.cache
def letters(file: Path) -> frozenset[int]:
    """The code points for which a font has a character; none if it can't be read."""
    try:
        ImageFont.truetype(file, 10)
        with TTFont(file, lazy=True) as font:
            return frozenset(font.getBestCmap())
    except Exception as error:  # parsers of fonts fail in any way on a damaged file
        log.error("the font %s can't be read: %s", file.name, type(error).__name__)
        return frozenset()


@functools.cache
def uncompressed(file: Path) -> bytes:
    """A font as TrueType. WeasyPrint would decompress WOFF2 again in each process."""
    # Not at the top: web workers never make a PDF.
    from fontTools.ttLib import woff2

    content = io.BytesIO()
    woff2.decompress(file, content)
    return content.getvalue()


def damaged_fonts() -> list[str]:
    """The names of font files that can't be read; pages, PDFs and pictures do without them."""
    return [file.stem for file in files() if not letters(file)]


def missing_scripts() -> list[str]:
    """The keys of ``SCRIPTS`` for which no font is installed here.

    It asks fontconfig's program ``fc-list``, which Pango installs. Without that program the
    answer is unknown, and the list is empty.
    """
    program = shutil.which("fc-list")
    if program is None:
        return []
    return [key for key, script in SCRIPTS.items() if not _has_font(program, script.sample)]


def _has_font(program: str, sample: str) -> bool:
    characters = " ".join(f"{ord(character):x}" for character in sample)
    try:
        found = subprocess.run(  # noqa: S603 -- fontconfig's program and our characters
            [program, f":charset={characters}", "family"],
            capture_output=True,
            timeout=PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return True
    return bool(found.stdout.strip())
