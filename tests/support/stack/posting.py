"""A job's form as a browser sends it, and what comes back."""

from __future__ import annotations

import hashlib
import io
import secrets
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Receipt:
    """What an applicant got for a form sent over HTTP."""

    status: int
    location: str
    seconds: float
    email: str
    page: str = ""

    @property
    def secret(self) -> str:
        return self.location.rstrip("/").rpartition("/")[2]


def a_cv(text: str, size: int = 20_000, noise: str = "") -> bytes:
    """A PDF of one page that shows ``text``, uncompressed in its bytes.

    Args:
        noise: what it holds beside the text, instead of ``size`` random letters.
    """
    line = text.encode("ascii", "replace").replace(b"(", b"[").replace(b")", b"]")
    page = b"BT /F 12 Tf 50 780 Td (" + line + b") Tj ET\n"
    # A comment of random letters: CVs have a size, and each is different.
    page += b"%" + (noise or secrets.token_hex(size // 2)).encode()
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources 5 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(page), page),
        b"<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>",
    ]
    out, places = io.BytesIO(), []
    out.write(b"%PDF-1.4\n")
    for number, content in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj%s\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1))
    out.write(b"startxref\n%d\n%%%%EOF\n" % start)
    return out.getvalue()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def multipart(
    fields: Mapping[str, str | list[str]], files: Mapping[str, tuple[str, bytes]]
) -> tuple[bytes, str]:
    """A form as browsers send it (RFC 7578); a field with several values comes several times."""
    boundary = f"----{secrets.token_hex(12)}"
    parts = [
        (f'name="{name}"\r\n\r\n'.encode(), value.encode())
        for name, values in fields.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    for name, (filename, content) in files.items():
        head = f'name="{name}"; filename="{filename}"\r\nContent-Type: application/pdf\r\n\r\n'
        parts.append((head.encode(), content))
    body = b"".join(
        b"--%s\r\nContent-Disposition: form-data; %s%s\r\n" % (boundary.encode(), head, content)
        for head, content in parts
    )
    return body + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"
