"""The accent colour as a stylesheet of its own.

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


def version(accent: str) -> str:
    """Changes whenever the stylesheet for ``accent`` does; the address carries it."""
    return hashlib.sha256(stylesheet(accent).encode()).hexdigest()[:12]


@require_safe
def theme_css(request: HttpRequest) -> HttpResponse:
    """The stylesheet of the site's accent colour.

    With the current version in the query (``?v=``) it may be kept for a year, since another
    colour has another address; without, for five minutes.
    """
    accent = SiteSettings.for_request(request).accent_colour
    current = version(accent)
    etag = f'"{current}"'
    if request.headers.get("If-None-Match") in (etag, f"W/{etag}"):
        response = HttpResponse(status=304)
    else:
        response = HttpResponse(stylesheet(accent), content_type="text/css; charset=utf-8")
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
