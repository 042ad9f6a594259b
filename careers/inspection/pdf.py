"""PDF: opened and repaired by qpdf as a viewer would, in memory. The stored bytes stay as sent."""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterator
from typing import Any

import pikepdf

from careers.inspection import signatures
from careers.inspection.verdicts import PDF, Active, Judged, Refused, Verdict

#: Pages of a file, and objects that are looked at.
PAGES, OBJECTS = 3000, 300_000
#: Levels of a page tree; a balanced tree of 3000 pages has four.
LEVELS = 60
#: Bytes of an attachment that show what it is.
START = 512

#: Actions (ISO 32000-2, 12.6.4) and annotations (12.5.6) by what they do.
_ACTIONS = {
    "/JavaScript": Active.SCRIPT,
    "/Launch": Active.LAUNCH,
    "/SubmitForm": Active.SUBMIT,
    "/ImportData": Active.SUBMIT,
    "/Rendition": Active.MEDIA,
    "/Movie": Active.MEDIA,
    "/Sound": Active.MEDIA,
    "/RichMediaExecute": Active.MEDIA,
    "/GoTo3DView": Active.MEDIA,
}
_ANNOTATIONS = {
    "/RichMedia": Active.MEDIA,
    "/3D": Active.MEDIA,
    "/Movie": Active.MEDIA,
    "/Sound": Active.MEDIA,
}
#: What leads to no action: what is drawn, and the structure for screen readers.
_SKIPPED = {
    *("/Contents", "/Resources", "/Metadata", "/StructTreeRoot", "/PieceInfo"),
    *("/Thumb", "/AP", "/MK", "/DR", "/OCProperties", "/OutputIntents", "/PageLabels", "/Info"),
    *("/ID", "/Encrypt", "/Xncrypt", "/Font", "/XObject", "/SpiderInfo", "/Threads"),
}
_SCRIPT_ADDRESSES = ("javascript:", "vbscript:", "data:text/html")
_ENCRYPT, _HIDDEN = re.compile(rb"/Encrypt(?=[\s\d<])"), b"/Xncrypt"
_FIRST_OBJECT = re.compile(rb"\d+\s+\d+\s+obj\b")
_EOF = b"%%EOF"


def judge(content: bytes) -> Judged:
    """Judge a PDF.

    Raises:
        Refused: it can't be opened without a password, not even repaired, or exceeds a limit.
    """
    if is_something_else(content):
        raise Refused(Verdict.TWO_TYPES)
    with opened(content) as document:
        try:
            if not sum(1 for _page in leaves(document)):
                raise Refused(Verdict.NO_PAGES)
            return Judged(PDF, frozenset(active(document)))
        except (Refused, MemoryError):
            raise
        except Exception:  # a parser may fail in any way on such bytes
            raise Refused(Verdict.DAMAGED_PDF) from None


def is_something_else(content: bytes) -> bool:
    """Whether a browser, an unpacker or a shell would read this PDF as a file of another type."""
    header = content.find(signatures.PDF, 0, signatures.PDF_HEADER_WITHIN + 8)
    first = _FIRST_OBJECT.search(content, header, header + 4096)
    before = content[: first.start() if first else header]
    after = content[content.rfind(_EOF) :] if _EOF in content else b""
    return (
        signatures.has_other_beginning(content)
        or signatures.holds_html(before)
        or signatures.holds_running_html(after)
        or signatures.ends_as_zip(after)
        or signatures.ends_as_zip(content, whole=True)
    )


def opened(content: bytes) -> pikepdf.Pdf:
    """An open PDF, repaired where that is needed.

    A file that locks only printing or its attachments opens without a password, as in viewers.

    Raises:
        Refused: it needs a password, or nothing can be repaired.
    """
    try:
        return _open(content)
    except pikepdf.PasswordError:
        return _open(without_lock(content))
    except MemoryError:
        raise
    except Exception:  # noqa: S110 -- a parser may fail in any way on such bytes
        pass
    try:
        # Without the way to its table of objects, qpdf looks for the objects themselves.
        return _open(content.replace(b"startxref", b"startxxxx"))
    except pikepdf.PasswordError:
        raise Refused(Verdict.LOCKED_PDF) from None
    except MemoryError:
        raise
    except Exception:  # a parser may fail in any way on such bytes
        raise Refused(Verdict.DAMAGED_PDF) from None


def _open(content: bytes) -> pikepdf.Pdf:
    return pikepdf.open(io.BytesIO(content), suppress_warnings=True)


def without_lock(content: bytes) -> bytes:
    """A copy that says nothing of encryption, of a PDF that encrypts at most its attachments.

    Raises:
        Refused: the text itself needs the password.
    """
    # The same length, so that every offset in the file stays right.
    copy = _ENCRYPT.sub(_HIDDEN, content)
    try:
        with _open(copy) as document:
            lock = document.trailer.get("/Xncrypt")
            identity = pikepdf.Name("/Identity")
            is_open = isinstance(lock, pikepdf.Dictionary) and all(
                lock.get(name, identity) == identity for name in ("/StmF", "/StrF")
            )
            # Versions before 4 have one key for everything.
            if is_open and int(lock.get("/V", 0)) >= 4:  # type: ignore[union-attr]
                return copy
    except (MemoryError, Refused):
        raise
    except Exception:  # a parser may fail in any way on such bytes
        raise Refused(Verdict.LOCKED_PDF) from None
    raise Refused(Verdict.LOCKED_PDF)


