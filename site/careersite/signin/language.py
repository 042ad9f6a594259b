"""The language of the pages of signing in.

The address says nothing about it. A person who is signed in has chosen one in their account; before
that it is the browser's, because no cache keeps these pages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.template.response import SimpleTemplateResponse
from django.utils import translation
from django.utils.cache import patch_cache_control
from django.utils.translation.trans_real import (
    get_supported_language_variant,
    parse_accept_lang_header,
)
from wagtail.users.models import UserProfile

View = Callable[..., HttpResponseBase]


def language_of(user: Any) -> str:
    """The language that a person has chosen for the admin, or the site's default."""
    profile = UserProfile.objects.filter(user=user).first()
    return (profile.preferred_language if profile else "") or str(settings.LANGUAGE_CODE)


def in_own_language(view: View) -> View:
    """Decorator: answer in the visitor's language, and let no cache keep the answer."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        with translation.override(_language(request)):
            response = view(request, *args, **kwargs)
            if isinstance(response, SimpleTemplateResponse):
                response.render()
        patch_cache_control(response, private=True, no_store=True, no_cache=True)
        return response

    return wrapped


def _language(request: HttpRequest) -> str:
    if request.user.is_authenticated:
        return language_of(request.user)
    for code, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        try:
            return get_supported_language_variant(code)
        except LookupError:
            continue
    return str(settings.LANGUAGE_CODE)
