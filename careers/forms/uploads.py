"""Uploaded files: receive within limits, check by content, keep for the next attempt.

Follows the OWASP File Upload cheat sheet: a short list of types that the content decides and not
the name, a size limit while the bytes arrive, and a file name that is only text.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import re
import secrets
import unicodedata
import zipfile
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.db.models import Count, Sum
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils import timezone
from django.utils.translation import gettext as _

from careers.applications.files import Upload
from careers.applications.normal_form import compose
from careers.forms.models import PendingUpload

PDF = "application/pdf"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
ODT = "application/vnd.oasis.opendocument.text"
JPEG, PNG = "image/jpeg", "image/png"
#: The accepted types, with the file name extensions by which browsers filter.
ACCEPTED = {PDF: ".pdf", DOCX: ".docx", ODT: ".odt", JPEG: ".jpg", PNG: ".png"}
TYPES_IN_WORDS = "PDF, DOCX, ODT, JPG, PNG"

#: An office file is a ZIP. These limits refuse ZIP bombs, which would harm this machine or HR's.
ZIP_MAX_ENTRIES, ZIP_MAX_BYTES = 2000, 200 * 1024 * 1024

#: The end of a file name that is read, in characters, and the most bytes that are kept of it.
#: File systems take 255 bytes.
NAME_READ, STEM_BYTES = 1000, 240
#: The length of the token of a kept file.
TOKEN = 43

KEPT_FOR = dt.timedelta(hours=24)
CLAIMED_FOR = dt.timedelta(hours=1)
KEPT_PER_NETWORK = 40  # files; a whole office may share one address
KEPT_TOTAL_BYTES = 2 * 1024**3


class ReceivedFile(SimpleUploadedFile):
    """A file as it arrived; ``true_size`` (bytes) includes the bytes that were dropped."""

    true_size: int
    is_whole: bool = True


class BoundedUploadHandler(FileUploadHandler):
    """Keeps files in memory up to a limit, and counts and drops the bytes beyond it.

    It still parses the rest of the form, so that a file that is too large does not cost the
    applicant what they typed. One request may have a hundred files, so the memory of a request
    is limited, too.
    """

    def __init__(self, request: HttpRequest | None = None) -> None:
        super().__init__(request)
        self._held = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._chunks: list[bytes] = []
        self._seen = 0
        self._is_whole = True

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._seen += len(raw_data)
        fits = (
            self._seen <= settings.UPLOAD_MAX_BYTES
            and self._held + len(raw_data) <= settings.REQUEST_MAX_BYTES
        )
        if self._is_whole and fits:
            self._chunks.append(raw_data)
            self._held += len(raw_data)
        else:
            self._is_whole = False
            self._held -= sum(map(len, self._chunks))
            self._chunks.clear()

    def file_complete(self, file_size: int) -> ReceivedFile:
        content = b"".join(self._chunks)
        # The handler lives as long as the request; without this it holds each file twice.
        self._chunks.clear()
        file = ReceivedFile(self.file_name or "file", content, self.content_type or "")
        file.true_size = self._seen
        file.is_whole = self._is_whole
        return file


def check(received: ReceivedFile, question_key: str) -> Upload:
    """Check one file.

    Raises:
        ValidationError: tells the applicant what is wrong and how to correct it.
    """
    limit = settings.UPLOAD_MAX_BYTES
    if received.true_size > limit:
        raise ValidationError(
            _("The file is %(size)s. Choose a file of up to %(limit)s."),
            params={"size": filesizeformat(received.true_size), "limit": filesizeformat(limit)},
        )
    if not received.is_whole:
        raise ValidationError(
            _("All files together are larger than %(limit)s. Choose smaller ones."),
            params={"limit": filesizeformat(settings.REQUEST_MAX_BYTES)},
        )
    content = received.read()
    if not content:
        raise ValidationError(_("The file is empty. Choose another file."))
    content_type = sniff(content)
    return Upload(
        question_key=question_key,
        filename=clean_filename(received.name or "", content_type),
        content_type=content_type,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def sniff(content: bytes) -> str:
    """The media type of a file, decided by its bytes alone.

    Raises:
        ValidationError: the type is not accepted, or the file is damaged, locked or dangerous.
    """
    # PDF readers allow up to a kilobyte of other bytes before the header.
    if b"%PDF-" in content[:1024]:
        _check_pdf(content)
        return PDF
    if content.startswith(b"PK\x03\x04"):
        return _office_type(content)
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise ValidationError(
            _(
                "The file is password-protected or in the old Word format. "
                "Save it as a PDF without a password and choose it again."
            )
        )
    raise ValidationError(
        _("The file must be one of these: %(types)s. Save it as a PDF and choose it again."),
        params={"types": TYPES_IN_WORDS},
    )


def _check_pdf(content: bytes) -> None:
    from pypdf import PdfReader

    damaged = ValidationError(
        _("The PDF is damaged and can’t be opened. Save it again and choose the new file.")
    )
    try:
        reader = PdfReader(io.BytesIO(content))
        # Many programs lock only printing or copying. Such a file opens without a password.
        locked = reader.is_encrypted and not reader.decrypt("")
        pages = 0 if locked else len(reader.pages)
    except Exception:  # a parser may fail in any way on such bytes
        raise damaged from None
    if locked:
        raise ValidationError(
            _("The PDF is password-protected. Save it without a password and choose it again.")
        )
    if not pages:
        raise damaged


def _office_type(content: bytes) -> str:
    damaged = ValidationError(
        _("The file is damaged and can’t be opened. Save it again, best as a PDF.")
    )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            mimetype = (
                archive.read("mimetype")[:100]
                if "mimetype" in names and (archive.getinfo("mimetype").file_size < 100)
                else b""
            )
    except Exception:  # a parser may fail in any way on such bytes
        raise damaged from None
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > ZIP_MAX_ENTRIES or unpacked > ZIP_MAX_BYTES:
        raise damaged
    # Word keeps macros in one part, LibreOffice in two folders.
    if any(
        name.lower().endswith("vbaproject.bin") or name.startswith(("Basic/", "Scripts/"))
        for name in names
    ):
        raise ValidationError(
            _("The file holds macros. Save it as a PDF or without macros and choose it again.")
        )
    if "[Content_Types].xml" in names and "word/document.xml" in names:
        return DOCX
    if mimetype == ODT.encode() and "content.xml" in names:
        return ODT
    raise ValidationError(
        _("The file must be one of these: %(types)s. Save it as a PDF and choose it again."),
        params={"types": TYPES_IN_WORDS},
    )


def clean_filename(name: str, content_type: str) -> str:
    """A file name without path, control or direction characters, and with the right extension.

    It is short enough for every file system: HR saves the file.
    """
    name = re.split(r"[/\\]", compose(name[-NAME_READ:]))[-1]
    name = "".join(c for c in name if unicodedata.category(c)[0] != "C" and c not in '"<>:|?*')
    stem = name.rsplit(".", 1)[0].strip(" .")[:120]
    stem = stem.encode()[:STEM_BYTES].decode(errors="ignore").strip(" .") or "file"
    return f"{stem}{ACCEPTED[content_type]}"


def keep(upload: Upload, *, job_key: UUID, network: str) -> PendingUpload | None:
    """Keep a valid file while its form has errors.

    Returns:
        None when a quota is used up. Then the applicant chooses the file again.
    """
    now = timezone.now()
    kept = PendingUpload.objects.filter(expires_at__gt=now)
    held = kept.aggregate(total=Sum("size"))["total"] or 0
    mine = kept.filter(network=network).aggregate(count=Count("pk"))["count"]
    if mine >= KEPT_PER_NETWORK or held + upload.size > KEPT_TOTAL_BYTES:
        return None
    return PendingUpload.objects.create(
        token=secrets.token_urlsafe(32),
        job_key=job_key,
        question_key=upload.question_key,
        filename=upload.filename,
        content_type=upload.content_type,
        size=upload.size,
        sha256=upload.sha256,
        content=upload.content,
        network=network,
        expires_at=now + KEPT_FOR,
    )


def kept_upload(token: str, *, job_key: UUID, question_key: str) -> PendingUpload | None:
    """The kept file of a token, if it belongs to this question of this job."""
    if len(token) != TOKEN or "\x00" in token:  # PostgreSQL refuses NUL in a query
        return None
    return PendingUpload.objects.filter(
        token=token, job_key=job_key, question_key=question_key, expires_at__gt=timezone.now()
    ).first()


def claim(kept: Iterable[PendingUpload]) -> None:
    """Release files that an application has stored.

    They stay for ``CLAIMED_FOR``. When an applicant sends a form twice, the second request must
    find the files, because its response is the one that the applicant sees.
    """
    until = timezone.now() + CLAIMED_FOR
    PendingUpload.objects.filter(
        pk__in=[pending.pk for pending in kept], expires_at__gt=until
    ).update(expires_at=until)


def clean_up() -> int:
    """Delete kept files that have expired.

    Returns:
        The number of deleted files.
    """
    return PendingUpload.objects.filter(expires_at__lte=timezone.now()).delete()[0]
