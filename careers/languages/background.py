"""wagtail-localize's background work, through Celery.

A request of an editor becomes a row in the same transaction. The message holds the row's id and
nothing else, so a message that is lost costs only time: a scheduled task starts what is left.

The row is for the editor who translates a section of many pages: as a plain Celery message the
request would vanish with the broker, and done at once it would exceed the request's time limit.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Sequence
from typing import Any

from celery import current_app
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from wagtail_localize.tasks import BaseJobBackend

log = logging.getLogger(__name__)

#: Pages that one message translates, so that applicants' mails do not wait in the queue.
SLICE = 20
#: After this time a worker that has begun counts as lost; longer than the task may run.
CLAIM = dt.timedelta(minutes=15)


class CeleryBackend(BaseJobBackend):
    """To be named in ``WAGTAILLOCALIZE_JOBS``."""

    def enqueue(
        self, func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> None:
        """Store the request, and dispatch it after the commit.

        Work that can't be stored as a row is done at once, as without any backend.
        """
        from wagtail_localize.operations import translate_page_subtree
        from wagtail_localize.synctree import synchronize_tree

        from careers.languages.models import TranslationRequest

        if func is translate_page_subtree and not _chosen(args[2]):
            page_id, locales, _components, user = args
            kind = TranslationRequest.Kind.SUBTREE
        elif func is synchronize_tree:
            page_id, locales, user = None, args, None
            kind = TranslationRequest.Kind.MIRROR
        else:
            func(*args, **kwargs)
            return
        request = TranslationRequest.objects.create(
            kind=kind, page_id=page_id, locales=[locale.pk for locale in locales], user=user
        )
        transaction.on_commit(lambda: dispatch(request.pk))


def _chosen(components: Any) -> bool:
    """Whether the editor filled in forms of other apps, which no message could carry."""
    return bool(components is not None and components.components)


def dispatch(request_id: int) -> None:
    """Send a message to the workers; best effort, never raises."""
    try:
        current_app.send_task(
            "careers.translate_pages", kwargs={"request_id": request_id}, retry=False
        )
    except Exception as error:  # the row is safe, and the scheduled task finds it
        log.warning("the broker took no message: %s", type(error).__name__)


def waiting() -> list[int]:
    """Every request that no worker has claimed, oldest first."""
    from careers.languages.models import TranslationRequest

    return list(TranslationRequest.objects.filter(_free()).values_list("pk", flat=True))


def run(request_id: int) -> bool:
    """Do one request, or a part of it; nothing if it is done or another worker has claimed it.

    Returns:
        Whether a part of it is left.
    """
    from careers.languages.models import TranslationRequest

    rows = TranslationRequest.objects.filter(pk=request_id)
    if not rows.filter(_free()).update(claimed_at=timezone.now()):
        return False
    try:
        left = _do(rows.get())
    except BaseException:
        rows.update(claimed_at=None)
        raise
    if left:
        rows.update(claimed_at=None)
    else:
        rows.delete()
    return left


def _free() -> Q:
    return Q(claimed_at=None) | Q(claimed_at__lt=timezone.now() - CLAIM)


def _do(request: Any) -> bool:
    from wagtail.log_actions import LogContext
    from wagtail.models import Locale
    from wagtail_localize.operations import translate_object
    from wagtail_localize.synctree import synchronize_tree

    found = Locale.objects.in_bulk(request.locales)
    locales = [found[pk] for pk in request.locales if pk in found]
    if request.kind == request.Kind.MIRROR:
        if len(locales) == 2:
            synchronize_tree(*locales)
        return False
    # Parents come first in this order. Each page is a transaction of its own, because one around
    # all of them would block every other writer on SQLite.
    done = 0
    for page in request.page.get_descendants():
        missing = [locale for locale in locales if not _is_submitted(page, locale)]
        if not missing:
            continue
        if done == SLICE:
            return True
        try:
            # The page is made in the name of the editor, with the editor's rights.
            with LogContext(user=request.user):
                translate_object(page, missing, user=request.user)
        except PermissionDenied:
            log.warning("user %s may not translate page %s", request.user_id, page.pk)
            continue
        done += 1
    return False


def _is_submitted(page: Any, locale: Any) -> bool:
    from wagtail_localize.models import Translation

    return bool(
        page.locale_id == locale.pk
        or Translation.objects.filter(
            source__object_id=page.translation_key, target_locale=locale, enabled=True
        ).exists()
    )
