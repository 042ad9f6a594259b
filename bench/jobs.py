"""Make many open jobs: ``python -m bench.jobs COUNT`` in a site's environment.

The site then has so many open jobs in its first language: of twenty kinds, in departments and
locations, with different times; every tenth is translated. It takes seconds, because the rows are
written at once. The pages have no revisions.
"""

from __future__ import annotations

import datetime as dt
import sys
import uuid
from typing import Any

import django

ROLES = (
    *("Accountant", "Architect", "Buyer", "Chemist", "Controller", "Designer", "Driver"),
    *("Electrician", "Engineer", "Fitter", "Geologist", "Hydrologist", "Laboratory assistant"),
    *("Mechanic", "Operator", "Photographer", "Researcher", "Surveyor", "Translator", "Welder"),
)
DEPARTMENTS, LOCATIONS, TRANSLATED = 20, 30, 10
#: Whose texts and questions the jobs have.
MODEL = "production-planner"
BATCH = 1000


def fill(count: int) -> None:
    """Add jobs until ``count`` are open in the first language."""
    from careers.jobs.models import JobIndexPage, JobPage

    index = JobIndexPage.objects.get(locale__language_code="en")
    missing = count - JobPage.objects.descendant_of(index).open().count()
    model = JobPage.objects.get(slug=MODEL, locale__language_code="en")
    keys = [uuid.uuid4() for _number in range(missing)]
    add_below(index, model, keys)
    french = JobIndexPage.objects.get(locale__language_code="fr")
    add_below(french, model, keys[::TRANSLATED])


def add_below(index: Any, model: Any, keys: list[uuid.UUID]) -> None:
    """Add one job for each key below a list, with search terms, in the list's language."""
    from django.db import transaction
    from django.utils import timezone
    from wagtail.models import Page

    now = timezone.now()
    first = index.numchild + 1
    with transaction.atomic():
        for batch in batches(list(enumerate(keys))):
            pages = [
                Page(
                    title=ROLES[number % len(ROLES)],
                    draft_title=ROLES[number % len(ROLES)],
                    slug=f"job-{number}",
                    url_path=f"{index.url_path}job-{number}/",
                    content_type=model.content_type,
                    translation_key=key,
                    locale=index.locale,
                    path=type(index)._get_path(index.path, index.depth + 1, first + number),
                    depth=index.depth + 1,
                    numchild=0,
                    live=True,
                    first_published_at=now - dt.timedelta(minutes=number),
                    last_published_at=now - dt.timedelta(minutes=number),
                )
                for number, key in batch
            ]
            add_jobs(Page.objects.bulk_create(pages), model)
        Page.objects.filter(pk=index.pk).update(numchild=index.numchild + len(keys))


def add_jobs(pages: list[Any], model: Any) -> None:
    """Write what ``JobPage`` adds to a page. Django can't do it in bulk for child models."""
    from django.db import connection

    from careers.jobs.models import JobPage
    from careers.jobs.taxonomy import EmploymentType, Workplace

    table, parent = JobPage._meta.db_table, JobPage._meta.pk.column
    names = [field.column for field in JobPage._meta.local_concrete_fields]
    own = ", ".join(f'"{name}"' for name in names if name != parent)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO {table} ("{parent}", {own})'
            f" SELECT page.id, {own} FROM wagtailcore_page page, {table} model"
            f' WHERE model."{parent}" = %s AND page.id BETWEEN %s AND %s',
            [model.pk, pages[0].pk, pages[-1].pk],
        )
    departments, locations = taxonomy(pages[0].locale)
    jobs = [
        JobPage(
            pk=page.pk,
            department=departments[page.pk % DEPARTMENTS],
            workplace=Workplace.values[page.pk % 3],
            employment_type=EmploymentType.values[page.pk % 4],
            closes_at=page.first_published_at + dt.timedelta(days=60) if page.pk % 3 else None,
        )
        for page in pages
    ]
    JobPage.objects.bulk_update(
        jobs, ["department", "workplace", "employment_type", "closes_at"], batch_size=200
    )
    joined = JobPage.locations.through
    joined.objects.bulk_create(
        joined(jobpage_id=page.pk, location=locations[(page.pk + place) % LOCATIONS])
        for page in pages
        for place in range(1 + page.pk % 2)
    )
    index_texts(pages, model)


def taxonomy(locale: Any) -> tuple[list[Any], list[Any]]:
    """The departments and locations of the jobs, made at the first call."""
    from careers.jobs.taxonomy import Department, Location

    for number in range(DEPARTMENTS):
        Department.objects.get_or_create(
            slug=f"department-{number}",
            locale=locale,
            defaults={"name": f"Department {number}"},
        )
    for number in range(LOCATIONS):
        Location.objects.get_or_create(
            slug=f"town-{number}",
            defaults={"name": f"Town {number}", "country": "NO", "postal_code": f"{5000 + number}"},
        )
    return (
        list(Department.objects.filter(locale=locale, slug__startswith="department-")),
        list(Location.objects.filter(slug__startswith="town-")),
    )


def index_texts(pages: list[Any], model: Any) -> None:
    """Let search find the jobs: those of one kind have the same texts."""
    from careers.search import content
    from careers.search.models import ContentTerms

    rows = {}
    for title in ROLES:
        model.title = title
        content.index(model)
        rows[title] = ContentTerms.objects.get(
            content_type=model.content_type, object_id=str(model.pk)
        )
    model.refresh_from_db(fields=["title"])
    content.index(model)
    ContentTerms.objects.bulk_create(
        ContentTerms(
            content_type=model.content_type,
            object_id=str(page.pk),
            title=rows[page.title].title,
            terms=rows[page.title].terms,
            version=rows[page.title].version,
        )
        for page in pages
    )


def batches(items: list[Any]) -> list[list[Any]]:
    return [items[start : start + BATCH] for start in range(0, len(items), BATCH)]


if __name__ == "__main__":
    django.setup()
    fill(int(sys.argv[1]))
