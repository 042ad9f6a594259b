"""What the translations of a page share with it, at once and without a translator.

wagtail-localize brings a change to the translations when somebody asks for it and when they
are published again. For texts that is right; a job that is closed, or whose mails go to
another address, is so in every language. A model names such fields as
``SynchronizedField(name, overridable=False)``.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import ManyToManyField
from django.dispatch import receiver
from wagtail.models import Page
from wagtail.signals import page_published, page_unpublished
from wagtail_localize.fields import SynchronizedField, get_translatable_fields
from wagtail_localize.models import Translation, TranslationSource


def shared_fields(model: type[Page]) -> list[str]:
    """The names of the fields that no translation has for itself."""
    return [
        field.field_name
        for field in get_translatable_fields(model)
        if isinstance(field, SynchronizedField) and not field.overridable
    ]


def translations_of(page: Page) -> tuple[TranslationSource | None, list[Page]]:
    """What translators work from, and the pages that were made from it."""
    source = TranslationSource.objects.get_for_instance_or_none(page)
    if source is None:
        return None, []
    locales = source.translations.values_list("target_locale", flat=True)
    return source, list(page.get_translations().filter(locale__in=list(locales)).specific())


def original_of(page: Page) -> Page:
    """The page whose shared fields rule: what ``page`` was translated from, or an alias of.

    ``page`` itself when it is no translation, or when its original is gone.
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
    """Whether ``page`` is edited as a translation, string by string, and not as other pages are."""
    return bool(
        Translation.objects.filter(
            source__object_id=page.translation_key, target_locale=page.locale_id, enabled=True
        ).exists()
    )


@receiver(page_published)
def share(instance: Page, **_: Any) -> None:
    """Show translators what has changed, and bring the shared fields to each translation."""
    original = instance.specific
    source, translations = translations_of(original)
    if source is None:
        return
    with transaction.atomic():
        source.update_from_db()
        for translation in translations:
            _bring(original, translation)


@receiver(page_unpublished)
def take_down(instance: Page, **_: Any) -> None:
    """A page that is taken down is so in the languages that it was translated to."""
    for translation in translations_of(instance.specific)[1]:
        if translation.live:
            translation.unpublish()


def _bring(original: Page, translation: Page) -> None:
    names = shared_fields(type(original))
    # The newest draft may hold words that nobody has published yet: they stay a draft.
    draft = translation.get_latest_revision_as_object()
    draft_differs = translation.has_unpublished_changes or not translation.live
    changes = translation.live and _copy(original, translation, names)
    if changes:
        translation.save_revision(clean=False).publish()
    if (_copy(original, draft, names) or changes) and draft_differs:
        draft.save_revision(clean=False)


def _copy(original: Page, page: Page, names: list[str]) -> bool:
    """Whether anything was different."""
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
