"""Which passwords are refused, besides those that Django refuses (NIST SP 800-63B-4, 3.1.1.2)."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from home.models import SiteSettings

#: Words that belong to every site of this kind; people guess them first.
WORDS = (
    "administrator",
    "admin",
    "applications",
    "careers",
    "jobs",
    "passwort",
    "password",
    "wagtail",
)
#: The fewest letters of a word of the company; a shorter one may be in any password.
SHORTEST = 4


class OwnWordsValidator:
    """Refuses a password that is short without the words of the company and the site.

    Args:
        left: the fewest characters besides these words.
    """

    def __init__(self, left: int = 8) -> None:
        self.left = left

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError if too little is left of the password."""
        rest = password.casefold()
        for word in own_words():
            rest = rest.replace(word, "")
        if len(rest) < self.left <= len(password):
            raise ValidationError(
                _("Use other words than those of the company and this site."),
                code="password_own_words",
            )

    def get_help_text(self) -> str:
        return ngettext(
            "Words of the company and of this site do not count; at least %d more character is "
            "needed.",
            "Words of the company and of this site do not count; at least %d more characters are "
            "needed.",
            self.left,
        ) % (self.left)


def own_words() -> list[str]:
    """The words that anybody would guess here, the longest first."""
    company = SiteSettings.of_default_site().company_name
    host = urlsplit(settings.SITE_URL).hostname or ""
    found = re.findall(r"\w+", f"{company} {host}".casefold())
    ours = {word for word in found if len(word) >= SHORTEST}
    return sorted({*ours, *WORDS}, key=len, reverse=True)
