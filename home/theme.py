"""The accent colour as a stylesheet, and the site's icon.

Pages have no inline styles, so that the content security policy can forbid them. The colour in
the settings reaches the browser in this small stylesheet instead.
"""

import hashlib
from functools import lru_cache

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from home.colour import DARK_GROUND, LIGHT_GROUND, Shades, shades
from home.models import SiteSettings


def stylesheet(accent: str) -> str:
    """The CSS variables of the accent colour, for light and dark mode."""
    light, dark = shades(accent, LIGHT_GROUND), shades(accent, DARK_GROUND)
    return (
        f":root{{{_tokens(light)}}}\n"
        # Print is light, also in dark mode.
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_tokens(dark)}}}}}\n"
    )


def icon(accent: str) -> str:
    """The site's icon as SVG: three lines of a list on the accent colour.

    Its colours are attributes: the content security policy forbids styles in SVG, too.
    """
    colours = shades(accent, LIGHT_GROUND)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="7" fill="{colours.fill}"/>'
        f'<path d="M9 11h14M9 16.5h14M9 22h8" fill="none" stroke="{colours.fill_words}" '
        'stroke-width="2.6" stroke-linecap="round"/></svg>'
    )


@lru_cache(maxsize=64)
def version(accent: str) -> str:
    """A hash of stylesheet and icon; it is part of their addresses."""
    return hashlib.sha256((stylesheet(accent) + icon(accent)).encode()).hexdigest()[:12]


@require_safe
def theme_css(request: HttpRequest) -> HttpResponse:
    """The stylesheet of the site's accent colour."""
    accent = SiteSettings.for_request(request).accent
    return _versioned(request, accent, stylesheet(accent), "text/css; charset=utf-8")


@require_safe
def icon_svg(request: HttpRequest) -> HttpResponse:
    """The site's icon in its accent colour."""
    accent = SiteSettings.for_request(request).accent
    return _versioned(request, accent, icon(accent), "image/svg+xml")


def _versioned(request: HttpRequest, accent: str, content: str, content_type: str) -> HttpResponse:
    """The response with a stylesheet or an icon.

    With the current version in the query (``?v=``) caches keep it for a year, because another
    colour has another address; without it, for five minutes.
    """
    current = version(accent)
    etag = f'"{current}"'
    if request.headers.get("If-None-Match") in (etag, f"W/{etag}"):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(content, content_type=content_type)
    response["ETag"] = etag
    response["Cache-Control"] = (
        "public, max-age=31536000, immutable"
        if request.GET.get("v") == current
        else "public, max-age=300"
    )
    return response


def _tokens(colours: Shades) -> str:
    return (
        f"--accent:{colours.words};--fill:{colours.fill};--fill-edge:{colours.fill_edge};"
        f"--fill-ink:{colours.fill_words};--fill-hover:{colours.fill_hover}"
    )
