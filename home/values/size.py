"""Sizes of files in words, by one rule for pages, mails, documents and scripts.

A megabyte is 1,048,576 bytes, as in the limits of this site. A size is rounded up, so that a file
over a limit never reads like the limit. ``static/js/file-well.js`` follows the same rule with the
words of ``units()``.
"""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

#: The place of the number in the words of ``units()``.
NUMBER = "%n"
KILO = 1024
NO_BREAK = "\u00a0"


def size_in_words(size: int) -> str:
    """A number of bytes in the active language: "1 byte", "312 KB", "10.1 MB", "2 GB".

    Kilobytes are whole; megabytes and gigabytes have at most one decimal.
    """
    if size < KILO:
        return _joined(ngettext("%(size)s byte", "%(size)s bytes", size), size)
    if (kilobytes := _rounded_up(size, KILO)) < KILO:
        return _joined(_("%(size)s KB"), kilobytes)
    if (tenths := _rounded_up(10 * size, KILO**2)) < 10 * KILO:
        return _joined(_("%(size)s MB"), *divmod(tenths, 10))
    return _joined(_("%(size)s GB"), *divmod(_rounded_up(10 * size, KILO**3), 10))


def units() -> dict[str, str]:
    """The words of the units for scripts, with ``NUMBER`` in the place of the number."""
    return {
        "byte": _joined(ngettext("%(size)s byte", "%(size)s bytes", 1), NUMBER),
        "bytes": _joined(ngettext("%(size)s byte", "%(size)s bytes", 2), NUMBER),
        "kilobytes": _joined(_("%(size)s KB"), NUMBER),
        "megabytes": _joined(_("%(size)s MB"), NUMBER),
    }


def _rounded_up(size: int, unit: int) -> int:
    return -(-size // unit)


def _joined(words: str, whole: int | str, tenths: int = 0) -> str:
    """A number and its unit, which stay on one line."""
    number = number_format(f"{whole}.{tenths}", decimal_pos=1) if tenths else str(whole)
    return (words % {"size": number}).replace(" ", NO_BREAK)
