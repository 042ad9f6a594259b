"""Headers of every response."""

from __future__ import annotations

from collections.abc import Callable

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def public_pages_are_cacheable(get_response: GetResponse) -> GetResponse:
    """Drop ``Vary: Accept-Language``: only the address sets the language of a page.

    With it, a shared cache would keep one copy of each page per list of languages.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if "Vary" in response.headers:
            parts = [part.strip() for part in response.headers["Vary"].split(",")]
            kept = [part for part in parts if part.lower() != "accept-language"]
            if kept:
                response.headers["Vary"] = ", ".join(kept)
            else:
                del response.headers["Vary"]
        return response

    return middleware


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """A strict policy for public pages, and the one that Wagtail's editor needs for the admin."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if request.path.startswith("/admin/") and not hasattr(response, "_csp_replace"):
            # The attribute that django-csp's own decorators set.
            response._csp_replace = settings.ADMIN_CONTENT_SECURITY_POLICY  # type: ignore[attr-defined]
        return super().process_response(request, response)
