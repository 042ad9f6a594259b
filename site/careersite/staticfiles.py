"""How static files are stored: under names that carry their hash, and compressed once."""

from typing import Any

from django.utils.functional import cached_property
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
