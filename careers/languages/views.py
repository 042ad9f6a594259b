"""wagtail-localize's pages that begin and update translations, for editors of the page only.

Its own views ask for the permission to translate, and then take any page.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from wagtail.admin.utils import get_valid_next_url_from_request
from wagtail.models import Page
from wagtail_localize.models import Translation
from wagtail_localize.views import edit_translation
from wagtail_localize.views.submit_translations import SubmitPageTranslationView
from wagtail_localize.views.update_translations import UpdateTranslationsView


class SubmitPage(SubmitPageTranslationView):
    """Begin the translation of a page that the user may edit."""

    def get_object(self) -> Page:
        page: Page = super().get_object()
        if not page.permissions_for_user(self.request.user).can_edit():
            raise PermissionDenied
        return page


class UpdateTranslations(UpdateTranslationsView):
    """Update the translations of a page that the user may edit.

    Publishing them requires the permission to publish each of them.
    """

    def get_object(self) -> Any:
        source = super().get_object()
        original = source.get_source_instance()
        if isinstance(original, Page):
            user = self.request.user
            if not original.permissions_for_user(user).can_edit():
                raise PermissionDenied
        return source

    def form_valid(self, form: Any) -> HttpResponse:
        if form.cleaned_data["publish_translations"]:
            for translation in self.object.translations.filter(enabled=True):
                target = translation.get_target_instance()
                user = self.request.user
                if isinstance(target, Page) and not target.permissions_for_user(user).can_publish():
                    raise PermissionDenied
        return super().form_valid(form)


def upload_pofile(request: HttpRequest, translation_id: int) -> HttpResponse:
    """Import a PO file; without a file, or with one of another program, say what to choose."""
    try:
        response: HttpResponse = edit_translation.upload_pofile(request, translation_id)
    except KeyError:  # no file, or a file that names no translation
        messages.error(request, _("Choose a PO file that was downloaded from this translation."))
        translation = Translation.objects.get(pk=translation_id)
        editor = translation.get_target_instance_edit_url()
        return redirect(get_valid_next_url_from_request(request) or editor)
    return response


def admin_urls() -> list[URLPattern]:
    """For Wagtail's hook ``register_admin_urls``, before wagtail-localize's own."""
    return [
        path("localize/translate/<int:translation_id>/pofile/upload/", upload_pofile),
        path("localize/submit/page/<int:page_id>/", SubmitPage.as_view()),
        path("localize/update/<int:translation_source_id>/", UpdateTranslations.as_view()),
    ]
