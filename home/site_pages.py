"""The parts of a site that its pages share, read once for each version of the content."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language
from wagtail.models import Page, PageViewRestriction, Site
from wagtail.models import sites as wagtail_sites
from wagtail.url_routing import RouteResult

from home.content_cache import cached, is_open

_find_site = wagtail_sites.get_site_for_hostname
_find_root_paths = Site.get_site_root_paths


def _site_of_host(hostname: str, port: str) -> Site:
    """The site of a host, with its home page as the type that it has.

    Raises:
        Site.DoesNotExist: there is none.
    """
    if not is_open():
        return _find_site(hostname, port)
    # A visitor can send any host, so only the hosts of sites are keys.
    hosts = cached("hosts", lambda: set(Site.objects.values_list("hostname", flat=True)))

    def find() -> Site:
        site = _find_site(hostname, port)
        site.root_page = site.root_page.specific
        return site

    return cached(("site", hostname if hostname in hosts else "", port), find)


def install() -> None:
    """Let Wagtail find sites in this way. Call it once, when all apps are ready."""
    wagtail_sites.get_site_for_hostname = _site_of_host
    Site.get_site_root_paths = staticmethod(_root_paths)


def _root_paths() -> list[wagtail_sites.SiteRootPath]:
    """Where the pages of each site begin, which is a part of every address."""

    def read() -> list[wagtail_sites.SiteRootPath]:
        # Wagtail keeps them in the memory of each process and learns of no change in another one.
        Site.clear_site_root_paths_cache()
        return _find_root_paths()

    return cached("root paths", read) if is_open() else _find_root_paths()


def has_restrictions() -> bool:
    """Whether any page is for some visitors only."""
    return cached("has restrictions", PageViewRestriction.objects.exists)


class ShownPage:
    """A page for visitors; whether they may see it costs no query while every page is public."""

    def get_view_restrictions(self) -> QuerySet[PageViewRestriction]:
        """The restrictions of the page and of those above it."""
        if is_open() and not has_restrictions():
            return PageViewRestriction.objects.none()
        page: Any = super()
        return page.get_view_restrictions()  # type: ignore[no-any-return]


class SitePage(ShownPage):
    """A page of which a site has few: it is read once for each version of the content."""

    # The page class provides these.
    pk: Any
    get_children: Any

    @property
    def localized(self) -> Any:
        """The live translation in the active language, else the page itself."""
        page: Any = super()
        return cached(("localized", self.pk, get_language()), lambda: page.localized.specific)

    def route(self, request: HttpRequest, path_components: list[str]) -> RouteResult:
        """Find the page of an address at or below this one."""
        below: Any = super()
        if not path_components or not is_open():
            return below.route(request, path_components)
        slug, *rest = path_components
        children = self.get_children().type(*SitePage.__subclasses__())
        if slug not in cached(
            ("slugs", self.pk), lambda: set(children.values_list("slug", flat=True))
        ):
            return below.route(request, path_components)

        def find() -> Any:
            child = children.get(slug=slug)
            # As Wagtail does: it saves a query for the page above.
            child._cached_parent_obj = self
            return child.specific

        return cached(("child", self.pk, slug), find).route(request, rest)


class SharedSettings:
    """Settings of a site that are read once for each version of the content."""

    # The settings class provides these.
    get_cache_attr_name: Any
    for_site: Any

    @classmethod
    def for_request(cls, request: HttpRequest) -> Any:
        """The settings of the site that a request is for."""
        name = cls.get_cache_attr_name()
        if not hasattr(request, name):
            setattr(request, name, cls.of_site(Site.find_for_request(request)))
        return getattr(request, name)

    @classmethod
    def of_site(cls, site: Site) -> Any:
        """The settings of a site, to be read only."""
        return cached((cls, site.pk), lambda: cls.for_site(site))


def front_pages_elsewhere(front: Page) -> list[Page]:
    """The home pages of a site in its other languages, in the order of their codes.

    Aliases do not count: they show the text of another language.
    """

    def find() -> list[Page]:
        others = front.get_translations().live().public().filter(alias_of=None)
        return list(others.select_related("locale").order_by("locale__language_code"))

    return cached(("home pages elsewhere", front.pk), find)


def menu_of(front: Page) -> list[Page]:
    """The children of a home page that editors put into the menu, in page order."""
    return cached(("menu", front.pk), lambda: list(front.get_children().live().public().in_menu()))


def notices_of(front: Page, kind: type[Page]) -> list[Page]:
    """The pages of a type right below a home page, such as legal notices."""
    return cached(
        ("notices", front.pk, kind), lambda: list(front.get_children().live().public().type(kind))
    )
