"""How long caches may keep the public pages of jobs."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control


def cacheable(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let any cache keep a page for a minute, except for drafts and for users who are logged in."""
    if request.method not in ("GET", "HEAD") or getattr(request, "is_preview", False):
        return response
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        patch_cache_control(response, private=True, no_store=True)
    elif response.status_code in (200, 410):
        patch_cache_control(response, public=True, max_age=60, stale_while_revalidate=600)
    return response
