"""A page with a form, as in Wagtail's manual (reference/contrib/forms)."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from modelcluster.fields import ParentalKey
from wagtail.blocks import CharBlock, RichTextBlock
from wagtail.contrib.forms.models import AbstractForm, AbstractFormField
from wagtail.fields import RichTextField, StreamField


class FormField(AbstractFormField):
    """One field of a form."""

    page = ParentalKey("FormPage", on_delete=models.CASCADE, related_name="form_fields")


class FormPage(AbstractForm):
    """A job with a form; what is sent becomes a ``FormSubmission``."""

    summary = models.TextField()
    body = StreamField([("heading", CharBlock()), ("paragraph", RichTextBlock())])
    thank_you_text = RichTextField()

    template = "plain/form_page.html"
    landing_page_template = "plain/form_page_landing.html"
    content_panels: ClassVar = [*AbstractForm.content_panels, "summary", "body", "form_fields"]
