"""From the form to the mail server: a host stays the one that was typed."""

from __future__ import annotations

import email
import email.policy
import json
from typing import Any

import pytest
from django.test import Client

from careers.applications.models import Application
from careers.archive.manifest import manifest
from careers.jobs.models import JobPage
from careers.pipeline.models import Step
from careers.pipeline.runner import run
from home.models import SiteSettings
from tests.support import people
from tests.support.applying import send
from tests.support.people import logged_in
from tests.support.servers import HostileSMTP

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("typed", "stored", "sent"),
    [
        ("Jane <jane@faß.de>", "jane@faß.de", "jane@xn--fa-hia.de"),
        # What Chromium sends for the address above, if the field is not of type="email".
        ("jane@xn--fa-hia.de", "jane@faß.de", "jane@xn--fa-hia.de"),
        ("Jane@FASS.de", "Jane@FASS.de", "Jane@fass.de"),
        ("jane@نامه\u200cای.ir", "jane@نامه\u200cای.ir", "jane@xn--mgba3gch31f060k.ir"),
        ("zoë@faß.de", "zoë@faß.de", "zoë@xn--fa-hia.de"),
    ],
)
def test_address_is_shown_as_typed_and_mailed_to_its_own_host(
    client: Client, job: JobPage, settings: Any, typed: str, stored: str, sent: str
) -> None:
    JobPage.objects.update(hr_recipients="", contact_email="bo@faß.de")
    SiteSettings.objects.update(hr_recipients="HR <hr@faß.de>; hr@fass.de")
    settings.DEFAULT_FROM_EMAIL = "jobs@straße.example"
    response = send(client, job, email=typed)
    assert response.status_code == 303, response.content.decode()
    application = Application.objects.get()
    assert application.shown_email == stored
    # The previous release would spell it for another host.
    assert application.email == (stored if stored.isascii() else sent)
    assert json.loads(manifest(application, []))["applicant"]["email"] == stored
    page = client.get(response["Location"]).content.decode()
    assert stored in page
    assert 'href="mailto:bo@xn--fa-hia.de"' in page
    with HostileSMTP() as smtp:
        settings.EMAIL_HOST, settings.EMAIL_PORT = smtp.address
        Step.objects.exclude(kind__startswith="mail").update(state="succeeded")
        Step.objects.update(state="queued")
        for step in Step.objects.filter(kind__startswith="mail").order_by("pk"):
            run(step.pk, owner="worker:1")
    accepted = {mail.recipients[0]: mail for mail in smtp.accepted}
    assert set(accepted) == {sent, "hr@xn--fa-hia.de", "hr@fass.de"}
    assert {mail.sender for mail in smtp.accepted} == {"jobs@xn--strae-oqa.example"}
    read = email.message_from_bytes(accepted[sent].content, policy=email.policy.default)
    assert [one.addr_spec for one in read["Reply-To"].addresses] == ["bo@xn--fa-hia.de"]
    read = email.message_from_bytes(accepted["hr@fass.de"].content, policy=email.policy.default)
    if sent.isascii():
        assert [one.addr_spec for one in read["Reply-To"].addresses] == [sent]
    else:
        assert f"write to {stored}." in read.get_body(("plain",)).get_content().replace("\n", " ")


def test_form_asks_for_an_address_with_a_host_that_can_exist(client: Client, job: JobPage) -> None:
    response = send(client, job, email="jane@i❤.ws")
    assert response.status_code == 422
    page = response.content.decode()
    assert "There can’t be a mail server “i❤.ws”. Correct what stands after the @." in page


def test_no_browser_changes_a_typed_host(client: Client, job: JobPage) -> None:
    """Chromium sends user@faß.de as user@fass.de from a field of ``type="email"``."""
    editor = logged_in(people.ada())
    for browser, path in (
        (client, job.url),
        (client, "/received/"),
        (client, "/admin/sign-in/forgotten/"),
        (editor, f"/admin/settings/home/sitesettings/{job.get_site().pk}/"),
        (editor, f"/admin/pages/{job.pk}/edit/"),
    ):
        response = browser.get(path, follow=True)
        page = response.content.decode()
        assert 'inputmode="email"' in page, path
        assert 'type="email"' not in page, path
