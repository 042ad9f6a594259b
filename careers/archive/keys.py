"""Names of objects in the archive.

A key contains the hash of the content. So the same file always has the same key, and another
file can never replace it. A key holds no names, addresses or file names, because keys appear in
access logs and in the bills of providers.
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
    """The SHA-256 in a key; "" when ``file_key`` did not make the key."""
    found = re.fullmatch(rf"{FOLDER}[^/]+/[a-z_]+-([0-9a-f]{{64}})\.[a-z]+", key)
    return found[1] if found else ""


def as_public_id(text: str) -> UUID | None:
    """The public id that a text holds; None when it holds none."""
    try:
        return UUID(text)
    except ValueError:
        return None
