"""HTML to PDF: the same bytes for the same document, and nothing loaded from outside."""

from __future__ import annotations

import functools
import io
import logging
import os
import resource
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.staticfiles import finders
from django.utils.translation import gettext as _

from careers.applications.errors import Misconfigured, Permanent, Transient
from careers.documents import fonts
from careers.documents.document import ApplicationDocument, Branding
from careers.documents.html import to_html
from careers.documents.scratch import scratch

if TYPE_CHECKING:
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration
    from weasyprint.urls import URLFetcher

logger = logging.getLogger(__name__)

#: Archival and tagged: PDF/A-3, level A (ISO 19005-3).
VARIANT = "pdf/a-3a"
STYLESHEET = "css/print.css"
LOGO = "careers:logo"
#: Seconds after which a typesetter is replaced. It reads fonts from temporary files, and some
#: systems delete those after a few days.
FRESH = 24 * 60 * 60

#: What a bug of WeasyPrint may raise. Celery stops a worker by other exceptions, so this is not
#: every Exception.
BUGS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

#: What a document may load: bytes and media type by address.
Assets = Mapping[str, tuple[bytes, str]]


def render_pdf(document: ApplicationDocument) -> bytes:
    """Make the PDF of an application.

    Args:
        document: the content and the branding of the company.

    Returns:
        A tagged PDF/A-3a file. The bytes are the same each time on one machine.

    Raises:
        Permanent: WeasyPrint cannot make this document, or not within PDF_MEMORY_LIMIT.
        Misconfigured: a library, a font or the stylesheet is missing on this machine.
        Transient: the machine ran out of disk space or file handles.
    """
    logo = _usable_logo(document.branding)
    html = to_html(document, logo_url=LOGO if logo else "")
    content, missing = _make(html, {LOGO: logo} if logo else {}, document)
    if missing:
        logger.info(
            "This machine has no font for %d characters of the PDF of %s; install the Noto fonts",
            missing,
            document.reference,
        )
    return content


def short_of_room() -> Transient:
    """The error to raise when the machine lacks disk space or file handles for the moment."""
    return Transient(
        "pdf-machine", _("The machine that makes PDFs was short of disk space or files.")
    )


def _make(html: str, assets: Assets, document: ApplicationDocument) -> tuple[bytes, int]:
    """The PDF of ``html``, and how many characters have no font; errors are classified."""
    try:
        from weasyprint.urls import FatalURLFetchingError
    except OSError:
        raise Misconfigured(
            "pdf-libraries",
            _("The libraries that make PDFs are missing. Install Pango 1.44 or newer."),
        ) from None
    try:
        with _bounded_memory():
            return _typesetter().set(html, assets, document.digest)
    except FatalURLFetchingError:
        # It is no Exception, so that WeasyPrint does not catch it. A worker would not either.
        raise Permanent(
            "pdf-outside",
            _("The document tried to load an external file, so the PDF was not made."),
        ) from None
    except MemoryError:
        # It stopped at an unknown point, so the state of fonts and stylesheet is unknown, too.
        _typesetters.pop(os.getpid(), None)
        logger.error(
            "The PDF of %s needs more memory than PDF_MEMORY_LIMIT allows", document.reference
        )
        raise Permanent(
            "pdf-memory",
            _(
                "The PDF of this application needs more memory than %(limit)d MB. Its answers "
                "and files are safe. Raise PDF_MEMORY_LIMIT, restart the workers for the "
                "queue cpu, then retry."
            )
            % {"limit": settings.PDF_MEMORY_LIMIT},
        ) from None
    except OSError as error:
        logger.warning(
            "Making the PDF of %s failed with %s", document.reference, type(error).__name__
        )
        raise short_of_room() from None
    except BUGS as error:
        raise _unrenderable(document, error) from None


@dataclass
class Typesetter:
    """Fonts and stylesheet, read once because a new set for each document leaks memory.

    The lock is needed because Pango's font map is not thread-safe.
    """

    fonts: FontConfiguration
    stylesheet: CSS
    made_at: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.made_at < FRESH

    def set(self, html: str, assets: Assets, identifier: str) -> tuple[bytes, int]:
        """One document as PDF bytes, and the number of its characters without a font.

        Args:
            html: from ``to_html``.
            assets: everything that the document may load.
            identifier: the first half of the file's ID. WeasyPrint makes the second from its bytes.
        """
        from weasyprint import HTML

        with self.lock, _no_date_in_fonts(), _without_quoted_characters() as missing:
            content = HTML(string=html, url_fetcher=_only(assets)).write_pdf(
                stylesheets=[self.stylesheet],
                font_config=self.fonts,
                pdf_variant=VARIANT,
                pdf_identifier=identifier.encode(),
                optimize_images=True,
            )
        return content, missing.count


