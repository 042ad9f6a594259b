"""Markup in the head of a page for search engines, feed readers and messaging apps."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urljoin

from django import template
from django.utils.safestring import SafeString, mark_safe
from wagtail.models import Page

from careers.feeds import job_posting, share_image
from careers.jobs.models import JobPage
from home import pictures

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
    """The picture of a job: the one that HR chose, else a drawn one while the job is open.

    The drawn one also takes the place of a chosen one that can't be shown.
    """
    if not isinstance(page, JobPage):
        return None
    front = page.full_url or ""
    width, height = share_image.SIZE
    if chosen := pictures.rendition(page.share_image, f"fill-{width}x{height}|format-jpeg"):
        return Picture(urljoin(front, chosen.url), chosen.width, chosen.height)
    if not page.is_open:
        return None
    return Picture(urljoin(front, share_image.address(page)), width, height)
