"""HTML to PDF bytes: always the same bytes for the same document, and nothing from outside."""

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
FONTS = "fonts"
LOGO = "careers:logo"
#: Seconds until a typesetter is made anew: it reads fonts from temporary files, and hosts clear
#: those away after some days.
FRESH = 24 * 60 * 60

#: What WeasyPrint raises when a text meets a fault of its own. Not every Exception: a worker is
#: told to stop by one.
BUGS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

#: What a fetcher may hand out: bytes and media type by address.
Assets = Mapping[str, tuple[bytes, str]]


def render_pdf(document: ApplicationDocument) -> bytes:
    """Set an application's document in type.

    Args:
        document: what it says and how the company looks.

    Returns:
        A tagged PDF/A-3a file, the same bytes each time on one machine.

    Raises:
        Permanent: this document cannot be set, now or later, or not with PDF_MEMORY_LIMIT.
        Misconfigured: a library, a font or the stylesheet is missing on this machine.
        Transient: the machine ran out of disk or files.
    """
    logo = _usable_logo(document.branding)
    html = to_html(document, logo_url=LOGO if logo else "")
    content, missing = _set_in_type(html, {LOGO: logo} if logo else {}, document)
    if missing:
        logger.info(
            "No font here shows %d characters of the PDF of %s; the Noto fonts would",
            missing,
            document.reference,
        )
    return content


def short_of_room() -> Transient:
    """What to raise where the machine that makes PDFs lacks disk space or files for the moment."""
    return Transient(
        "pdf-machine", _("The machine that makes PDFs was short of disk space or files.")
    )


def _set_in_type(html: str, assets: Assets, document: ApplicationDocument) -> tuple[bytes, int]:
    """What the typesetter makes of ``html``, and its failures by their kind."""
    try:
        from weasyprint.urls import FatalURLFetchingError
    except OSError:
        raise Misconfigured(
            "pdf-libraries",
            _("The libraries that set type are missing. Install Pango 1.44 or newer."),
        ) from None
    try:
        with _bounded_memory():
            return _typesetter().set(html, assets, document.digest)
    except FatalURLFetchingError:
        # Not an Exception, so that WeasyPrint cannot swallow it, and nor could a worker.
        raise Permanent(
            "pdf-outside",
            _("The document asked for something outside itself and was not made."),
        ) from None
    except MemoryError:
        # It stopped anywhere: what fonts and stylesheet remember of it is not to be trusted.
        _typesetters.pop(os.getpid(), None)
        logger.error("The PDF of %s needs more memory than it may have", document.reference)
        raise Permanent(
            "pdf-memory",
            _(
                "Setting this application as a PDF takes more memory than %(limit)d MB. Its "
                "answers and files are safe. Raise PDF_MEMORY_LIMIT, start the workers for the "
                "queue cpu again, then retry."
            )
            % {"limit": settings.PDF_MEMORY_LIMIT},
        ) from None
    except OSError as error:
        logger.warning("The PDF of %s met %s", document.reference, type(error).__name__)
        raise short_of_room() from None
    except BUGS as error:
        raise _unrenderable(document, error) from None


