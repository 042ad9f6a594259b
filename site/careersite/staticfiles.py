"""Static files are stored under names with a hash, and compressed once."""

import re
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage with gzip only, which reads the manifest when it first needs it.

    Brotli makes our stylesheets about a sixth smaller, but takes seven times as much CPU time for
    Wagtail's files, at every first start. A proxy in front can still use it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Importing Wagtail creates the storage. A process that did so before the files were
        # collected would know no files, or those of an earlier release.
        del self.hashed_files

    @cached_property
    def hashed_files(self) -> dict[str, str]:
        """The hashed name of each file."""
        found: dict[str, str] = self.load_manifest()[0]
        return found

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return Compressor(**kwargs, use_brotli=False)


@require_safe
@never_cache
def redirect_from_other_release(request: HttpRequest, path: str) -> HttpResponseRedirect:
    """Redirect to our own version of a file when another release's version is requested.

    During an upgrade a page of one release may request its stylesheet from a process of the
    other, and caches serve older pages for a while.
    """
    plain = re.sub(r"\.[0-9a-f]{12}(?=\.[^./]+$)", "", path)
    try:
        ours = staticfiles_storage.url(plain)
    except ValueError:
        raise Http404 from None
    if plain == path or ours == request.path:
        raise Http404
    return HttpResponseRedirect(ours)
