"""What a page's head says to machines: search engines, feed readers, messengers."""

from __future__ import annotations

from django import template
from django.utils.safestring import SafeString, mark_safe

from careers.feeds import job_posting
from careers.jobs.models import JobPage

register = template.Library()


@register.simple_tag
def job_posting_markup(job: JobPage) -> SafeString:
    """The job in schema.org's words, as a script element that no browser runs."""
    content = job_posting.script(job)
    if not content:
        return SafeString("")
    # Nothing in the content can end the element: see job_posting._ESCAPES.
    return mark_safe(f'<script type="application/ld+json">{content}</script>')  # noqa: S308
