"""The jobs that forms were sent for, kept in each process for as long as the content is the same.

Finding a job with its questions, recipients and restrictions takes ten queries. Here it takes one,
for the version of the content (``home.content_version``): each transaction that changes anything
that a page may show changes it, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils import translation

from careers.applications.frozen import FrozenForm
from careers.jobs.models import JobPage
from home.content_cache import cached


@dataclass(frozen=True)
class KnownJob:
    """A job with everything that a form needs of it, read once.

    Attributes:
        page: for decisions only; read it anew to show it. Requests share it, so nobody changes it.
    """

    page: JobPage
    _forms: dict[bool, FrozenForm] = field(default_factory=dict)

    @classmethod
    def read(cls, job_key: UUID) -> KnownJob:
        """Read a job with what belongs to it.

        Raises:
            JobPage.DoesNotExist: there is none. Nobody remembers that: anybody may invent keys.
            django.db.Error: the database could not be read.
        """
        page: JobPage | None = JobPage.objects.by_key(job_key)
        if page is None:
            raise JobPage.DoesNotExist
        known = cls(page)
        known.form()
        # From now on the page has these answers ready.
        restrictions: Any = list(page.get_view_restrictions())
        page.get_view_restrictions = lambda: restrictions  # type: ignore[method-assign]
        recipients = page.recipients()
        page.recipients = lambda: recipients  # type: ignore[method-assign]
        return known

    def form(self) -> FrozenForm:
        """The current form. Its words depend on the time only by whether the job has closed."""
        is_over = self.page.is_over
        if is_over not in self._forms:
            self._forms[is_over] = self.page.frozen_form()
        return self._forms[is_over]


def find(job_key: UUID) -> KnownJob | None:
    """The job as the database has it now, from its page in the active language.

    Raises:
        django.db.Error: the database could not be read.
    """
    key = (KnownJob, job_key, translation.get_language())
    try:
        return cached(key, lambda: KnownJob.read(job_key))
    except JobPage.DoesNotExist:
        return None
