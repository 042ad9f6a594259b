"""Make the tables and the one page of the plain project: ``python -m bench.peers.plain.seed``.

It reads ``{"title", "summary", "body", "port"}`` from standard input.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import django
from django.core.management import call_command

#: Label and type of each field, as many as the site's own job asks for.
FIELDS = [
    ("Name", "singleline", ""),
    ("E-mail", "email", ""),
    ("Phone", "singleline", ""),
    ("What have you run in production?", "checkboxes", "PostgreSQL,Kafka,Kubernetes,Airflow"),
    ("Years of work with data pipelines", "number", ""),
    ("Earliest day you could start", "date", ""),
    ("Tell us about yourself", "multiline", ""),
]


def seed(given: dict[str, Any]) -> None:
    """Make everything in an empty database."""
    from wagtail.models import Collection, Locale, Page, Site

    from bench.peers.plain.models import FormField, FormPage

    call_command("migrate", run_syncdb=True, verbosity=0)
    Locale.objects.create(language_code="en")
    Collection.add_root(name="Root")
    root = Page.add_root(instance=Page(title="Root", slug="root"))
    home = root.add_child(instance=Page(title="Home", slug="home"))
    Site.objects.create(
        hostname="127.0.0.1", port=given["port"], root_page=home, is_default_site=True
    )
    page = FormPage(
        title=given["title"],
        slug="job",
        summary=given["summary"],
        body=[{"type": part["type"], "value": part["value"]} for part in given["body"]],
        thank_you_text="<p>We have your application.</p>",
        form_fields=[
            FormField(sort_order=place, label=label, field_type=kind, choices=choices)
            for place, (label, kind, choices) in enumerate(FIELDS)
        ],
    )
    home.add_child(instance=page)
    page.save_revision().publish()


if __name__ == "__main__":
    django.setup()
    seed(json.load(sys.stdin))
