"""Headers of every response: static files, redirects and errors, too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from csp.constants import HEADER
from csp.middleware import CSPMiddleware
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from careersite.settings import browser

GetResponse = Callable[[HttpRequest], HttpResponseBase]

#: Addresses that other sites may show: pictures of pages, and share images.
SHARED = ("/media/", "/share/", "/icon.svg", "/favicon.ico")


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


def every_response_is_isolated(get_response: GetResponse) -> GetResponse:
    """Keep other sites from reading, framing or controlling what this site sends.

    Django's ``SecurityMiddleware`` adds HSTS, ``Cross-Origin-Opener-Policy``, ``Referrer-Policy``
    and ``X-Content-Type-Options``. A view may set a header of its own.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        headers = response.headers
        shared = request.path.startswith(SHARED)
        headers.setdefault("Permissions-Policy", browser.PERMISSIONS_POLICY)
        headers.setdefault(
            "Cross-Origin-Resource-Policy", "cross-origin" if shared else "same-origin"
        )
        headers.setdefault("Cross-Origin-Embedder-Policy", "require-corp")
        # The admin shows previews in a frame.
        headers["X-Frame-Options"] = "SAMEORIGIN" if _is_admin(request) else "DENY"
        if "report-to" in headers.get("Content-Security-Policy", ""):
            headers["Reporting-Endpoints"] = f'{browser.REPORTS_GROUP}="{browser.REPORTS_PATH}"'
        return response

    return middleware


class ContentSecurityPolicyMiddleware(CSPMiddleware):
    """Give each kind of response the strictest policy with which it works."""

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if not vars(response).keys() & _SET_BY_DECORATORS:
            # django-csp would compose the policy of each response anew.
            response.headers.setdefault(HEADER, _text(_policy(request, response)))
            return response
        if not hasattr(response, "_csp_replace"):
            response._csp_config = _policy(request, response)  # type: ignore[attr-defined]
        return super().process_response(request, response)


#: The attributes of a response that django-csp's own decorators set.
_SET_BY_DECORATORS = {"_csp_config", "_csp_exempt", "_csp_replace", "_csp_update"}
#: The policies in one line, by the identity of what says them: there are four, and they stay.
_texts: dict[int, str] = {}


def _text(policy: Mapping[str, Any]) -> str:
    if id(policy) not in _texts:
        _texts[id(policy)] = build_policy(config=dict(policy))
    return _texts[id(policy)]


def _policy(request: HttpRequest, response: HttpResponseBase) -> Mapping[str, Any]:
    if request.path.startswith(settings.MEDIA_URL):
        return browser.FILE_POLICY
    if response.headers.get("Content-Type", "").startswith("application/pdf"):
        return browser.PDF_POLICY
    return browser.ADMIN_POLICY if _is_admin(request) else browser.PUBLIC_POLICY


def _is_admin(request: HttpRequest) -> bool:
    return request.path.startswith("/admin/")