@contextmanager
def _bounded_memory() -> Iterator[None]:
    """Limit one document to PDF_MEMORY_LIMIT on top of what this process uses already.

    The kernel enforces the limit (setrlimit(2), RLIMIT_DATA), so it holds for the C libraries,
    too. Beyond it, they raise MemoryError or end this process; other processes are not
    affected. Only the soft limit changes, so it can be raised again afterwards.
    """
    try:
        used = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    except OSError:
        # Only Linux has /proc, and only Linux enforces this limit.
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    bounds = [used + int(settings.PDF_MEMORY_LIMIT * 2**20)]
    bounds += [known for known in (soft, hard) if known != resource.RLIM_INFINITY]
    resource.setrlimit(resource.RLIMIT_DATA, (min(bounds), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


@contextmanager
def _no_date_in_fonts() -> Iterator[None]:
    """Keep fontTools from writing the current time into fonts that it changes, such as emoji.

    (https://reproducible-builds.org/specs/source-date-epoch/)
    """
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]
        else:
            os.environ["SOURCE_DATE_EPOCH"] = before


class _MissingCharacters(logging.Filter):
    """Counts and drops the warnings that quote a character of an answer."""

    count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        if "glyph" not in str(record.msg):
            return True
        self.count += 1
        return False


@contextmanager
def _without_quoted_characters() -> Iterator[_MissingCharacters]:
    library, missing = logging.getLogger("weasyprint"), _MissingCharacters()
    library.addFilter(missing)
    try:
        yield missing
    finally:
        library.removeFilter(missing)


#: By process id. A forked child makes its own and keeps a reference to its parent's, because
#: dropping that would delete the parent's temporary font files.
_typesetters: dict[int, Typesetter] = {}


def _typesetter() -> Typesetter:
    current = _typesetters.get(os.getpid())
    if current is None or not current.is_fresh:
        current = _typesetters[os.getpid()] = _new_typesetter()
    return current


def _new_typesetter() -> Typesetter:
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    stylesheet = finders.find(STYLESHEET)
    files = [file for file in fonts.files() if fonts.letters(file)]
    if not stylesheet or not files:
        raise Misconfigured(
            "pdf-assets",
            _("The stylesheet or the fonts of the PDF are missing from the static files."),
        )
    assets = {f"careers:{file.stem}": (fonts.uncompressed(file), "font/ttf") for file in files}
    known = FontConfiguration()
    rules = _font_rules([file.stem for file in files])
    text = rules + Path(stylesheet).read_text(encoding="utf-8")
    # Fontconfig reads fonts only from files, which must exist as long as it uses them.
    with scratch():
        return Typesetter(known, CSS(string=text, font_config=known, url_fetcher=_only(assets)))


def _font_rules(stems: list[str]) -> str:
    """CSS for the fonts in files named ``family-script-weight``, and for two stacks of them.

    Each script is a family of its own, because WeasyPrint takes two files of the same family
    and weight for the same font. It does not support weight 650, so that is declared as bold.
    """
    rules, families = [], {}
    for stem in stems:
        family, weight = stem.rsplit("-", 1)
        style = "normal" if weight == "400" else "bold"
        rules.append(
            f'@font-face {{ font-family: "{family}"; font-weight: {style};'
            f' src: url("careers:{stem}") }}\n'
        )
        families[family] = True
    # Latin comes first because the files of other scripts contain spaces, too.
    sans = sorted((name for name in families if "-sans-" in name), key=_latin_first)
    mono = sorted(name for name in families if "-mono-" in name)
    text, code = (", ".join(f'"{name}"' for name in stack) for stack in (sans, mono))
    rules.append(f"@page {{ font-family: {text}, sans-serif }}\n")
    rules.append(f"html {{ font-family: {text}, sans-serif }}\n")
    rules.append(f".code {{ font-family: {code}, monospace }}\n")
    return "".join(rules)


def _latin_first(family: str) -> tuple[bool, str]:
    return "latin" not in family, family


def _only(assets: Assets) -> URLFetcher:
    """A fetcher that returns ``assets`` and refuses every other address."""
    return _fetcher_class()(assets)


@functools.cache
def _fetcher_class() -> type[URLFetcher]:
    from weasyprint.urls import FatalURLFetchingError, URLFetcher, URLFetcherResponse

    class OnlyOurs(URLFetcher):  # type: ignore[misc]  # WeasyPrint has no types
        def __init__(self, assets: Assets) -> None:
            super().__init__(
                allowed_protocols=("careers",), allow_redirects=False, fail_on_errors=True
            )
            self.assets = assets

        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            if url not in self.assets:
                raise FatalURLFetchingError("Only the document's own assets may be loaded")
            content, media_type = self.assets[url]
            return URLFetcherResponse(url, content, {"Content-Type": media_type})

    return OnlyOurs


def _usable_logo(branding: Branding) -> tuple[bytes, str] | None:
    """The logo and its media type, if it is a raster image that can be opened."""
    if not branding.logo:
        return None
    from PIL import Image

    try:
        with Image.open(io.BytesIO(branding.logo), formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
            image.load()
            return branding.logo, branding.logo_type or f"image/{image.format}".lower()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        logger.warning("The logo is not an image; the PDF shows the company's name instead")
        return None


def _unrenderable(document: ApplicationDocument, error: Exception) -> Permanent:
    # The message may quote an answer. The location is enough to find the cause.
    location = error.__traceback__
    while location is not None and location.tb_next is not None:
        location = location.tb_next
    where = (
        f"{Path(location.tb_frame.f_code.co_filename).name}:{location.tb_lineno}"
        if location
        else "?"
    )
    logger.error(
        "The PDF of %s cannot be made: %s at %s",
        document.reference,
        type(error).__name__,
        where,
    )
    return Permanent(
        "pdf-unrenderable",
        _("The PDF of this application cannot be made. Its answers and files are safe."),
    )
