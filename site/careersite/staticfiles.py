"""Static files are joined, stored under names with a hash, and compressed, when they are collected.

A page loads one stylesheet of ours and at most one script. Their sources are small files, one for
each topic, and a file that only imports them: ``css/page-job.css`` has lines such as
``@import "form.css";``, and ``js/page-job.js`` has lines such as ``import "./draft.js";``. A
development server serves the sources, because browsers follow these imports. ``collectstatic`` puts
the parts in place of the imports, so that a page needs one request instead of ten.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.files.base import ContentFile
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.utils.functional import cached_property
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage

#: The files that are joined, and the import of a part, which lies in the same directory: addresses
#: in the part stay right.
JOINED = re.compile(r"css/[^/]+\.css|js/[^/]+\.js")
IMPORT = re.compile(r'^(?:@import "([\w-]+\.css)"|import "\./([\w-]+\.js)");\n', re.MULTILINE)
#: Comments of a stylesheet and indentation; a string is matched first and stays.
EXTRAS = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|/\*.*?\*/|(?<=\n)\s+""", re.DOTALL)

#: The largest file in bytes for which Brotli is worth its time. It makes a stylesheet a sixth
#: smaller than gzip, but takes seven times as much CPU time. All files of the public pages are
#: smaller; the admin's large scripts get gzip only.
BROTLI_UP_TO = 100_000

#: The storage and the path of each collected file, by its name: what ``collectstatic`` gives.
Collected = Mapping[str, tuple[Any, str]]


class Parts:
    """A storage of collected files that reads each file joined with its parts."""

    def __init__(self, collected: Collected) -> None:
        self._collected = collected

    def open(self, name: str) -> ContentFile[bytes]:
        """The joined file ``name``, as Django's storage opens it."""
        return ContentFile(self.text(name).encode())

    def text(self, name: str) -> str:
        """The joined file ``name``; a stylesheet is without its comments.

        Raises:
            ValueError: it imports a part that does not exist.
        """
        if name not in self._collected:
            raise ValueError(f"A stylesheet or script imports {name}, which does not exist.")
        storage, path = self._collected[name]
        with storage.open(path) as file:
            source = file.read().decode()
        is_script = name.endswith(".js")

        def part(match: re.Match[str]) -> str:
            text = self.text(posixpath.join(posixpath.dirname(name), match[1] or match[2]))
            # The block keeps the names of one part from the others, as its module did.
            return f"{{\n{text}}}\n" if is_script else text

        return IMPORT.sub(part, source if is_script else EXTRAS.sub(r"\1", source))


class CompressorBySize(Compressor):
    """WhiteNoise's compressor, which makes no Brotli of files larger than ``BROTLI_UP_TO``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Several threads use a compressor, so its own switch can't be turned for a file.
        self._gzip = Compressor(**kwargs, use_brotli=False)

    def compress(self, path: str) -> list[str]:
        is_large = os.path.getsize(path) > BROTLI_UP_TO
        names: list[str] = self._gzip.compress(path) if is_large else super().compress(path)
        return names


class StaticFilesStorage(CompressedManifestStaticFilesStorage):
    """WhiteNoise's storage, which joins files and reads the manifest when it first needs it."""

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

    def post_process(
        self, paths: Collected, dry_run: bool = False, **options: Any
    ) -> Iterator[tuple[str, str, bool]]:
        parts = Parts(paths)
        joined = {name: (parts, name) for name in paths if JOINED.fullmatch(name)}
        yield from super().post_process({**paths, **joined}, dry_run=dry_run, **options)

    def compress_files(self, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
        """Compress what pages request: files with a hash in their name."""
        found: Iterator[tuple[str, str]] = super().compress_files(
            sorted(set(paths) & set(self.hashed_files.values()))
        )
        return found

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return CompressorBySize(**kwargs)


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
