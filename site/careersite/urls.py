"""The URLs of the site. Wagtail's catch-all pattern comes last."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.http import Http404
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.defaults import page_not_found
from django.views.generic import RedirectView
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls

from careers import urls as careers_urls
from careersite import flower, health
from careersite.browser_reports import receive
from careersite.metrics import metrics
from careersite.settings.browser import REPORTS_PATH
from careersite.signin import urls as signin_urls
from careersite.staticfiles import redirect_from_other_release
from home.theme import icon_svg, theme_css

handler400 = "careersite.bodies.bad_request"

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", metrics, name="metrics"),
    path("flower/", flower.enter, name="flower"),
    path("flower/pass", flower.let_pass, name="flower_pass"),
    path("flower/<path:page>", flower.enter, name="flower_page"),
    path(REPORTS_PATH.lstrip("/"), receive, name="browser_reports"),
    path("theme.css", theme_css, name="theme"),
    path("icon.svg", icon_svg, name="icon"),
    # Some clients request it without reading the page.
    path("favicon.ico", RedirectView.as_view(pattern_name="icon")),
    path("static/<path:path>", redirect_from_other_release),
    *careers_urls.once,
    # Wagtail's view that fails on purpose.
    path("admin/failwhale/", page_not_found, {"exception": Http404()}),
    path("admin/", include(signin_urls)),
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include("home.document_files")),
    # Images only: documents go through Wagtail's view, which checks permissions.
    re_path(
        r"^media/(?P<path>(?:images|original_images)/.+)$",
        lambda request, path: serve(request, path, str(settings.MEDIA_ROOT)),
    ),
]

if getattr(settings, "EMBEDDED_MAIL", False):
    from careersite.embedded import urls as mail_urls

    urlpatterns.append(path("mail/", include(mail_urls)))

urlpatterns += i18n_patterns(
    path("", include(careers_urls)),
    path("", include(signin_urls.of_pages)),
    path("", include(wagtail_urls)),
    prefix_default_language=False,
)
