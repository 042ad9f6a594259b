"""Index what search has not read: answers, files, and all that an upgrade left without terms.

Nothing waits for this work. A person with a receipt is found by name, address, phone number and
reference at once; the rest follows within minutes. A run is short, so that it delays no step. The
next run continues where it stopped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from celery.exceptions import SoftTimeLimitExceeded
from django.core.cache import cache
from django.db.models import Exists, Model, OuterRef, QuerySet
from modelsearch.index import get_indexed_models, insert_or_update_object

from careers import inspection
from careers.applications.errors import EffectError, Permanent
from careers.applications.models import LOCKED, UPLOADS, Application, ApplicationFile
from careers.inspection import DOCX, ODT, PDF
from careers.pipeline.effects.subject import content_of
from careers.search.applications import (
    ANSWERS,
    PERSON,
    index_answers,
    index_file,
    index_person,
)
from careers.search.content import without_terms
from careers.search.models import VERSION, ApplicationTerms

log = logging.getLogger(__name__)

TASK = "careers.index_texts"
#: Seconds that one run takes, and rows that it reads at once.
LASTS, BATCH = 10, 100
#: Rows of terms that one run compares with what exists, and where the cache keeps the last of them.
LOOKED_AT = 2000
_LOOKED_UP_TO = "indexing.looked-up-to"
#: Files in a row that can't be read now, after which a run ends.
GIVES_UP_AFTER = 3
#: Seconds after which a text is tried again that took all the time of its task.
LATER = 3600
Row = TypeVar("Row", bound=Model)
#: The types of files that have words.
_WITH_WORDS = (PDF, DOCX, ODT)


def run(*, lasts: float = LASTS) -> int:
    """Index what has no terms yet, the newest first.

    Args:
        lasts: seconds after which it starts nothing more.

    Returns:
        How many texts it has indexed.
    """
    ends = time.monotonic() + lasts
    forget_deleted()
    done = unread = 0
    try:
        for index in _waiting():
            try:
                done += _succeeds(index)
                unread = 0
            except (EffectError, inspection.Busy) as error:
                # The archive may refuse one file. If several fail in a row, it is away.
                unread += 1
                log.info("a file is indexed later: %s", type(error).__name__)
            if unread == GIVES_UP_AFTER or time.monotonic() >= ends:
                break
    finally:
        inspection.rest()
    return done


def forget_deleted() -> None:
    """Delete terms of applications and files that another release has deleted.

    This release deletes them itself. So each run looks only at the next ``LOOKED_AT`` rows, and
    the first follow the last.
    """
    rows = ApplicationTerms.objects.filter(pk__gt=cache.get(_LOOKED_UP_TO, 0)).order_by("pk")
    found = list(rows.values_list("pk", "application", "file")[:LOOKED_AT])
    applications = _existing(Application, {row[1] for row in found})
    files = _existing(ApplicationFile, {row[2] for row in found if row[2]})
    gone = [
        row
        for row, application, file in found
        if application not in applications or (file and file not in files)
    ]
    ApplicationTerms.objects.filter(pk__in=gone).delete()
    cache.set(_LOOKED_UP_TO, found[-1][0] if len(found) == LOOKED_AT else 0, timeout=None)


def _existing(model: type[Model], keys: set[int]) -> set[int]:
    return set(model._default_manager.filter(pk__in=keys).values_list("pk", flat=True))


def _waiting() -> Iterator[partial[Any]]:
    """A call for each text without terms.

    Pages come first: they are few, and visitors search them. Files come last: they take longest.
    """
    for model in get_indexed_models():
        if not model._meta.parents:
            yield from (
                partial(insert_or_update_object, one) for one in _each(without_terms(model))
            )
    for source, index in ((PERSON, index_person), (ANSWERS, index_answers)):
        yield from (partial(index, one) for one in _each(_applications_without(source)))
    yield from (partial(_index_file, one) for one in _each(_files_without_terms()))


def _applications_without(source: str) -> QuerySet[Application]:
    terms = ApplicationTerms.objects.filter(
        application=OuterRef("pk"), source=source, version=VERSION
    )
    return Application.objects.filter(~Exists(terms)).order_by("-pk")


def _files_without_terms() -> QuerySet[ApplicationFile]:
    """The uploads that nobody has read; one that is locked waits for the virus scan."""
    terms = ApplicationTerms.objects.filter(file=OuterRef("pk"), version=VERSION)
    return (
        ApplicationFile.objects.filter(~Exists(terms), kind__in=UPLOADS)
        .exclude(scan_verdict__in=LOCKED)
        .select_related("application")
        .order_by("-pk")
    )


def _each(found: QuerySet[Row]) -> Iterator[Row]:
    """The rows of a query, some at a time; each once, also when it can't be indexed."""
    last = None
    while rows := list((found.filter(pk__lt=last) if last else found)[:BATCH]):
        yield from rows
        last = rows[-1].pk


def _succeeds(index: partial[Any]) -> bool:
    (item,) = index.args
    name = f"{item._meta.label} {item.pk}"
    # It stays when the task is out of time or its process is killed. Such a text waits, because
    # every run would begin with it and come no further.
    begun = f"indexing.begun.{item._meta.label_lower}.{item.pk}"
    if not cache.add(begun, True, timeout=LATER):
        return False
    try:
        index()
    except SoftTimeLimitExceeded:
        log.warning("%s: indexed later, because it takes too long", name)
        return False
    except (EffectError, inspection.Busy):
        cache.delete(begun)
        raise
    except Exception as error:
        # Not a word of the text: it may hold personal data. The next run tries again.
        cache.delete(begun)
        log.warning("%s: not indexed: %s", name, type(error).__name__)
        return False
    cache.delete(begun)
    return True


def _index_file(file: ApplicationFile) -> None:
    text = ""
    if file.content_type in _WITH_WORDS:
        # What can't be read has no words, also the next time.
        with suppress(inspection.Refused, Permanent):
            text = inspection.text_of(content_of(file), file.content_type)
    index_file(file, text)
