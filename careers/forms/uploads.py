"""Uploaded files: receive them within limits, have them judged, keep them for the next attempt.

Follows the OWASP File Upload cheat sheet: a short list of types that the content decides and not
the name (``careers.inspection``), a size limit while the bytes arrive, and a file name that is only
text.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import io
import re
import secrets
import unicodedata
from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.db.models import Count, Sum
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from careers.applications.files import Upload
from careers.forms.models import PendingUpload
from careers.inspection import ACCEPTED, PDF, Judged, Refused, judge, words
from home.models import SiteSettings
from home.values.size import size_in_words
from home.values.text import visible, without_unseen

#: The code of the error about a file with active content.
ACTIVE_CONTENT = "active-content"

#: The end of a file name that is read, in characters, and the most bytes that are kept of it.
#: File systems take 255 bytes.
NAME_READ, STEM_BYTES = 1000, 240
#: Joiners, which the letters of some scripts need, and what no file name begins or ends with.
JOINERS = "\u200c\u200d"
AT_NO_END = f" .{JOINERS}"
#: Extensions that the right one replaces: those that people give a CV.
EXTENSION = re.compile(
    r"\.(pdf|docx?|dotx?|odt|ott|rtf|txt|pages|jpe?g|jfif|png|gif|heic|webp|tiff?)$", re.IGNORECASE
)
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
        self._content = io.BytesIO()
        self._seen = 0
        self._is_whole = True

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._seen += len(raw_data)
        fits = (
            self._seen <= settings.UPLOAD_MAX_BYTES
            and self._held + len(raw_data) <= settings.REQUEST_MAX_BYTES
        )
        if self._is_whole and fits:
            self._content.write(raw_data)
            self._held += len(raw_data)
        else:
            self._is_whole = False
            self._held -= self._content.tell()
            self._content = io.BytesIO()

    def file_complete(self, file_size: int) -> ReceivedFile:
        # The bytes are not copied.
        content = self._content.getvalue()
        # The handler lives as long as the request.
        self._content = io.BytesIO()
        file = ReceivedFile(self.file_name or "file", content, self.content_type or "")
        file.true_size = self._seen
        file.is_whole = self._is_whole
        return file


def check(upload: Upload) -> Upload:
    """Judge one file: the file with its content type, the right file name and its marks.

    Args:
        upload: as ``unchecked`` returns it.

    Raises:
        ValidationError: tells the applicant what is wrong and how to correct it; its code is the
            verdict.
        Busy: the file can't be judged at this moment.
    """
    judged = judge_upload(upload.content)
    return dataclasses.replace(
        upload,
        filename=clean_filename(upload.filename, judged.content_type),
        content_type=judged.content_type,
        marks=marks_of(judged),
    )


def unchecked(received: ReceivedFile, question_key: str) -> Upload:
    """A file that arrived whole, without a content type because nobody has judged it.

    Raises:
        ValidationError: it is empty, too large, or did not arrive whole.
    """
    if received.true_size > settings.UPLOAD_MAX_BYTES:
        raise ValidationError(too_large_message(size_in_words(received.true_size)))
    if not received.is_whole:
        raise ValidationError(
            _("All files together are larger than %(limit)s. Choose smaller ones."),
            params={"limit": size_in_words(settings.REQUEST_MAX_BYTES)},
        )
    content = received.read()
    if not content:
        raise ValidationError(empty_message())
    name = received.name or ""
    return Upload(
        question_key=question_key,
        filename=clean_filename(name, _claimed_type(name)),
        content_type="",
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def too_large_message(size: str) -> str:
    """The error about a file of this size, in words."""
    limit = size_in_words(settings.UPLOAD_MAX_BYTES)
    return _("The file is %(size)s. Choose a file of up to %(limit)s.") % {
        "size": size,
        "limit": limit,
    }


def empty_message() -> str:
    """The error about a file without content."""
    return _("The file is empty. Choose another file.")


def _claimed_type(name: str) -> str:
    """The accepted type that the end of a file name claims; PDF for any other end."""
    ending = name.lower()[-5:]
    return next((kind for kind, end in ACCEPTED.items() if ending.endswith(end)), PDF)


def judge_upload(content: bytes) -> Judged:
    """Judge a file by its bytes and the company's settings.

    Raises:
        ValidationError, Busy: as for ``check``.
    """
    try:
        judged = judge(content)
    except Refused as refused:
        raise ValidationError(words.refusal(refused.verdict), code=refused.verdict) from None
    if judged.active and not SiteSettings.of_default_site().accepts_active_content:
        raise ValidationError(words.active_refusal(judged.active), code=ACTIVE_CONTENT)
    return judged


def marks_of(judged: Judged) -> str:
    """What HR must know before they open a file, as it is stored."""
    return " ".join(sorted(judged.active))


def clean_filename(name: str, content_type: str) -> str:
    """A file name without path, control or direction characters, and with the right extension.

    The joiners that its script needs stay.

    An extension of a common document or picture is replaced; any other end of the name stays, as
    in "CV v1.2". The name is short enough for every file system: HR saves the file.
    """
    name = re.split(r"[/\\]", without_unseen(name[-NAME_READ:]).rstrip("/\\"))[-1]
    name = "".join(c for c in name if c in JOINERS or _may_be_in_a_name(c))
    stem = EXTENSION.sub("", name.rstrip(AT_NO_END)).strip(AT_NO_END)[:120]
    stem = without_unseen(stem.encode()[:STEM_BYTES].decode(errors="ignore")).strip(AT_NO_END)
    return f"{stem if visible(stem) else 'file'}{ACCEPTED[content_type]}"


def _may_be_in_a_name(character: str) -> bool:
    return unicodedata.category(character)[0] != "C" and character not in '"<>:|?*'


def keep(upload: Upload, *, job_key: UUID, network: str) -> PendingUpload | None:
    """Keep a file while its form has errors or while nobody has judged it.

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
        marks=upload.marks,
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


def judge_kept(kept: PendingUpload) -> None:
    """Judge a kept file that could not be judged when it arrived.

    Raises:
        ValidationError, Busy: as for ``check``.
    """
    judged = judge_upload(bytes(kept.content))
    kept.content_type, kept.marks = judged.content_type, marks_of(judged)
    kept.filename = clean_filename(kept.filename, judged.content_type)
    kept.save(update_fields=["content_type", "marks", "filename"])


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
