"""Keep text of one direction from reordering the text around it.

A name may hold right-to-left letters, which are honest, and characters that override directions,
which make a text read as another one ("Trojan Source", CVE-2021-42574). Sources: Unicode Standard
Annex 9 (UAX #9), and Unicode Technical Report 36, 2.10.
"""

from __future__ import annotations

import re
import unicodedata

#: First strong isolate and pop directional isolate (UAX #9, 2.4.3).
FSI, PDI = "\u2068", "\u2069"
#: Embeddings, overrides and isolates (UAX #9, 2.1 to 2.5). Spelling needs the marks LRM, RLM and
#: ALM, so these stay.
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")
_RIGHT_TO_LEFT = ("R", "AL", "AN")


def isolated(text: str) -> str:
    """A text to show among others: it can't reorder them, and nothing in it overrides directions.

    Isolating characters work in HTML, plain text, headers of mails and titles of windows.

    Returns:
        The same text if it is all left-to-right.
    """
    plain = _OVERRIDES.sub("", text)
    if any(unicodedata.bidirectional(c) in _RIGHT_TO_LEFT or c in "\u200f\u061c" for c in plain):
        return f"{FSI}{plain}{PDI}"
    return plain
