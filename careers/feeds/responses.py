"""Responses with an entity tag: a client that has the current version gets 304."""

from __future__ import annotations

import hashlib

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control

from home.caching import same_for_all


def conditional(
    request: HttpRequest,
    body: bytes,
    content_type: str,
    *,
    max_age: int,
) -> HttpResponseBase:
    """A response that any cache may keep, or 304 if the client has this version (RFC 9110, 13).

    It has no Last-Modified: if a job closes, the feed changes but no date in it does.

    Args:
        body: the content; its hash is the entity tag.
        max_age: seconds that caches may keep it without revalidation.
    """
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    response = HttpResponse(body, content_type=content_type)
    response["ETag"] = etag
    patch_cache_control(response, public=True, max_age=max_age)
    same_for_all(request)
    found = get_conditional_response(request, etag=etag, response=response)
    return found or response
