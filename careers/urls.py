"""Every public address of ours; pages are Wagtail's."""

from django.urls import path

from careers.jobs.apply import apply
from careers.portal.views import receipt, receipt_pdf

urlpatterns = [
    path("apply/<uuid:job_key>/", apply, name="apply"),
    path("received/<slug:secret>/", receipt, name="receipt"),
    path("received/<slug:secret>/application.pdf", receipt_pdf, name="receipt_pdf"),
]
