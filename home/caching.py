"""Which responses may be kept by caches, and for how long."""

from __future__ import annotations

import contextlib
import datetime as dt
import threading
from collections.abc import Iterator

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_cache_control

#: In ``request.META``: the response depends on nothing but the address, the content (see
#: ``home.content_version``) and the moments of ``home.content_state``.
SAME_FOR_ALL = "careersite.same_for_all"
#: In ``request.META``: the seconds after which the response is made anew, if that is soon.
ENDS_WITHIN = "careersite.ends_within"
_answering = threading.local()


def cacheable(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Let caches keep a page, except for drafts and for users who are logged in.

    Browsers and other caches must ask before they show it again. The page cache answers that
    question at no cost, and adds for how long a shared cache need not ask
    (``careersite.page_cache``).
    """
    if request.method not in ("GET", "HEAD") or getattr(request, "is_preview", False):
        return response
    if "Cache-Control" in response.headers:
        # The page has decided for itself.
        return response
    is_for_one = request.META.get(SAME_FOR_ALL) is False
    if is_for_one or settings.SESSION_COOKIE_NAME in request.COOKIES:
        patch_cache_control(response, private=True, no_store=True)
    elif response.status_code in (200, 410):
        patch_cache_control(response, public=True, max_age=0, must_revalidate=True)
        same_for_all(request)
    return response


def same_for_all(request: HttpRequest) -> None:
    """Let the page cache keep the response to ``request``."""
    request.META.setdefault(SAME_FOR_ALL, True)


def for_one_visitor(request: HttpRequest) -> None:
    """Let no cache keep the response to ``request``. To be called before the page is made."""
    request.META[SAME_FOR_ALL] = False


@contextlib.contextmanager
def answering(request: HttpRequest) -> Iterator[None]:
    """While the response to ``request`` is made: ``ends_within`` is about this response."""
    before = getattr(_answering, "meta", None)
    _answering.meta = request.META
    try:
        yield
    finally:
        _answering.meta = before


def ends_within(seconds: float) -> None:
    """Let the page cache keep the response that this thread makes now no longer than this.

    It is for a page without a part that failed and is tried again.
    """
    meta = getattr(_answering, "meta", None)
    if meta is not None:
        meta[ENDS_WITHIN] = min(seconds, meta.get(ENDS_WITHIN, seconds))


def seconds_until(moment: dt.datetime | None, *, most: int) -> int:
    """Whole seconds until ``moment``: at least 0, at most ``most``, also without a moment."""
    if moment is None:
        return most
    return min(most, max(0, int((moment - timezone.now()).total_seconds())))
