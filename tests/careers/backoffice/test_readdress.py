"""A wrong HR address is corrected, and the page names its source."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.contrib.auth.models import Permission
from django.test import Client
from django.utils import timezone

from careers.jobs.models import JobPage
from careers.pipeline.kinds import MAIL_APPLICANT, MAIL_HR, RENDER_PDF
from careers.pipeline.models import Step
from home.models import SiteSettings
from tests.support import people
from tests.support.factories import ApplicationFactory, StepFactory
from tests.support.people import logged_in
from tests.support.translating import in_french


@pytest.fixture
def failed(job: JobPage) -> Step:
    application = ApplicationFactory(page=job)
    StepFactory(application=application, kind=RENDER_PDF, succeeded=True)
    step: Step = StepFactory(
        application=application, kind=MAIL_HR, failed=True, recipient="hr@example.org"
    )
    return step


def url(step: Step) -> str:
    return f"/admin/tasks/{step.application.reference}/{step.pk}/change-address/"


def text(response: Any) -> str:
    soup = BeautifulSoup(response.content, "html.parser")
    return " ".join(soup.get_text(" ").split())


def test_detail_offers_new_address_for_failed_mail_to_hr_only(
    as_otto: Client, failed: Step
) -> None:
    page = as_otto.get(f"/admin/tasks/{failed.application.reference}/").content.decode()
    assert url(failed) in page
    Step.objects.filter(pk=failed.pk).update(kind=MAIL_APPLICANT)
    page = as_otto.get(f"/admin/tasks/{failed.application.reference}/").content.decode()
    assert "change-address" not in page
    assert as_otto.get(url(failed)).status_code == 404


def test_mail_goes_to_the_new_address(as_ada: Client, failed: Step) -> None:
    response = as_ada.post(
        url(failed), {"address": "right@example.org", "reason": "Typo."}, follow=True
    )
    assert "The mail is sent to right@example.org." in text(response)
    assert "Correct the job “Gauge keeper”" in text(response)
    instead = Step.objects.get(recipient="right@example.org")
    assert instead.state == "queued"
    assert instead.events.first().reason == "Typo."
    # The replaced mail needs no attention.
    assert "Under way. Nothing to do." in text(response) or "No worker" in text(response)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("", "Enter the address to which the mail should go."),
        ("nobody", "“nobody” has no @. Enter an e-mail address"),
        ("hr@example.org", "The mail went to this address."),
        (
            "Told@example.org",
            "told@example.org already has a mail about this application; it is “Done”.",
        ),
        # The previous release stored the other spelling of this host.
        ("Hanna Lie <Told@faß.de>", "told@faß.de already has a mail about this application"),
    ],
)
def test_invalid_address_is_explained(
    as_ada: Client, failed: Step, address: str, words: str
) -> None:
    for told in ("told@example.org", "told@xn--fa-hia.de"):
        StepFactory(application=failed.application, kind=MAIL_HR, succeeded=True, recipient=told)
    response = as_ada.post(url(failed), {"address": address, "reason": "Kept words"})
    assert response.status_code == 422
    assert words in text(response)
    soup = BeautifulSoup(response.content, "html.parser")
    assert soup.select_one("#reason")["value"] == "Kept words"
    assert soup.select_one("[name=address]")["aria-invalid"] == "true"


def test_second_submit_is_refused_with_the_reason(as_ada: Client, failed: Step) -> None:
    as_ada.post(url(failed), {"address": "right@example.org"})
    response = as_ada.post(url(failed), {"address": "right@example.org"})
    assert "right@example.org already has a mail about this application" in text(response)
    Step.objects.filter(pk=failed.pk).update(state="succeeded")
    response = as_ada.get(url(failed), follow=True)
    assert "is now “Done”: its address can’t be changed." in text(response)


def test_mail_that_may_have_been_sent_is_refused(as_ada: Client, failed: Step) -> None:
    later = timezone.now() + dt.timedelta(hours=20)
    Step.objects.filter(pk=failed.pk).update(state="retrying", repeat_until=later)
    for response in (
        as_ada.get(url(failed), follow=True),
        as_ada.post(url(failed), {"address": "right@example.org"}, follow=True),
    ):
        assert "Wait until the result is known." in text(response)
    assert Step.objects.filter(kind=MAIL_HR).count() == 1


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("job", "job “Gauge keeper”"),
        ("index", "list of jobs “Jobs”"),
        ("company", "company settings"),
        ("nowhere", "No page or setting contains this address any more"),
    ],
)
def test_page_names_the_sources_of_the_address(
    as_ada: Client, as_otto: Client, failed: Step, job: JobPage, where: str, words: str
) -> None:
    index = job.get_parent().specific
    job.hr_recipients = "HR@example.org" if where == "job" else ""
    index.hr_recipients = "x@example.org, hr@example.org" if where == "index" else ""
    job.save()
    index.save()
    SiteSettings.objects.update(hr_recipients="hr@example.org" if where == "company" else "")
    soup = BeautifulSoup(as_ada.get(url(failed)).content, "html.parser")
    assert words in " ".join(soup.select_one(".bo-confirm").get_text(" ").split())
    links = [a["href"] for a in soup.select(".bo-sources a")]
    expected = {
        "job": [f"/admin/pages/{job.pk}/edit/"],
        "index": [f"/admin/pages/{index.pk}/edit/"],
        "company": [f"/admin/settings/home/sitesettings/{job.get_site().pk}/"],
        "nowhere": [],
    }
    assert links == expected[where]
    # Otto may edit none of them.
    other = BeautifulSoup(as_otto.get(url(failed)).content, "html.parser")
    assert other.select(".bo-sources a") == []


def test_operator_may_use_addresses_that_the_job_names(
    as_otto: Client, failed: Step, job: JobPage
) -> None:
    response = as_otto.post(url(failed), {"address": "mine@example.org"})
    assert response.status_code == 422
    assert "You may send it to the recipients of the job" in text(response)
    assert Step.objects.filter(recipient="mine@example.org").count() == 0
    job.hr_recipients = "Right@example.org"
    job.save()
    assert as_otto.post(url(failed), {"address": "right@example.org"}).status_code == 302
    assert Step.objects.filter(recipient="right@example.org").count() == 1


def test_operator_may_use_an_address_at_a_domain_of_the_company(
    as_otto: Client, failed: Step
) -> None:
    SiteSettings.objects.update(recipient_domains="example.org")
    assert as_otto.post(url(failed), {"address": "mine@sub.example.org"}).status_code == 422
    assert as_otto.post(url(failed), {"address": "mine@Example.org"}).status_code == 302


def test_reader_may_use_the_address_of_another_reader_only(failed: Step, job: JobPage) -> None:
    rights = (*people.HR_RIGHTS, "view_step", "retry_step")
    reader = logged_in(people.hanna(job, rights=rights))
    people.hanna(job, "helen")
    people.bob(job)
    for address in ("elsewhere@example.net", "bob@example.com"):
        assert reader.post(url(failed), {"address": address}).status_code == 422, address
    assert reader.post(url(failed), {"address": "helen@example.com"}).status_code == 302


def test_new_address_requires_the_retry_permission(failed: Step) -> None:
    viewer = people.charlie()
    viewer.user_permissions.add(
        *Permission.objects.filter(codename__in=["access_admin", "view_step"])
    )
    client = logged_in(viewer)
    assert client.get(url(failed)).status_code == 302
    client.post(url(failed), {"address": "right@example.org"})
    assert Step.objects.filter(recipient="right@example.org").count() == 0


@pytest.mark.parametrize(
    ("where", "words"), [("job", "job “Gauge keeper”"), ("index", "list of jobs “Jobs”")]
)
def test_source_of_translated_page_is_its_original(
    as_ada: Client, failed: Step, job: JobPage, where: str, words: str
) -> None:
    index = job.get_parent().specific
    job.hr_recipients = "hr@example.org" if where == "job" else ""
    index.hr_recipients = "hr@example.org" if where == "index" else ""
    index.save_revision().publish()
    job.save_revision().publish()
    SiteSettings.objects.update(hr_recipients="")
    french = in_french(job, {"Gauge keeper": "Gardien de jauges"})
    failed.application.page = french
    failed.application.save()
    soup = BeautifulSoup(as_ada.get(url(failed)).content, "html.parser")
    link = soup.select_one(".bo-sources a")
    editable = {"job": job, "index": index}[where]
    assert link["href"] == f"/admin/pages/{editable.pk}/edit/"
    assert link.get_text() == words
    response = as_ada.post(url(failed), {"address": "right@example.org"}, follow=True)
    assert f"Correct the {words}" in text(response)
