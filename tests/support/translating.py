"""Pages in French, made as an editor makes them with wagtail-localize."""

from __future__ import annotations

from typing import Any

from django.test import TestCase
from wagtail.models import Locale, Page
from wagtail_localize.models import Translation
from wagtail_localize.operations import translate_object


def french() -> Locale:
    return Locale.objects.get_or_create(language_code="fr")[0]


def translation_of(page: Any) -> Translation:
    """The French translation of ``page``, begun if there is none yet."""
    translate_object(page, [french()])
    return Translation.objects.get(
        source__object_id=page.translation_key, target_locale__language_code="fr"
    )


def in_french(page: Any, words: dict[str, str] | None = None, *, publish: bool = True) -> Any:
    """The French page: ``words`` says what each English text becomes, the others stay."""
    translation = translation_of(page)
    po = translation.export_po()
    for entry in po:
        entry.msgstr = (words or {}).get(entry.msgid, "")
    assert translation.import_po(po) == []
    # wagtail-localize publishes when the transaction ends, which a test's never does.
    with TestCase.captureOnCommitCallbacks(execute=True):
        translation.save_target(publish=publish)
    found = translation.get_target_instance()
    return found.specific if isinstance(found, Page) else found


def french_site(home: Any, job_index: Any) -> Any:
    """The French list of jobs, below a French home page: copies, which cost little to make."""
    home.copy_for_translation(french()).save_revision().publish()
    jobs = job_index.copy_for_translation(french())
    jobs.title = "Offres d’emploi"
    jobs.save_revision().publish()
    return jobs
