"""``apply_demo`` sends as many applications as it is asked to, however fast."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.test import Client

from careers.applications.models import Application
from careers.management.commands import apply_demo
from careers.pipeline.kinds import MAIL_APPLICANT
from careers.pipeline.models import StepEvent

pytestmark = pytest.mark.django_db


def post(command: Any, path: str, fields: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """Send the form without a server."""
    data = {
        name: SimpleUploadedFile(*value, "application/pdf") if isinstance(value, tuple) else value
        for name, value in fields.items()
    }
    response = Client().post(path, data, headers={"origin": site_settings.SITE_URL})
    return response.status_code, dict(response.headers)


def test_apply_demo_releases_what_it_sent_too_fast(
    job: Any, settings: Any, monkeypatch: Any, capsys: Any
) -> None:
    settings.APPLICATIONS_PER_NETWORK = [(2, dt.timedelta(minutes=1))]
    monkeypatch.setattr(apply_demo.Command, "_post", post)
    with pytest.raises(SystemExit):
        call_command("apply_demo", "--count", "3", "--timeout", "0")
    assert Application.objects.filter(quarantined=False).count() == 3
    assert "quarantined (network-rate), and released" in capsys.readouterr().out
    released = StepEvent.objects.filter(actor="apply_demo", to_state="queued")
    assert released.get().step.kind == MAIL_APPLICANT
