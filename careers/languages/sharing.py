"""Fields that a page shares with its translations, without a translator.

wagtail-localize copies a change to a translation when an editor syncs or publishes the
translation. That is right for texts. But a closing date or a recipient must change in every
language at once. A model declares such fields as ``SynchronizedField(name, overridable=False)``.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import ManyToManyField
from django.dispatch import receiver
from wagtail.models import Page
from wagtail.signals import copy_for_translation_done, page_published, page_unpublished
from wagtail_localize.fields import SynchronizedField, get_translatable_fields
from wagtail_localize.models import Translation, TranslationSource

from home.schedule import ScheduledPage, drop_spent


def shared_fields(model: type[Page]) -> list[str]:
    """The names of the fields that a translation cannot override."""
    return [
        field.field_name
        for field in get_translatable_fields(model)
        if isinstance(field, SynchronizedField) and not field.overridable
    ]


def translations_of(page: Page) -> tuple[TranslationSource | None, list[Page]]:
    """The translation source of a page, and the pages translated from it."""
    source = TranslationSource.objects.get_for_instance_or_none(page)
    if source is None:
        return None, []
    locales = source.translations.values_list("target_locale", flat=True)
    return source, list(page.get_translations().filter(locale__in=list(locales)).specific())


def original_of(page: Page) -> Page:
    """The page that ``page`` takes its shared fields from: its source, or the page it aliases.

    Returns ``page`` itself when it is not a translation, or when its original was deleted.
    """
    if page.alias_of:
        return page.alias_of.specific
    source = TranslationSource.objects.filter(
        object_id=page.translation_key, translations__target_locale=page.locale_id
    ).first()
    if source is None:
        return page
    original = page.get_translation_or_none(source.locale)
    return page if original is None else original.specific


def is_translated(page: Page) -> bool:
    """Whether ``page`` is edited in the translation editor instead of the page editor."""
    return bool(
        Translation.objects.filter(
            source__object_id=page.translation_key, target_locale=page.locale_id, enabled=True
        ).exists()
    )


@receiver(page_published)
def share(instance: Page, **_: Any) -> None:
    """Update the translation source, and copy the shared fields to each translation."""
    original = instance.specific
    source, translations = translations_of(original)
    if source is None:
        return
    with transaction.atomic():
        source.update_from_db()
        for translation in translations:
            _copy_to(original, translation)


@receiver(page_unpublished)
def take_down(instance: Page, **_: Any) -> None:
    """Unpublish the translations of an unpublished page, and for the same reason.

    ``expired`` tells a page that its schedule unpublished from one that a person unpublished.
    Wagtail does not pass it on to aliases.
    """
    if instance.expired:
        instance.aliases.filter(live=False).update(expired=True)
    for translation in translations_of(instance.specific)[1]:
        if translation.live:
            translation.unpublish(set_expired=instance.expired)


@receiver(copy_for_translation_done)
def share_with_copy(source_obj: Any, target_obj: Any, **_: Any) -> None:
    """Give a new translation all shared fields, also those that other copies do not get."""
    if not isinstance(target_obj, Page) or target_obj.alias_of_id:
        return
    original = source_obj.specific_class.objects.get(pk=source_obj.pk)
    if isinstance(original, ScheduledPage):
        drop_spent(original)
    translation = target_obj.specific
    if _copy(original, translation, shared_fields(type(original))):
        translation.save(clean=False)
        translation.save_revision(clean=False)


def _copy_to(original: Page, translation: Page) -> None:
    names = shared_fields(type(original))
    # The newest draft may hold unpublished texts, which must stay a draft.
    draft = translation.get_latest_revision_as_object()
    draft_differs = translation.has_unpublished_changes or not translation.live
    changes = translation.live and _copy(original, translation, names)
    if changes:
        translation.save_revision(clean=False).publish()
    if (_copy(original, draft, names) or changes) and draft_differs:
        draft.save_revision(clean=False)


def _copy(original: Page, page: Page, names: list[str]) -> bool:
    """Copy the named fields; returns whether any value changed."""
    changed = False
    for name in names:
        if isinstance(original._meta.get_field(name), ManyToManyField):
            value, before = (list(getattr(one, name).all()) for one in (original, page))
        else:
            value, before = getattr(original, name), getattr(page, name)
        if value != before:
            setattr(page, name, value)
            changed = True
    return changed
