"""The open jobs as an Atom feed (RFC 4287), one for each language."""

from __future__ import annotations

import datetime as dt
import re
from urllib.parse import urljoin

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import translation
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.views.decorators.http import require_safe
from wagtail.models import Site

from careers.feeds.responses import conditional
from careers.jobs.models import JobIndexPage, JobPage
from careers.jobs.recipients import settings_of
from home.caching import seconds_until

MAX_AGE = 300  # seconds
#: The date of pages that code created, which have no publication date.
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
#: Characters that XML 1.0 does not allow, not even as references.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")


class Feed(Atom1Feed):
    """An Atom feed whose date we set, so that a feed without jobs has one, too."""

    changed: dt.datetime

    def latest_post_date(self) -> dt.datetime:
        return self.changed


@require_safe
def atom(request: HttpRequest) -> HttpResponseBase:
    """The open jobs in the language of the address, newest first."""
    site = Site.find_for_request(request)
    index = job_index_of(site) if site else None
    if site is None or index is None:
        raise Http404
    here = index.get_full_url(request) or ""
    below = JobPage.objects.descendant_of(index)
    age = seconds_until(below.next_change(), most=MAX_AGE)
    jobs = below.open().with_labels().select_related("locale")
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
    feed.changed = index.last_published_at or LONG_AGO
    for job in jobs:
        # Saves a query per job: all jobs of a list belong to one company.
        job.company = company
        published = job.posted_at or LONG_AGO
        updated = max(published, job.last_published_at or published)
        feed.changed = max(feed.changed, updated)
        feed.add_item(
            title=clean(job.title),
            link=job.get_full_url(request) or here,
            description=clean(summary(job)),
            unique_id=tag(site, job),
            pubdate=published,
            updateddate=updated,
            categories=[clean(job.department.name)] if job.department else (),
        )
    body = feed.writeString("utf-8").encode()
    return conditional(request, body, Feed.content_type, max_age=age)


def job_index_of(site: Site) -> JobIndexPage | None:
    """The list of jobs of a site in the active language."""
    front = site.root_page.localized
    if front.locale.language_code != translation.get_language():
        return None
    found: JobIndexPage | None = (
        JobIndexPage.objects.descendant_of(front).live().public().select_related("locale").first()
    )
    return found


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
