"""The sitemap and robots.txt, for search engines.

The protocol is https://www.sitemaps.org/protocol.html; each entry names its translations as
Google describes it.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import F, Q
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import override
from django.views.decorators.http import require_safe
from wagtail.models import Page, Site

from careers.feeds.responses import conditional
from careers.jobs.models import JobPage
from home.caching import seconds_until

MAX_AGE = 3600  # seconds


@require_safe
def sitemap(request: HttpRequest) -> HttpResponseBase:
    """Every public page of the site in every language, except jobs that are not open."""
    site = Site.find_for_request(request)
    if site is None:
        raise Http404
    age = seconds_until(JobPage.objects.next_change(), most=MAX_AGE)
    body = render_to_string("sitemap.xml", {"urlset": addresses(site)}).encode()
    return conditional(request, body, "application/xml; charset=utf-8", max_age=age)


def addresses(site: Site) -> list[dict[str, Any]]:
    """The entries of the sitemap. The number of queries does not depend on the number of pages."""
    below = Q()
    for front in site.root_page.get_translations(inclusive=True):
        below |= Q(path__startswith=front.path)
    not_open = JobPage.objects.exclude(pk__in=JobPage.objects.open().order_by().values("pk"))
    pages = (
        Page.objects.live()
        .public()
        .filter(below, alias_of=None)
        .exclude(pk__in=not_open.values("pk"))
        .annotate(opened_at=F("jobpage__opened_at"))
        .select_related("locale")
        .order_by("path")
    )
    translations: dict[Any, list[dict[str, str]]] = defaultdict(list)
    found = []
    for page in pages:
        location = page.full_url
        if not location:
            continue
        translations[page.translation_key].append(
            {"lang_code": page.locale.language_code, "location": location}
        )
        found.append((page, location))
    return [
        {
            "location": location,
            # A job may open later than it was published.
            "lastmod": max(filter(None, (page.last_published_at, page.opened_at)), default=None),
            "alternates": translations[page.translation_key]
            if len(translations[page.translation_key]) > 1
            else [],
        }
        for page, location in found
    ]


@require_safe
def robots(request: HttpRequest) -> HttpResponseBase:
    """robots.txt: which addresses crawlers must not visit, and the sitemap (RFC 9309)."""
    site = Site.find_for_request(request)
    closed = ["/admin/", "/documents/", "/flower/", "/health/", "/metrics"]
    for code, _name in settings.LANGUAGES:
        with override(code):
            front = reverse("wagtail_serve", args=[""])
        closed += [f"{front}apply/", f"{front}received/"]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    if site is not None:
        lines += ["", f"Sitemap: {urljoin(site.root_url, reverse('sitemap'))}"]
    body = "\n".join([*lines, ""]).encode()
    return conditional(request, body, "text/plain; charset=utf-8", max_age=MAX_AGE)
