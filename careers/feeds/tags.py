"""Markup in the head of a page for search engines, feed readers and messaging apps."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urljoin

from django import template
from django.utils.safestring import SafeString, mark_safe
from wagtail.images.models import SourceImageIOError
from wagtail.models import Page

from careers.feeds import job_posting, share_image
from careers.jobs.models import JobPage

register = template.Library()


@dataclass(frozen=True)
class Picture:
    """The picture of a shared page: its absolute address, and its size in pixels."""

    url: str
    width: int
    height: int


@register.simple_tag
def job_posting_markup(job: JobPage) -> SafeString:
    """The job as schema.org markup, in a script element that no browser runs."""
    content = job_posting.script(job)
    if not content:
        return SafeString("")
    # Nothing in the content can end the element: see job_posting._ESCAPES.
    return mark_safe(f'<script type="application/ld+json">{content}</script>')  # noqa: S308


@register.simple_tag
def share_picture(page: Page) -> Picture | None:
    """The picture of a job: the one that HR chose, else a drawn one while the job is open."""
    if not isinstance(page, JobPage):
        return None
    front = page.full_url or ""
    if page.share_image:
        # If its file is missing, the drawn one is used.
        with suppress(SourceImageIOError):
            width, height = share_image.SIZE
            chosen = page.share_image.get_rendition(f"fill-{width}x{height}|format-jpeg")
            return Picture(urljoin(front, chosen.url), chosen.width, chosen.height)
    if not page.is_open:
        return None
    return Picture(urljoin(front, share_image.address(page)), *share_image.SIZE)
