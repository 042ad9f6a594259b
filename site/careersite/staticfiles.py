"""How static files are stored: under names that carry their hash, and compressed once."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage with gzip alone.

    Brotli makes our stylesheets about a sixth smaller still, but for Wagtail's own files it took
    seven times as much of a processor, which every first start would pay. A proxy in front may
    still use it.
    """

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return Compressor(**kwargs, use_brotli=False)
