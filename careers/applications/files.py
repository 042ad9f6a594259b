"""Files of an application: store their bytes, read them back."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from careers.applications.frozen import COVER_LETTER, CV
from careers.applications.models import Application, ApplicationFile, FileBytes, FileKind

#: The kinds of the files that answer a standard question.
UPLOAD_KINDS = {CV: FileKind.CV, COVER_LETTER: FileKind.COVER_LETTER}


@dataclass(frozen=True)
class Upload:
    """A file that an applicant sent.

    ``content_type`` is "" while nobody has judged it; ``marks`` are as in ``ApplicationFile``.
    """

    question_key: str
    filename: str
    content_type: str
    content: bytes
    sha256: str
    marks: str = ""

    @property
    def size(self) -> int:
        return len(self.content)


def files_of(
    application: Application, uploads: Sequence[Upload], *, scan_verdict: str
) -> list[tuple[ApplicationFile, bytes]]:
    """The files of a new application with their bytes, as they are to be stored.

    The same bytes for the same question are stored once.
    """
    files: dict[tuple[str, str], tuple[ApplicationFile, bytes]] = {}
    for upload in uploads:
        file = ApplicationFile(
            application=application,
            kind=UPLOAD_KINDS.get(upload.question_key, FileKind.ANSWER),
            question_key=upload.question_key,
            sha256=upload.sha256,
            filename=upload.filename,
            content_type=upload.content_type,
            size=upload.size,
            scan_verdict=scan_verdict,
            marks=upload.marks,
        )
        files[upload.question_key, upload.sha256] = file, upload.content
    return list(files.values())


def store_file(
    application: Application,
    *,
    kind: str,
    content: bytes,
    filename: str,
    content_type: str,
    question_key: str = "",
    scan_verdict: str = "not_scanned",
    marks: str = "",
) -> ApplicationFile:
    """Store a file with its application, inside the caller's transaction.

    Storing the same bytes for the same purpose again returns the existing row, so a repeated
    step changes nothing.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    file, created = ApplicationFile.objects.get_or_create(
        application=application,
        kind=kind,
        question_key=question_key,
        sha256=sha256,
        defaults={
            "filename": filename,
            "content_type": content_type,
            "size": len(content),
            "scan_verdict": scan_verdict,
            "marks": marks,
        },
    )
    if created:
        FileBytes.objects.create(file=file, content=content)
    return file


def stored_bytes(file: ApplicationFile) -> bytes | None:
    """The file's bytes; None when only the archive has them."""
    content = FileBytes.objects.filter(file=file).values_list("content", flat=True).first()
    return None if content is None else bytes(content)
