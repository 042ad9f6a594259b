"""Names of objects in the archive.

A key is made from the content, so that storing the same file again meets the same object and
another file can never take its place. Names, addresses and file names stay out of it: keys
appear in access logs and in the bills of providers.
"""

import re
from uuid import UUID

#: Holds a folder for each application.
FOLDER = "applications/"
#: Extensions by content type as it was sniffed, never as the applicant named the file.
EXTENSIONS = {
    "application/pdf": "pdf",
    "application/json": "json",
    "application/msword": "doc",
    "application/rtf": "rtf",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/zip": "zip",
    "image/gif": "gif",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "text/plain": "txt",
    "text/rtf": "rtf",
}


def file_key(application: UUID | str, kind: str, sha256: str, content_type: str) -> str:
    """The key of one file: ``applications/<public id>/<kind>-<sha256>.<extension>``.

    Args:
        application: the application's public id.
        kind: what the file is, a slug such as ``cv`` or ``pdf``.
        sha256: of the content, 64 lower-case hex digits.
        content_type: as sniffed; parameters such as ``charset`` are ignored. A type that is
            not in ``EXTENSIONS`` gives ``bin``.

    Raises:
        ValueError: the id, the kind or the hash is malformed.
    """
    if not re.fullmatch(r"[a-z][a-z_]*", kind):
        raise ValueError("The kind of an archived file is a slug.")
    if not re.fullmatch(r"[0-9a-f]{64}", sha256):
        raise ValueError("The SHA-256 of an archived file is 64 lower-case hex digits.")
    extension = EXTENSIONS.get(content_type.partition(";")[0].strip().lower(), "bin")
    return f"{FOLDER}{UUID(str(application))}/{kind}-{sha256}.{extension}"


def sha256_of(key: str) -> str:
    """The SHA-256 that a key promises for its content; "" when it is none of ours."""
    found = re.fullmatch(rf"{FOLDER}[^/]+/[a-z_]+-([0-9a-f]{{64}})\.[a-z]+", key)
    return found[1] if found else ""


def as_public_id(text: str) -> UUID | None:
    """The id of an application or file as people and folders write it, if it is one."""
    try:
        return UUID(text)
    except ValueError:
        return None
