"""Which jobs use a department or a location, so that nobody deletes it under them.

Deleting a location would remove it from its jobs without a word: the reference is a row of its own.
Drafts and scheduled versions are texts, in which the database sees no reference at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import ProtectedError, Q
from django.db.models.signals import m2m_changed, pre_delete
from django.dispatch import receiver
from django.utils.translation import gettext as _
from wagtail.models import ReferenceIndex, Revision

from careers.jobs.models import JobPage
from careers.jobs.taxonomy import Department, Location
from home.bidi import isolated, listed

#: How many jobs an error names.
NAMED = 5


def jobs_that_use(items: Iterable[Department | Location]) -> list[JobPage]:
    """The jobs whose page, newest draft or scheduled version names one of ``items``."""
    departments = {item.pk for item in items if isinstance(item, Department)}
    locations = {item.pk for item in items if isinstance(item, Location)}
    jobs = JobPage.objects.all()
    rows = jobs.filter(Q(department__in=departments) | Q(locations__in=locations))
    found = set(rows.values_list("pk", flat=True))
    drafts = jobs.filter(has_unpublished_changes=True).values("latest_revision")
    versions = Revision.page_revisions.filter(content_type__model=JobPage._meta.model_name).filter(
        Q(pk__in=drafts) | Q(approved_go_live_at__isnull=False)
    )
    for key, content in versions.values_list("object_id", "content").iterator():
        chosen = set(content.get("locations") or ())
        if chosen & locations or content.get("department") in departments:
            found.add(int(key))
    return list(jobs.filter(pk__in=found).order_by("title"))


@receiver(pre_delete, sender=Department)
@receiver(pre_delete, sender=Location)
def refuse_deletion(instance: Any, **_more: Any) -> None:
    """Refuse to delete what jobs use, wherever it was asked for.

    Raises:
        ProtectedError: jobs use it; the error names some of them.
    """
    if jobs := jobs_that_use([instance]):
        raise ProtectedError(
            _("“%(name)s” was not deleted: jobs use it (%(jobs)s).")
            % {
                "name": isolated(str(instance)),
                "jobs": listed([job.title for job in jobs[:NAMED]], len(jobs)),
            },
            set(jobs),
        )


@receiver(m2m_changed, sender=JobPage.locations.through)
def count_usages(instance: Any, action: str, **_more: Any) -> None:
    """Tell Wagtail which locations a job uses: it counts before they are stored."""
    if action.startswith("post_") and isinstance(instance, JobPage):
        ReferenceIndex.create_or_update_for_object(instance)
