"""Every public URL of this app; Wagtail serves the pages.

``urlpatterns`` exist once in each language, ``once`` only once.
"""

from django.urls import path

from careers.apply.views import apply
from careers.feeds.atom import atom
from careers.feeds.share_image import share_image
from careers.feeds.sitemap import part, robots, sitemap
from careers.pipeline.delivery_reports import listen
from careers.portal.renewal import renew
from careers.portal.views import receipt, receipt_pdf

once = [
    path("robots.txt", robots, name="robots"),
    path("sitemap.xml", sitemap, name="sitemap"),
    path("sitemap-<int:number>.xml", part, name="sitemap_part"),
    path("hooks/mail/", listen, name="mail_reports"),
]

urlpatterns = [
    path("jobs.atom", atom, name="atom"),
    path("share/<uuid:job_key>.png", share_image, name="share_image"),
    path("apply/<uuid:job_key>/", apply, name="apply"),
    path("received/", renew, name="receipt_renew"),
    path("received/<slug:secret>/", receipt, name="receipt"),
    path("received/<slug:secret>/application.pdf", receipt_pdf, name="receipt_pdf"),
]
