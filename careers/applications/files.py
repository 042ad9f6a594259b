"""Files of an application: store their bytes, read them back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from careers.applications.models import Application, ApplicationFile, FileBytes


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
