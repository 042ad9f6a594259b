"""Wagtail hooks of this app."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language
from wagtail import hooks
from wagtail.admin.forms.models import register_form_field_override
from wagtail.admin.widgets import AdminAutoHeightTextInput
from wagtail.models import Page

from home.values.fields import EmailField, LineField, LinesField

# Every form of the admin cleans text; fields of other classes, such as slugs, check it themselves.
for field_class, override in (
    (models.CharField, {"form_class": LineField}),
    (models.TextField, {"form_class": LinesField, "widget": AdminAutoHeightTextInput}),
    (models.EmailField, {"form_class": EmailField}),
):
    register_form_field_override(field_class, override=override, exact_class=True)


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
