"""The languages of the site, from the environment."""

import difflib

from django.conf.locale import LANG_INFO
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy

from careersite.settings import env

#: As a sentence uses them: French writes names of languages in lower case, other than Django's
#: own catalogue does. An app with another language brings these names for it.
LANGUAGE_NAMES = (gettext_lazy("English"), gettext_lazy("French"))


def languages(name: str, default: str, *, needed: str) -> list[tuple[str, str]]:
    """A comma-separated list of language codes, as pairs of code and English name.

    Args:
        needed: the code of the site's default language.

    Raises:
        ImproperlyConfigured: a code that Django does not know, or ``needed`` is missing.
    """
    codes = list(dict.fromkeys(code.lower() for code in env.words(name) or default.split(",")))
    for code in codes:
        if "name" not in LANG_INFO.get(code, {}):
            near = difflib.get_close_matches(code, LANG_INFO, n=1)
            hint = f" Did you mean {near[0]}?" if near else ""
            raise ImproperlyConfigured(
                f"{name} holds {code}, which is not a language code that Django knows.{hint}"
            )
    if needed not in codes:
        raise ImproperlyConfigured(
            f"{name} must hold {needed}, the default language of the site: {needed},"
            f"{','.join(codes)}"
        )
    return [(code, LANG_INFO[code]["name"]) for code in codes]
