"""How long caches may keep the public pages of jobs."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control

#: Seconds for which a cache may keep a page, and then seconds for which it may send that page
#: while it fetches a new one (RFC 5861).
MAX_AGE, STALE = 60, 600


def cacheable(
    request: HttpRequest, response: HttpResponse, *, until: dt.datetime | None = None
) -> HttpResponse:
    """Let any cache keep a page for a minute, except for drafts and for users who are logged in.

    Args:
        until: when the page changes by itself, for instance because the job closes. No cache
            keeps the page beyond this moment.
    """
    if request.method not in ("GET", "HEAD") or getattr(request, "is_preview", False):
        return response
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        patch_cache_control(response, private=True, no_store=True)
    elif response.status_code in (200, 410):
        fresh = seconds_until(until, most=MAX_AGE)
        patch_cache_control(response, public=True, max_age=fresh)
        if stale := seconds_until(until, most=fresh + STALE) - fresh:
            patch_cache_control(response, stale_while_revalidate=stale)
    return response


def seconds_until(moment: dt.datetime | None, *, most: int) -> int:
    """Whole seconds until ``moment``: at least 0, at most ``most``, also without a moment."""
    if moment is None:
        return most
    return min(most, max(0, int((moment - timezone.now()).total_seconds())))
