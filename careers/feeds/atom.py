"""The open jobs as an Atom feed (RFC 4287), one for each language."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from io import StringIO
from typing import Any
from urllib.parse import urljoin

from django.db.models import Max
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.xmlutils import SimplerXMLGenerator
from django.views.decorators.http import require_safe
from wagtail.models import Site

from careers.feeds.responses import conditional
from careers.jobs.models import JobIndexPage, JobPage
from careers.jobs.openings import openings_below
from careers.jobs.recipients import settings_of
from home.caching import seconds_until
from home.content_cache import cached

MAX_AGE = 300  # seconds
#: How many jobs are read at a time.
GROUP = 500
#: The date of pages that code created, which have no publication date.
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
#: Characters that XML 1.0 does not allow, not even as references.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Feed(Atom1Feed):
    """An Atom feed that is written while its jobs are read.

    Its date is known before the jobs, so that a feed without jobs has one, too.
    """

    changed: dt.datetime

    def latest_post_date(self) -> dt.datetime:
        return self.changed

    def parts(self, entries: Iterable[list[dict[str, Any]]]) -> Iterator[bytes]:
        """The feed in parts.

        Args:
            entries: the arguments of ``add_item`` for each entry, in groups.
        """
        into = StringIO()

        def written() -> bytes:
            text = into.getvalue()
            into.seek(0)
            into.truncate()
            return text.encode()

        handler = SimplerXMLGenerator(into, "utf-8", short_empty_elements=True)
        handler.startDocument()
        handler.startElement("feed", self.root_attributes())  # type: ignore[arg-type]  # as Django
        self.add_root_elements(handler)
        for group in entries:
            for entry in group:
                self.add_item(**entry)
            self.write_items(handler)
            self.items.clear()
            yield written()
        handler.endElement("feed")
        yield written()


@require_safe
def atom(request: HttpRequest) -> HttpResponseBase:
    """The open jobs in the language of the address, newest first."""
    site = Site.find_for_request(request)
    index = job_index_of(site) if site else None
    if site is None or index is None:
        raise Http404
    here = index.get_full_url(request) or ""
    openings = openings_below(index, JobPage)
    age = seconds_until(openings.until, most=MAX_AGE)
    company = settings_of(index)
    name = company.company_name
    feed = Feed(
        title=clean(f"{index.title} · {name}" if name else index.title),
        link=here,
        description=clean(index.intro) or None,
        language=index.locale.language_code,
        author_name=clean(name or index.title),
        feed_url=urljoin(here, reverse("atom")),
        feed_guid=tag(site, index),
    )
    feed.changed = changed_at(index)

    def entries() -> Iterator[list[dict[str, Any]]]:
        keys = openings.keys(openings.all)
        for start in range(0, len(keys), GROUP):
            group = keys[start : start + GROUP]
            jobs = JobPage.objects.filter(pk__in=group).with_labels().in_bulk()
            found = [jobs[key] for key in group if key in jobs]
            for job in found:
                # They save queries: all jobs of a list belong to one company and language.
                job.company, job.locale = company, index.locale
            yield [entry(request, site, job, here) for job in found]

    parts = feed.parts(entries())
    return conditional(request, parts, Feed.content_type, max_age=age, until=openings.until)


def entry(request: HttpRequest, site: Site, job: JobPage, here: str) -> dict[str, Any]:
    """A job as the arguments of ``Feed.add_item``.

    Args:
        here: the address of the list of jobs.
    """
    published = job.posted_at or LONG_AGO
    return {
        "title": clean(job.title),
        "link": job.get_full_url(request) or here,
        "description": clean(summary(job)),
        "unique_id": tag(site, job),
        "pubdate": published,
        "updateddate": max(published, job.last_published_at or published),
        "categories": [clean(job.department.name)] if job.department else (),
    }


def changed_at(index: JobIndexPage) -> dt.datetime:
    """When the list or one of its open jobs was last published or opened."""
    jobs = JobPage.objects.descendant_of(index).open().order_by()
    dates = jobs.aggregate(
        opened=Max(Coalesce("opened_at", "first_published_at")), published=Max("last_published_at")
    )
    return max(filter(None, (index.last_published_at, *dates.values(), LONG_AGO)))


def job_index_of(site: Site) -> JobIndexPage | None:
    """The list of jobs of a site in the active language."""
    front = site.root_page.localized
    if front.locale.language_code != translation.get_language():
        return None
    lists = JobIndexPage.objects.descendant_of(front).live().public().select_related("locale")
    return cached(("list of jobs", front.pk), lists.first)


def tag(site: Site, page: JobPage | JobIndexPage) -> str:
    """An id that stays if the address of the page changes (a tag URI, RFC 4151)."""
    named = (page.first_published_at or LONG_AGO).date()
    language = page.locale.language_code
    return f"tag:{site.hostname},{named.isoformat()}:{page.translation_key}/{language}"


def summary(job: JobPage) -> str:
    """The summary and the facts of a job, as HTML."""
    facts = " · ".join(value for _label, value in job.facts())
    return f"<p>{escape(job.summary)}</p><p>{escape(facts)}</p>"


def clean(text: str) -> str:
    """``text`` without characters that XML does not allow."""
    return _NOT_IN_XML.sub("", text)
