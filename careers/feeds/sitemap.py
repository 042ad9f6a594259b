"""The sitemap and robots.txt, for search engines.

The protocol is https://www.sitemaps.org/protocol.html; each entry names its translations as
Google describes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from urllib.parse import urljoin

from django.conf import settings
from django.db.models import Count, F, Q, QuerySet
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import override
from django.views.decorators.http import require_safe
from wagtail.models import Page, Site

from careers.feeds.responses import conditional
from careers.jobs.models import JobPage
from home.caching import seconds_until

MAX_AGE = 3600  # seconds
#: The most addresses that one file may have, by the protocol, and the most links to translations,
#: so that a file stays below the 50 MB of the protocol.
MOST, LINKS = 50_000, 200_000
#: How many pages are read and written at a time.
GROUP = 500


@require_safe
def sitemap(request: HttpRequest) -> HttpResponseBase:
    """Every public page of the site in every language, except jobs that are not open.

    A site with more pages than one file may have gets the index of its ``part`` files.
    """
    site, pages = _pages(request)
    files = Files(pages)
    if files.number == 1:
        return _answer(request, written(request, read(pages)))
    urls = (
        urljoin(site.root_url, reverse("sitemap_part", args=[number + 1]))
        for number in range(files.number)
    )
    return _answer(request, index_of(urls))


@require_safe
def part(request: HttpRequest, number: int) -> HttpResponseBase:
    """One of the files of a sitemap that has several.

    Args:
        number: from 1 on.
    """
    _site, pages = _pages(request)
    files = Files(pages)
    if files.number == 1 or not 1 <= number <= files.number:
        raise Http404
    return _answer(request, written(request, read(files.pages(number - 1))))


def _pages(request: HttpRequest) -> tuple[Site, QuerySet[Page]]:
    site = Site.find_for_request(request)
    if site is None:
        raise Http404
    return site, pages_of(site)


def _answer(request: HttpRequest, parts: Iterable[bytes]) -> HttpResponseBase:
    change = JobPage.objects.next_change()
    age = seconds_until(change, most=MAX_AGE)
    content_type = "application/xml; charset=utf-8"
    return conditional(request, parts, content_type, max_age=age, until=change)


class Files:
    """How the pages are divided: the translations of a page are in the same file.

    Attributes:
        number: of the files.
    """

    def __init__(self, pages: QuerySet[Page]) -> None:
        self._pages = pages
        found = pages.aggregate(
            urls=Count("pk"),
            keys=Count("translation_key", distinct=True),
            languages=Count("locale", distinct=True),
        )
        languages = max(1, found["languages"])
        most = min(MOST, LINKS // languages)
        self._keys = max(1, most // languages)
        self.number = 1 if found["urls"] <= most else -(-found["keys"] // self._keys)

    def pages(self, number: int) -> QuerySet[Page]:
        """The pages of one file, by its number from 0 on."""
        keys = self._pages.order_by("translation_key").values_list("translation_key", flat=True)
        begin = number * self._keys
        # The first key of this file, and of the next one.
        first = keys.distinct()[begin]
        pages = self._pages.filter(translation_key__gte=first)
        if number == self.number - 1:
            return pages
        return pages.filter(translation_key__lt=keys.distinct()[begin + self._keys])


def pages_of(site: Site) -> QuerySet[Page]:
    """The pages of the sitemap."""
    below = Q()
    for front in site.root_page.get_translations(inclusive=True):
        below |= Q(path__startswith=front.path)
    not_open = JobPage.objects.exclude(pk__in=JobPage.objects.open().order_by().values("pk"))
    return (
        Page.objects.live()
        .public()
        .filter(below, alias_of=None)
        .exclude(pk__in=not_open.values("pk"))
        .order_by()
    )


def read(pages: QuerySet[Page]) -> Iterable[Page]:
    """The pages with the translations of a page side by side.

    They are read in groups. The number of queries does not depend on the number of pages.
    """
    return (
        pages.annotate(opened_at=F("jobpage__opened_at"), language=F("locale__language_code"))
        .only("url_path", "translation_key", "last_published_at")
        .order_by("translation_key", "language")
        .iterator(chunk_size=GROUP)
    )


def index_of(urls: Iterable[str]) -> Iterator[bytes]:
    """The index of sitemaps at these addresses."""
    yield (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    )
    for url in urls:
        yield f"<sitemap><loc>{escape(url)}</loc></sitemap>\n".encode()
    yield b"</sitemapindex>\n"


def written(request: HttpRequest, pages: Iterable[Page]) -> Iterator[bytes]:
    """The sitemap in parts.

    Args:
        pages: the translations of a page side by side.
    """
    yield (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
        b' xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
    )
    lines: list[str] = []
    for _key, same in groupby(pages, key=lambda page: page.translation_key):
        found = [(page, escape(url)) for page in same if (url := page.get_full_url(request))]
        links = "".join(
            f'<xhtml:link rel="alternate" hreflang="{page.language}" href="{url}"/>'
            for page, url in found
        )
        for page, url in found:
            # A job may open later than it was published.
            changed = max(filter(None, (page.last_published_at, page.opened_at)), default=None)
            date = f"<lastmod>{changed:%Y-%m-%d}</lastmod>" if changed else ""
            lines.append(f"<url><loc>{url}</loc>{date}{links if len(found) > 1 else ''}</url>\n")
        if len(lines) >= GROUP:
            yield "".join(lines).encode()
            lines.clear()
    yield "".join([*lines, "</urlset>\n"]).encode()


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
    return conditional(request, [body], "text/plain; charset=utf-8", max_age=MAX_AGE)
