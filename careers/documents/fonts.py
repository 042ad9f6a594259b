"""Finds the scripts for which this machine has no font.

The product includes fonts for Latin, Greek, Cyrillic, Vietnamese, Arabic and Hebrew. Fonts for
other scripts take megabytes and only some companies need them, so the system provides them. The
PDF shows characters without a font as boxes; they can still be copied out of the PDF.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

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
