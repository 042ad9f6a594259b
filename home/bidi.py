"""Keep text of one direction from reordering the text around it.

A name may hold right-to-left letters, which are honest, and characters that override directions,
which make a text read as another one ("Trojan Source", CVE-2021-42574). Sources: Unicode Standard
Annex 9 (UAX #9), and Unicode Technical Report 36, 2.10.
"""

from __future__ import annotations

from collections.abc import Iterable

from babel.lists import format_list
from django.utils.translation import ngettext

from home.values import number
from home.values.text import one_line, right_to_left, without_unseen

#: First strong isolate and pop directional isolate (UAX #9, 2.4.3).
FSI, PDI = "\u2068", "\u2069"
#: The most characters of a text that an error repeats.
QUOTED = 60


class Isolated(str):
    """Text in which each part is isolated already, so that ``isolated`` leaves it as it is."""

    __slots__ = ()


def isolated(text: str) -> str:
    """A text to show among others: it can't reorder them, draw over them or hide anything.

    Isolating characters work in HTML, plain text, headers of mails and titles of windows.

    Returns:
        The text without what nobody can see; isolated unless it is all left-to-right.
    """
    if isinstance(text, Isolated):
        return text
    seen = without_unseen(text)
    return f"{FSI}{seen}{PDI}" if right_to_left(seen) else seen


def listed(names: Iterable[str], count: int = 0) -> str:
    """Names as the active language writes a list, each isolated: "Ada, Bo, and Cy".

    Args:
        count: how many names there are, if ``names`` are only the first ones.
    """
    return Isolated(joined(map(isolated, names), count))


def joined(names: Iterable[str], count: int = 0) -> str:
    """The same without isolation, for a list that is drawn or whose names need none."""
    entries = list(names)
    if (others := count - len(entries)) > 0:
        # Translators: the last entry of a list of names, such as "Ada, Bo, and 3 others".
        words = ngettext("%(count)d other", "%(count)d others", others)
        entries.append(words % {"count": others})
    text: str = format_list(entries, locale=number.locale())
    return text


def quoted(text: str) -> str:
    """The beginning of what a person typed, to repeat it in an error."""
    return isolated(one_line(text, QUOTED))
