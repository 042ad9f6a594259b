"""Which scripts this machine has no font for.

Latin, Greek, Cyrillic, Vietnamese, Arabic and Hebrew come with the site; the rest are megabytes
that only some companies need, so they are left to the system. Characters without a font are
printed as boxes; they can still be copied out of the PDF.
"""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: Seconds that asking for one script may take; the first time a machine reads all its fonts.
PATIENCE = 20


@dataclass(frozen=True)
class Script:
    """A script, and how to get a font for it.

    Attributes:
        sample: characters that every font for it has.
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

    Asks fontconfig's own program, which Pango brings; where it is missing nobody knows, and
    nothing is claimed.
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
