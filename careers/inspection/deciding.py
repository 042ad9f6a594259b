"""Decide what a file is and whether it may be opened, by its bytes alone."""

from __future__ import annotations

from careers.inspection import office, pdf, picture, signatures
from careers.inspection.verdicts import JPEG, PNG, Judged, Refused, Verdict


def decide(content: bytes) -> Judged:
    """Judge a file. The name and the type that the sender claims do not matter.

    Raises:
        Refused: see ``Verdict``.
    """
    if content.startswith(signatures.ZIP):
        return office.judge(content)
    if content.startswith(signatures.JPEG):
        return picture.judge(content, JPEG)
    if content.startswith(signatures.PNG):
        return picture.judge(content, PNG)
    if content.startswith(signatures.OLD_OFFICE):
        raise Refused(Verdict.OLD_OFFICE)
    if signatures.PDF in content[: signatures.PDF_HEADER_WITHIN]:
        return pdf.judge(content)
    raise Refused(Verdict.UNKNOWN_TYPE)
