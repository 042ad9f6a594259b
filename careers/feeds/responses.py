"""Responses with an entity tag: a client that has the current version gets 304."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from itertools import chain

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_cache_control

from home import content_version
from home.caching import same_for_all

#: A response of more bytes is sent while it is made. Its entity tag is not that of its bytes.
WHOLE = 1024 * 1024


def conditional(
    request: HttpRequest,
    parts: Iterable[bytes],
    content_type: str,
    *,
    max_age: int,
    until: dt.datetime | None = None,
) -> HttpResponseBase:
    """A response that any cache may keep, or 304 if the client has this version (RFC 9110, 13).

    It has no Last-Modified: if a job closes, the feed changes but no date in it does.

    Args:
        parts: the content, made while it is read. At most ``WHOLE`` bytes of it are in memory.
        max_age: seconds that caches may keep it without revalidation.
        until: when it next changes without a change of the content; None for never.
    """
    same_for_all(request)
    # Read before the content, which may be newer and is then asked for once more.
    address = f"{request.get_host()} {request.get_full_path()}"
    version = _tag(f"{content_version.current()} {until} {address}".encode())
    if found := get_conditional_response(request, etag=version):
        found["ETag"] = version
        patch_cache_control(found, public=True, max_age=max_age)
        return found
    source = iter(parts)
    read, size = [], 0
    for part in source:
        read.append(part)
        size += len(part)
        if size > WHOLE:
            large = StreamingHttpResponse(chain(read, source), content_type=content_type)
            large["ETag"] = version
            patch_cache_control(large, public=True, max_age=max_age)
            return large
    body = b"".join(read)
    etag = _tag(body)
    response = HttpResponse(body, content_type=content_type)
    response["ETag"] = etag
    patch_cache_control(response, public=True, max_age=max_age)
    found = get_conditional_response(request, etag=etag, response=response)
    return found or response


def _tag(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'
