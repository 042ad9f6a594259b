"""Which address leads where. Our own come before Wagtail's catch-all."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView
from django.views.static import serve
from wagtail import urls as wagtail_urls
from wagtail.admin import urls as wagtailadmin_urls
from wagtail.documents import urls as wagtaildocs_urls

from careers import urls as careers_urls
from careersite import flower, health
from careersite.metrics import metrics
from careersite.staticfiles import of_another_release
from home.theme import icon_svg, theme_css

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/live", health.live, name="live"),
    path("health/ready", health.ready, name="ready"),
    path("metrics", metrics, name="metrics"),
    path("flower/", flower.enter, name="flower"),
    path("flower/pass", flower.let_pass, name="flower_pass"),
    path("flower/<path:page>", flower.enter, name="flower_page"),
    path("theme.css", theme_css, name="theme"),
    path("icon.svg", icon_svg, name="icon"),
    # Some ask for it without looking at the page.
    path("favicon.ico", RedirectView.as_view(pattern_name="icon")),
    path("static/<path:path>", of_another_release),
    *careers_urls.once,
    path("admin/", include(wagtailadmin_urls)),
    path("documents/", include(wagtaildocs_urls)),
    # Pictures only: documents go through Wagtail's view, which knows who may read them.
    re_path(
        r"^media/(?P<path>(?:images|original_images)/.+)$",
        serve,
        {"document_root": settings.MEDIA_ROOT},
    ),
]

if getattr(settings, "EMBEDDED_MAIL", False):
    from careersite.embedded import urls as mail_urls

    urlpatterns.append(path("mail/", include(mail_urls)))

urlpatterns += i18n_patterns(
    path("", include(careers_urls)),
    path("", include(wagtail_urls)),
    prefix_default_language=False,
)
