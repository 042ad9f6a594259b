"""How feeds are sent: whoever has the current one already is told just that."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control


def conditional(
    request: HttpRequest,
    body: bytes,
    content_type: str,
    *,
    max_age: int,
) -> HttpResponseBase:
    """An answer that any cache may keep, or 304 for those who have this very one (RFC 9110, 13).

    There is no date: a job that closes takes itself out of a feed, and nothing gets younger by it.

    Args:
        body: what to send; its hash is the entity tag.
        max_age: seconds that it may be kept without asking.
    """
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = HttpResponse(body, content_type=content_type)
    response["ETag"] = etag
    patch_cache_control(response, public=True, max_age=max_age)
    found = get_conditional_response(request, etag=etag, response=response)
    return found or response
