"""The jobs that forms were sent for, kept in each process for as long as the content is the same.

Finding a job with its questions, recipients and restrictions takes ten queries. Here it takes one,
for the version of the content (``home.content_version``): each transaction that changes anything
that a page may show changes it, too.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from uuid import UUID

from django.db import connection
from django.utils import translation

from careers.applications.frozen import FrozenForm
from careers.jobs.models import JobPage
from home import content_version

#: Jobs of one version that are kept.
MOST = 500


@dataclass(frozen=True)
class KnownJob:
    """A job with everything that a form needs of it, read once.

    Attributes:
        page: for decisions only; read it anew to show it. Requests share it, so nobody changes it.
    """

    page: JobPage
    _forms: dict[bool, FrozenForm] = field(default_factory=dict)

    @classmethod
    def read(cls, page: JobPage) -> KnownJob:
        """Read what belongs to a page.

        Raises:
            django.db.Error: the database could not be read.
        """
        known = cls(page)
        known.form()
        # From now on the page has these answers ready.
        restrictions, recipients = list(page.get_view_restrictions()), page.recipients()
        page.get_view_restrictions = lambda: restrictions  # type: ignore[method-assign]
        page.recipients = lambda: recipients  # type: ignore[method-assign]
        return known

    def form(self) -> FrozenForm:
        """The current form. Its words depend on the time only by whether the job has closed."""
        is_over = self.page.is_over
        if is_over not in self._forms:
            self._forms[is_over] = self.page.frozen_form()
        return self._forms[is_over]


class KnownJobs:
    """Keeps jobs of one version of the content."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._version = ""
        self._jobs: dict[tuple[UUID, str | None], KnownJob] = {}

    def find(self, job_key: UUID) -> KnownJob | None:
        """The job as the database has it now, from its page in the active language.

        Raises:
            django.db.Error: the database could not be read.
        """
        if getattr(connection, "content_changed", True):
            # This transaction has changed content and not committed it.
            return _read(job_key)
        # It is read before the job: what changes in between has another version.
        version, key = content_version.current(), (job_key, translation.get_language())
        with self._lock:
            if version != self._version:
                self._version, self._jobs = version, {}
            known = self._jobs.get(key)
        if known is None and (known := _read(job_key)) is not None:
            with self._lock:
                if version and version == self._version and len(self._jobs) < MOST:
                    self._jobs[key] = known
        return known


def _read(job_key: UUID) -> KnownJob | None:
    page: JobPage | None = JobPage.objects.by_key(job_key)
    return None if page is None else KnownJob.read(page)


JOBS = KnownJobs()
