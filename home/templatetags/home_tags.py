"""What every page shows around its own content: menus, languages, the theme."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language_info
from wagtail.models import Page, Site

from home.models import PlainPage, SiteSettings
from home.theme import version

register = template.Library()


@dataclass(frozen=True)
class Language:
    """A language that the page at hand can be read in, under its own name."""

    code: str
    name: str
    url: str
    rtl: bool


@register.simple_tag(takes_context=True)
def theme_url(context: dict[str, Any]) -> str:
    """The address of the theme's stylesheet, which changes with the accent colour.

    Empty where there is no request (the page for a broken server) or no such address.
    """
    request = context.get("request")
    if request is None:
        return ""
    try:
        address = reverse("theme")
    except NoReverseMatch:
        return ""
    return f"{address}?v={version(SiteSettings.for_request(request).accent_colour)}"


@register.simple_tag(takes_context=True)
def home_of_site(context: dict[str, Any]) -> Page | None:
    """The home page of this site, in the language of the page at hand."""
    request = context.get("request")
    site = Site.find_for_request(request) if request is not None else None
    return site.root_page.localized if site else None


@register.simple_tag
def menu_pages(home: Page | None) -> list[Page]:
    """The pages that the editors want in the menu: children of the home page, in its order."""
    return list(home.get_children().live().public().in_menu()) if home else []


@register.simple_tag
def footer_pages(home: Page | None) -> list[Page]:
    """The plain pages right below the home page: notices that must always be one click away."""
    return list(home.get_children().live().public().type(PlainPage)) if home else []


@register.simple_tag
def other_languages(page: Page | None) -> list[Language]:
    """The languages that ``page`` is translated to and published in, besides its own.

    Aliases don't count: they show one language's words under another one's name.
    """
    if page is None or not getattr(page, "pk", None):
        return []
    translations = (
        page.get_translations().live().public().filter(alias_of=None).select_related("locale")
    )
    found = []
    for translation in translations:
        url = translation.full_url
        if url:
            info = get_language_info(translation.locale.language_code)
            found.append(Language(info["code"], info["name_local"], url, bool(info["bidi"])))
    return found
