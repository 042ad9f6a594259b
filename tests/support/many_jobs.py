"""Thousands of open jobs in a second: copies of one, written without the life cycle of a page."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from wagtail.models import Page

from careers.jobs.models import JobPage
from careers.jobs.taxonomy import Department, Location
from careers.search.models import VERSION, ContentTerms
from careers.search.terms import terms_of

TRADES = ("Baker", "Cook", "Diver", "Editor", "Farmer", "Gardener", "Hatter", "Joiner", "Welder")


def add_jobs(job: JobPage, number: int, *, departments: int = 5, locations: int = 5) -> None:
    """Add copies of a job to its list, spread over new departments and locations.

    Args:
        job: a live job.
    """
    parent = job.get_parent(update=True)
    original = Page.objects.get(pk=job.pk)
    taken = parent.numchild
    pages = []
    for count in range(taken + 1, taken + number + 1):
        page = Page(**{f.attname: getattr(original, f.attname) for f in Page._meta.fields[1:]})
        page.path = Page._get_path(parent.path, parent.depth + 1, count + 1000)
        page.title = page.draft_title = f"{TRADES[count % len(TRADES)]} {count}"
        page.slug = f"job-{count}"
        page.url_path = f"{parent.url_path}{page.slug}/"
        page.translation_key = uuid.uuid4()
        page.latest_revision_id = page.live_revision_id = None
        pages.append(page)
    pages = Page.objects.bulk_create(pages, batch_size=500)
    Page.objects.filter(pk=parent.pk).update(numchild=taken + number)
    columns = ", ".join(f'"{f.column}"' for f in JobPage._meta.local_fields[1:])
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO careers_jobpage (page_ptr_id, {columns}) "
            f"SELECT p.id, {columns} FROM wagtailcore_page p, careers_jobpage j "
            "WHERE j.page_ptr_id = %s AND p.id BETWEEN %s AND %s",
            [job.pk, pages[0].pk, pages[-1].pk],
        )
    teams = [
        Department.objects.get_or_create(
            slug=f"team-{n}", locale_id=job.locale_id, defaults={"name": f"Team {n}"}
        )[0]
        for n in range(departments)
    ]
    places = [
        Location.objects.get_or_create(
            slug=f"town-{n}", defaults={"name": f"Town {n}", "country": "NO"}
        )[0]
        for n in range(locations)
    ]
    having: Any = JobPage.locations.through
    for n, team in enumerate(teams):
        keys = [page.pk for page in pages[n :: len(teams)]]
        for start in range(0, len(keys), 900):
            JobPage.objects.filter(pk__in=keys[start : start + 900]).update(department=team)
    having.objects.bulk_create(
        [
            having(jobpage_id=page.pk, location_id=places[n % len(places)].pk)
            for n, page in enumerate(pages)
        ],
        batch_size=500,
    )
    kind = ContentType.objects.get_for_model(JobPage)
    ContentTerms.objects.bulk_create(
        [
            ContentTerms(
                content_type=kind,
                object_id=str(page.pk),
                title=terms_of(page.title),
                terms=terms_of(f"{page.title}\n{job.summary}"),
                version=VERSION,
            )
            for page in pages
        ],
        batch_size=500,
    )
