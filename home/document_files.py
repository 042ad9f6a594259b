"""The addresses of the documents that editors uploaded."""

from __future__ import annotations

from django.core.exceptions import SuspiciousFileOperation
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import re_path
from wagtail.documents import urls
from wagtail.documents.views.serve import serve as serve_by_wagtail

#: What a storage raises for a file that is missing, unreadable or has no usable name. Outages of a
#: remote storage are not among them: the file is there.
_LOST = (
    FileNotFoundError,
    IsADirectoryError,
    NotADirectoryError,
    PermissionError,
    SuspiciousFileOperation,
    ValueError,
)


def serve(request: HttpRequest, document_id: str, document_filename: str) -> HttpResponse:
    """Wagtail's view of a document, which checks permissions.

    Opening the file tells whether it is there, so the storage is not asked for that before.

    Raises:
        Http404: there is no such document, or its file is lost.
    """
    try:
        response: HttpResponse = serve_by_wagtail(request, document_id, document_filename)
    except _LOST as error:
        raise Http404 from error
    return response


_NAME = "wagtaildocs_serve"
urlpatterns = [
    re_path(r"^(\d+)/(.*)$", serve, name=_NAME),
    *(pattern for pattern in urls.urlpatterns if pattern.name != _NAME),
]
