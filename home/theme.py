"""The accent colour as a stylesheet of its own, and the icon in it.

Pages carry no inline style, so that the content security policy can refuse all of them; what
HR picks in the settings arrives by this small file instead.
"""

import hashlib

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from home.colour import DARK_GROUND, LIGHT_GROUND, Shades, shades
from home.models import SiteSettings


def stylesheet(accent: str) -> str:
    """The rules that give the tokens of the accent colour their values, light and dark."""
    light, dark = shades(accent, LIGHT_GROUND), shades(accent, DARK_GROUND)
    return (
        f":root{{{_tokens(light)}}}\n"
        # Paper is light, whatever the screen is.
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_tokens(dark)}}}}}\n"
    )


def icon(accent: str) -> str:
    """The site's icon as SVG: three lines of a list on the accent colour.

    Its colours are attributes: the content security policy holds for styles in pictures, too.
    """
    colours = shades(accent, LIGHT_GROUND)
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        f'<rect width="32" height="32" rx="7" fill="{colours.fill}"/>'
        f'<path d="M9 11h14M9 16.5h14M9 22h8" fill="none" stroke="{colours.fill_words}" '
        'stroke-width="2.6" stroke-linecap="round"/></svg>'
    )


def version(accent: str) -> str:
    """Changes whenever what is made of ``accent`` does; the addresses carry it."""
    return hashlib.sha256((stylesheet(accent) + icon(accent)).encode()).hexdigest()[:12]


@require_safe
def theme_css(request: HttpRequest) -> HttpResponse:
    """The stylesheet of the site's accent colour."""
    accent = SiteSettings.for_request(request).accent_colour
    return _versioned(request, accent, stylesheet(accent), "text/css; charset=utf-8")


@require_safe
def icon_svg(request: HttpRequest) -> HttpResponse:
    """The site's icon in its accent colour."""
    accent = SiteSettings.for_request(request).accent_colour
    return _versioned(request, accent, icon(accent), "image/svg+xml")


def _versioned(request: HttpRequest, accent: str, content: str, content_type: str) -> HttpResponse:
    """What is made of the accent colour.

    With the current version in the query (``?v=``) it may be kept for a year, since another
    colour has another address; without, for five minutes.
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
