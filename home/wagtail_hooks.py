"""What this app adds to how Wagtail serves pages."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from wagtail import hooks
from wagtail.models import Page


@hooks.register("before_serve_page")
def under_the_address_of_its_language(
    page: Page, request: HttpRequest, args: Any, kwargs: Any
) -> HttpResponse | None:
    """Lead to a page's own address where it would stand under another language's.

    Wagtail serves the home page of the first language, and all below it, at the address of a
    language that has no published home page. And it fills a language with aliases, which show
    the words of another one.
    """
    shown = page.alias_of if page.alias_of_id else page
    if shown.locale.language_code == get_language():
        return None
    return HttpResponseRedirect(shown.get_url(request) or "/")
