"""Translated texts, which wagtail-localize stores without looking at them.

They come from its editor, from PO files and from translation services. They are cleaned here as in
the editor of pages. A translation of which nobody sees anything is kept with an error: pages then
show the original text, and the translation editor says why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from html import unescape
from typing import Any

from django.db.models import F
from django.db.models.signals import post_save, pre_save
from django.dispatch import receiver
from django.utils.html import strip_tags
from django.utils.translation import gettext as _
from wagtail.models import Page
from wagtail_localize.models import SegmentOverride, StringTranslation

from home.values.text import clean, visible, without_unseen

_ENTITY = re.compile(r"&#?\w{2,10};")


@receiver(pre_save, sender=StringTranslation)
def clean_translation(
    instance: StringTranslation, update_fields: Collection[str] | None = None, **_more: Any
) -> None:
    """Remove what nobody can see, and refuse to use what is empty then."""
    if update_fields is not None and "data" not in update_fields:
        return
    instance.data = without_unseen(_ENTITY.sub(_decoded, instance.data))
    if not _shows_something(instance.data) and _shows_something(instance.translation_of.data):
        instance.has_error = True
        instance.field_error = _(
            "This translation shows nothing, so the page shows the original text."
        )


@receiver(post_save, sender=StringTranslation)
def keep_title(instance: StringTranslation, **_more: Any) -> None:
    """Keep the title of a page in the admin: wagtail-localize shows translations at once."""
    if instance.has_error and instance.context and instance.context.path == "title":
        pages = Page.objects.filter(translation_key=instance.context.object_id)
        pages.filter(locale=instance.locale_id).update(draft_title=F("title"))


@receiver(pre_save, sender=SegmentOverride)
def clean_override(
    instance: SegmentOverride, update_fields: Collection[str] | None = None, **_more: Any
) -> None:
    """Clean a text that takes the place of a shared value, such as the hiring organization."""
    if update_fields is not None and "data_json" not in update_fields:
        return
    value = json.loads(instance.data_json)
    if isinstance(value, str):
        instance.data_json = json.dumps(clean(value, lines=True))


def _decoded(entity: re.Match[str]) -> str:
    """An entity as its character, which may be invisible; those of HTML's own signs stay."""
    character = unescape(entity[0])
    return entity[0] if character.isascii() and character.isprintable() else character


def _shows_something(html: str) -> bool:
    return visible(unescape(strip_tags(html)))