@dataclass
class Typesetter:
    """Fonts and stylesheet, read once: a new set for each document would leak memory.

    Pango's font map knows no threads, hence the lock.
    """

    fonts: FontConfiguration
    stylesheet: CSS
    made_at: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_fresh(self) -> bool:
        return time.monotonic() - self.made_at < FRESH

    def set(self, html: str, assets: Assets, identifier: str) -> tuple[bytes, int]:
        """One document as PDF bytes, and how many of its characters no font could show.

        Args:
            html: from ``to_html``.
            assets: all that the document may load.
            identifier: the first half of the file's identity; the second is made from its bytes.
        """
        from weasyprint import HTML

        with self.lock, _no_date_in_fonts(), _characters_kept_out_of_the_log() as missing:
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
    """Let one document take no more than PDF_MEMORY_LIMIT on top of what this process has.

    The bound is the kernel's (setrlimit(2), RLIMIT_DATA), so it holds for the libraries in C,
    too: what they can't get either raises MemoryError or ends the process, and never the
    machine's other work. It is lifted again afterwards, which the limit for the whole life of a
    process could not be.
    """
    try:
        used = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    except OSError:
        # Not Linux, where no other kernel keeps the promise anyhow.
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
    """Keep fontTools from writing the present second into fonts that it changes, as emoji fonts.

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
    """Counts the warnings that quote a character of an answer, and stops them."""

    count = 0

    def filter(self, record: logging.LogRecord) -> bool:
        if "glyph" not in str(record.msg):
            return True
        self.count += 1
        return False


@contextmanager
def _characters_kept_out_of_the_log() -> Iterator[_MissingCharacters]:
    library, missing = logging.getLogger("weasyprint"), _MissingCharacters()
    library.addFilter(missing)
    try:
        yield missing
    finally:
        library.removeFilter(missing)


#: By process: after a fork the child makes its own and leaves its parent's alone, whose
#: temporary font files would otherwise go when the child forgets them.
_typesetters: dict[int, Typesetter] = {}


def _typesetter() -> Typesetter:
    current = _typesetters.get(os.getpid())
    if current is None or not current.is_fresh:
        current = _typesetters[os.getpid()] = _new_typesetter()
    return current


def _new_typesetter() -> Typesetter:
    from weasyprint import CSS
    from weasyprint.text.fonts import FontConfiguration

    stylesheet, folder = finders.find(STYLESHEET), finders.find(FONTS)
    files = sorted(Path(folder).glob("*.woff2")) if folder else []
    if not stylesheet or not files:
        raise Misconfigured(
            "pdf-assets",
            _("The stylesheet or the fonts of the PDF are missing from the static files."),
        )
    assets = {f"careers:{file.stem}": (file.read_bytes(), "font/woff2") for file in files}
    fonts = FontConfiguration()
    rules = _font_rules([file.stem for file in files])
    text = rules + Path(stylesheet).read_text(encoding="utf-8")
    # Fontconfig reads fonts from files only, for as long as it uses them.
    with scratch():
        return Typesetter(fonts, CSS(string=text, font_config=fonts, url_fetcher=_only(assets)))


def _font_rules(stems: list[str]) -> str:
    """Font faces of the files, named ``family-script-weight``, and the two families as stacks.

    Each script is a family of its own: WeasyPrint tells fonts apart by family and weight, and
    would take two files of one family and weight for the same font. It knows no weight 650
    either, so ours is its bold.
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
    # Latin first: the other scripts' files hold spaces of their own.
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
    """A fetcher that knows ``assets`` and refuses every other address."""
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
                raise FatalURLFetchingError("Only what the document brings may be loaded")
            content, media_type = self.assets[url]
            return URLFetcherResponse(url, content, {"Content-Type": media_type})

    return OnlyOurs


def _usable_logo(branding: Branding) -> tuple[bytes, str] | None:
    """The logo, if it is a raster image that opens; the company's name is as good."""
    if not branding.logo:
        return None
    from PIL import Image

    try:
        with Image.open(io.BytesIO(branding.logo), formats=("PNG", "JPEG", "GIF", "WEBP")) as image:
            image.load()
            return branding.logo, branding.logo_type or f"image/{image.format}".lower()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        logger.warning("The logo of the PDF is not an image; the company's name stands in for it")
        return None


def _unrenderable(document: ApplicationDocument, error: Exception) -> Permanent:
    # The message may quote an answer; the place is enough to find the cause.
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
    logger.error(
        "The PDF of %s cannot be made: %s at %s",
        document.reference,
        type(error).__name__,
        where,
    )
    return Permanent(
        "pdf-unrenderable",
        _("This application cannot be set as a PDF. Its answers and files are safe."),
    )
