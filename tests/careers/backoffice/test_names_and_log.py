"""Whoever sees an applicant's name leaves a row in the access log, on every page."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from careers.applications.models import Application, ApplicationView
from careers.backoffice import urls
from careers.jobs.models import JobPage
from careers.pipeline.kinds import MAIL_HR
from careers.pipeline.models import BulkAct, Pause
from tests.support.factories import ApplicationFactory, quarantined_flood

pytestmark = pytest.mark.django_db
NAME = "Zebedee Quillfeather"
ADDRESS = "zebedee@example.net"


def pages(application: Application) -> list[str]:
    """Every page of the back office about one application, or with lists of them."""
    file = application.files.first()
    assert file is not None
    mail = application.steps.get(kind=MAIL_HR)
    now = timezone.now()
    chosen = {"kind": MAIL_HR, "code": "", "jobs": None}
    bulk = BulkAct.objects.create(act="retry", chosen=chosen, total=1, last=1, created_at=now)
    pause = Pause.objects.create(scope="mails", reason="Repair", since=now, until=now)
    values = {
        "reference": application.reference,
        "public_id": file.public_id,
        "step_id": mail.pk,
        "act": "cancel",
        "number": 1,
        "bulk_id": bulk.pk,
        "pause_id": pause.pk,
    }
    found = []
    for space, patterns in (
        ("careers_applications", urls.applications),
        ("careers_tasks", urls.tasks),
    ):
        for pattern in patterns:
            wanted = {name: values[name] for name in pattern.pattern.converters}
            found.append(reverse(f"{space}:{pattern.name}", kwargs=wanted))
    return found


def test_every_page_that_shows_a_name_is_logged(as_ada: Any, ours: JobPage) -> None:
    one, *_rest = quarantined_flood(ours, 2)
    Application.objects.filter(pk=one.pk).update(name=NAME, email=ADDRESS)
    with_files = ApplicationFactory(page=ours, with_files=True)
    with_files.files.update(application=one)
    silent = []
    for url in pages(one):
        ApplicationView.objects.all().delete()
        answer = as_ada.get(url)
        body = b"" if answer.streaming else answer.content
        shows = NAME.encode() in body or ADDRESS.encode() in body
        if shows and not ApplicationView.objects.filter(application=one).exists():
            silent.append(url)
    assert silent == []