def leaves(document: pikepdf.Pdf) -> Iterator[Any]:
    """The pages, by a walk of our own: qpdf follows a tree that names its children again.

    Raises:
        Refused: there are too many pages, or the tree is no tree.
    """
    seen: set[tuple[int, int]] = set()
    waiting: list[tuple[Any, int]] = [(document.Root.get("/Pages"), 0)]
    pages = steps = 0
    while waiting:
        node, level = waiting.pop()
        steps += 1
        if level > LEVELS or steps > OBJECTS:
            raise Refused(Verdict.TOO_COMPLEX)
        if not isinstance(node, pikepdf.Dictionary):
            continue
        if "/Kids" not in node:
            pages += 1
            if pages > PAGES:
                raise Refused(Verdict.TOO_MANY_PAGES)
            yield node
            continue
        if node.objgen in seen:
            raise Refused(Verdict.TOO_COMPLEX)
        if node.is_indirect:
            seen.add(node.objgen)
        kids = node.get("/Kids")
        if isinstance(kids, pikepdf.Array):
            if len(kids) > OBJECTS:
                raise Refused(Verdict.TOO_COMPLEX)
            waiting += [(kid, level + 1) for kid in reversed(list(kids))]


def active(document: pikepdf.Pdf) -> set[Active]:
    """What the document can do: a walk over everything from which a viewer starts an action.

    Raises:
        Refused: there are too many objects.
    """
    found: set[Active] = set()
    seen: set[tuple[int, int]] = set()
    waiting: list[Any] = [document.Root]
    steps = 0
    while waiting:
        item = waiting.pop()
        steps += 1
        if steps > OBJECTS:
            raise Refused(Verdict.TOO_COMPLEX)
        if item.is_indirect:
            if item.objgen in seen:
                continue
            seen.add(item.objgen)
        if isinstance(item, pikepdf.Array):
            values = list(item)
        else:
            keys = _dictionary_of(item)
            found |= _active_dictionary(keys)
            values = [value for key, value in keys.items() if key not in _SKIPPED]
        waiting += [
            value
            for value in values
            if isinstance(value, (pikepdf.Array, pikepdf.Dictionary, pikepdf.Stream))
        ]
    return found


def _dictionary_of(item: Any) -> dict[str, Any]:
    return dict(item.stream_dict.items() if isinstance(item, pikepdf.Stream) else item.items())


def _active_dictionary(keys: dict[str, Any]) -> set[Active]:
    found = set()
    action = keys.get("/S")
    if isinstance(action, pikepdf.Name) and str(action) in _ACTIONS:
        found.add(_ACTIONS[str(action)])
    if "/JS" in keys or _text(keys.get("/URI")).strip().lower().startswith(_SCRIPT_ADDRESSES):
        found.add(Active.SCRIPT)
    if "/XFA" in keys:
        found.add(Active.XFA)
    kind = keys.get("/Subtype")
    if isinstance(kind, pikepdf.Name) and str(kind) in _ANNOTATIONS:
        found.add(_ANNOTATIONS[str(kind)])
    if isinstance(attached := keys.get("/EF"), pikepdf.Dictionary) and _is_program(keys, attached):
        found.add(Active.PROGRAM)
    if (
        isinstance(action, pikepdf.Name)
        and str(action) in ("/GoToR", "/GoToE")
        and _text(keys.get("/F")).startswith(("\\\\", "//"))
    ):
        found.add(Active.EXTERNAL)
    return found


def _text(value: Any) -> str:
    """A file name, written as a string or as a file specification."""
    if isinstance(value, pikepdf.Dictionary):
        value = value.get("/UF", value.get("/F"))
    return str(value) if isinstance(value, pikepdf.String) else ""


def _is_program(keys: dict[str, Any], attached: pikepdf.Dictionary) -> bool:
    names = [_text(keys.get(key)) for key in ("/UF", "/F", "/DOS", "/Unix", "/Mac")]
    if any(signatures.is_program(b"", name) for name in names):
        return True
    return any(
        isinstance(stream, pikepdf.Stream) and signatures.is_program(_start(stream))
        for _key, stream in attached.items()
    )


def _start(stream: pikepdf.Stream) -> bytes:
    """The first bytes of an attachment, without unpacking the rest."""
    filters = stream.stream_dict.get("/Filter")
    if isinstance(filters, pikepdf.Array) and len(filters) == 1:
        filters = filters[0]
    try:
        if filters is None:
            return bytes(memoryview(stream.get_raw_stream_buffer())[:START])
        if filters == pikepdf.Name("/FlateDecode"):
            raw = bytes(memoryview(stream.get_raw_stream_buffer())[: 64 * 1024])
            return zlib.decompressobj().decompress(raw, START)
    except zlib.error:
        return b""  # a viewer can't save it either
    try:
        return bytes(memoryview(stream.get_stream_buffer())[:START])
    except (pikepdf.PdfError, RuntimeError):
        # Programs pack attachments once. Nobody can tell what this is.
        raise Refused(Verdict.TOO_COMPLEX) from None
