"""What every page shows around its content: menus, languages, the theme."""

from dataclasses import dataclass
from typing import Any

from django import template
from django.conf import settings
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language, get_language_info
from wagtail import hooks
from wagtail.images.models import AbstractImage, AbstractRendition, Filter, Picture
from wagtail.models import Page, Site

from home import pictures
from home.content_cache import cached
from home.models import PlainPage, SiteSettings
from home.rich_text import to_html
from home.site_pages import (
    front_pages_elsewhere,
    has_restrictions,
    menu_of,
    notices_of,
)
from home.theme import version
from home.values.size import size_in_words

register = template.Library()
register.filter("size_in_words", size_in_words)


@dataclass(frozen=True)
class Language:
    """Another language of the site, with its name in that language."""

    code: str
    name: str
    url: str
    rtl: bool
    is_same_page: bool


@register.simple_tag(takes_context=True)
def theme_url(context: dict[str, Any]) -> str:
    """The address of the theme's stylesheet, which changes with the accent colour."""
    return _of_the_theme(context, "theme")


@register.simple_tag(takes_context=True)
def icon_url(context: dict[str, Any]) -> str:
    """The address of the site's icon, which changes with the accent colour."""
    return _of_the_theme(context, "icon")


def _of_the_theme(context: dict[str, Any], name: str) -> str:
    """The address, or "" without a request (on the page for server errors) or URL pattern."""
    request = context.get("request")
    if request is None:
        return ""
    try:
        address = reverse(name)
    except NoReverseMatch:
        return ""
    return f"{address}?v={version(SiteSettings.for_request(request).accent)}"


register.filter("rich_text", to_html)


@register.simple_tag
def rendition(image: AbstractImage | None, spec: str) -> AbstractRendition | None:
    """A picture in one size and format; None if it can't be shown."""
    return pictures.rendition(image, spec)


@register.simple_tag
def responsive_picture(image: AbstractImage | None, spec: str, sizes: str) -> Picture | None:
    """A picture in several sizes and formats, of which the browser chooses one.

    Args:
        spec: as Wagtail's tag ``picture`` takes it, such as ``format-{webp,jpeg}|width-{480,960}``.
        sizes: how wide the page shows it, as in HTML.

    Returns:
        None if it can't be shown.
    """
    made = pictures.renditions(image, *Filter.expand_spec(spec))
    return Picture(made, {"sizes": sizes, "loading": "lazy"}) if made else None


@register.simple_tag(takes_context=True)
def has_session(context: dict[str, Any]) -> bool:
    """Whether the visitor's browser sent a session cookie; visitors have none."""
    request = context.get("request")
    return request is not None and settings.SESSION_COOKIE_NAME in request.COOKIES


@register.simple_tag(takes_context=True)
def home_context(context: dict[str, Any]) -> dict[str, Any]:
    """What other apps add to the home page, for pages that show a part of it."""
    request, front = context.get("request"), home_of_site(context)
    found: dict[str, Any] = {}
    if request is not None and front is not None:
        for describe in hooks.get_hooks("home_page_context"):
            found.update(describe(request, front))
    return found


@register.simple_tag(takes_context=True)
def home_of_site(context: dict[str, Any]) -> Page | None:
    """The home page of this site in the language of the current page."""
    request = context.get("request")
    site = Site.find_for_request(request) if request is not None else None
    return site.root_page.localized if site else None


@register.simple_tag
def menu_pages(home: Page | None) -> list[Page]:
    """The children of the home page that editors put into the menu, in page order."""
    return menu_of(home) if home else []


@register.simple_tag
def footer_pages(home: Page | None) -> list[Page]:
    """The plain pages right below the home page, such as legal notices."""
    return notices_of(home, PlainPage) if home else []


@register.simple_tag(takes_context=True)
def other_languages(
    context: dict[str, Any], page: Page | None, home: Page | None
) -> list[Language]:
    """Each other language of the site, with the same page in it, or else its home page.

    A view that is no Wagtail page gives its addresses in the context as
    ``address_by_language``.

    A language is listed once its home page is published. Aliases do not count: they show the
    text of another language.
    """
    if home is None:
        return []
    fronts = front_pages_elsewhere(home)
    # In a template, a missing page is "".
    is_front = page.translation_key == home.translation_key if page else False
    same = {} if is_front else _translations(page, fronts)
    found = []
    for front in fronts:
        code = front.locale.language_code
        shown = same.get(front.locale_id, front)
        url = context.get("address_by_language", {}).get(code) or shown.full_url
        if url:
            info = get_language_info(code)
            is_same_page = is_front or shown is not front
            found.append(Language(code, info["name_local"], url, bool(info["bidi"]), is_same_page))
    return found


def _translations(page: Page | None, fronts: list[Page]) -> dict[int, Page]:
    """The public translations of a page in the languages of ``fronts``, by language."""
    if not page or not page.pk or not fronts:
        return {}

    def find() -> dict[int, Page]:
        shown = (
            Page.objects.live()
            .filter(translation_key=page.translation_key, alias_of=None)
            .filter(locale__in=[front.locale_id for front in fronts])
        )
        shown = shown.public() if has_restrictions() else shown
        return {other.locale_id: other for other in shown.only("locale_id", "url_path")}

    return cached(("translations", page.pk), find)


@register.simple_tag
def alternates(address: str, languages: list[Language]) -> list[tuple[str, str]]:
    """A page's translations for search engines, as pairs of ``hreflang`` and address.

    Args:
        address: the address of the page itself, in the active language.
        languages: the result of ``other_languages``.

    Returns:
        All translations and the page itself, because each must name the others, and the
        default language as ``x-default``. Empty when there is no translation.
    """
    known = {other.code: other.url for other in languages if other.is_same_page}
    if not known or not address:
        return []
    known[get_language() or settings.LANGUAGE_CODE] = address
    found = sorted(known.items())
    default = known.get(settings.LANGUAGE_CODE)
    return [*found, ("x-default", default)] if default else found
