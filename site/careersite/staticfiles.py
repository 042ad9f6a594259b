"""How static files are stored: under names that carry their hash, and compressed once."""

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
    """WhiteNoise's storage with gzip alone, that reads the manifest when it first needs it.

    Brotli makes our stylesheets about a sixth smaller still, but for Wagtail's own files it took
    seven times as much of a processor, which every first start would pay. A proxy in front may
    still use it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Importing Wagtail makes the storage; a process that has done so before the files were
        # collected, and its copies, would know no file, or those of an earlier release.
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
def of_another_release(request: HttpRequest, path: str) -> HttpResponseRedirect:
    """Lead to our own file of that name when a page names one that we don't have.

    In an upgrade a page of one release may ask a process of the other for its stylesheet, and
    pages that were made before come from caches for a while.
    """
    plain = re.sub(r"\.[0-9a-f]{12}(?=\.[^./]+$)", "", path)
    try:
        ours = staticfiles_storage.url(plain)
    except ValueError:
        raise Http404 from None
    if plain == path or ours == request.path:
        raise Http404
    return HttpResponseRedirect(ours)
