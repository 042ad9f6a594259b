"""Wagtail hooks of this app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import get_language
from wagtail import hooks
from wagtail.contrib.redirects.views import process_import
from wagtail.images.views import images
from wagtail.models import Page

from home.caching import cacheable
from home.schedule import ScheduledPage

ServePage = Callable[[Page, HttpRequest, Any, Any], HttpResponse]


@hooks.register("before_serve_page")
def redirect_to_own_language(
    page: Page, request: HttpRequest, args: Any, kwargs: Any
) -> HttpResponse | None:
    """Redirect to the page's own address if the address belongs to another language.

    For a language without a published home page, Wagtail serves the pages of the default
    language. It also fills a language with aliases, which show the text of another one.
    """
    shown = page.alias_of if page.alias_of_id else page
    if shown.locale.language_code == get_language():
        return None
    return HttpResponseRedirect(shown.get_url(request) or "/")


# The last one is called right around the page: what it sees is no form for a password.
@hooks.register("on_serve_page", order=1000)
def caches_may_keep_pages(serve_page: ServePage) -> ServePage:
    """Let caches keep the pages of this site, but not pages of other types."""

    def served(page: Page, request: HttpRequest, args: Any, kwargs: Any) -> HttpResponse:
        response = serve_page(page, request, args, kwargs)
        return cacheable(request, response) if isinstance(page, ScheduledPage) else response

    return served


@hooks.register("register_admin_urls")
def preview_of_damaged_picture_is_not_found() -> list[URLPattern]:
    """Take the place of Wagtail's preview, which decodes a picture outside ``home.pictures``."""
    return [path("images/<int:image_id>/preview/<str:filter_spec>/", preview)]


def preview(request: HttpRequest, image_id: int, filter_spec: str) -> HttpResponse:
    """Wagtail's preview of a picture.

    Raises:
        Http404: there is no such picture, or it can't be shown.
        PermissionDenied: the user may not change it.
    """
    try:
        response: HttpResponse = images.preview(request, image_id, filter_spec)
    except (Http404, PermissionDenied):
        raise
    except Exception as error:  # a decoder fails in any way on a damaged file
        raise Http404 from error
    return response


@hooks.register("register_admin_urls", order=-1)
def import_of_redirects_needs_its_form() -> list[URLPattern]:
    """Take the place of Wagtail's second step of an import, which fails without its hidden data."""
    return [path("redirects/import/process/", import_redirects)]


def import_redirects(request: HttpRequest) -> HttpResponse:
    """Wagtail's import of redirects.

    Raises:
        SuspiciousOperation: the signed data of the first step is missing or changed.
    """
    try:
        response: HttpResponse = process_import(request)
    except (AttributeError, KeyError) as error:
        raise SuspiciousOperation("the data of the first step is missing") from error
    return response
