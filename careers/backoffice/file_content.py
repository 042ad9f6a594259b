"""The bytes of a file for a page of the back office. Nothing else there reads them.

So a file that is locked by the virus scan is locked on every address.
"""

from __future__ import annotations

from django.utils.translation import gettext as _

from careers.applications.models import ApplicationFile, ScanVerdict
from careers.backoffice.presentation import state_in_words
from careers.pipeline.effects.subject import content_of
from careers.pipeline.models import Step
from careers.pipeline.states import State
from careers.pipeline.unscanned import latest_scan


class Locked(Exception):
    """The virus scan locks the file.

    Args:
        reason: why, in words for the reader.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def read(file: ApplicationFile) -> bytes:
    """A file's bytes, from the database while it has them, then from the archive.

    Raises:
        Locked: nobody may open the file.
        EffectError: the archive does not answer or has lost the file; its words say which.
    """
    if file.is_locked:
        raise Locked(why_locked(file, latest_scan(file.application_id)))
    return content_of(file)


def why_locked(file: ApplicationFile, scan: Step | None) -> str:
    """Why nobody can open the file, and what happens next; "" for a file that is not locked.

    Args:
        scan: the last scan of the application's files.
    """
    if file.scan_verdict == ScanVerdict.INFECTED:
        return _(
            "The virus scanner found “%(signature)s”. The file is kept, but nobody can open it "
            "here. The applicant is asked for another one."
        ) % {"signature": file.scan_signature or "?"}
    if not file.is_locked:
        return ""
    if scan is None or scan.state in (State.CANCELLED, State.SUCCEEDED):
        return _("The virus scan was cancelled. A person with the permission can open the file.")
    if scan.state == State.FAILED:
        failed = _("The virus scan failed. A person with the permission can open the file.")
        return f"{failed} {scan.error_public}"
    if scan.state == State.RETRYING:
        return f"{scan.error_public} {state_in_words(scan)}."
    return _("The virus scanner has not checked the file yet. It can be opened once it is clean.")
