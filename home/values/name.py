"""The name of a person."""

from __future__ import annotations

from django.utils.translation import gettext as _

from home.bidi import isolated
from home.values.text import clean as clean_text

#: What ``home.values.text`` keeps where a script needs it, and no name has: a search would miss it.
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200e\u200f\u061c"))


def clean(text: str) -> str:
    """A name on one line, without what nobody can see; "" if nothing of it can be seen.

    Args:
        text: any text; the caller checks its length first.
    """
    return clean_text(clean_text(text).translate(_INVISIBLE))


def shown(name: str) -> str:
    """A stored name among other words; there is always something to see and to click on."""
    return isolated(clean(name)) or _("(no name)")
