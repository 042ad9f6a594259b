"""Who may choose the recipients of applications, whichever way the page is changed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from wagtail.models import Page

from careers.jobs.models import JobIndexPage, JobPage
from home.models import SiteSettings
from home.recipients import refused
from tests.support import people
from tests.support.editing import page_form
from tests.support.factories import ApplicationFactory, JobIndexPageFactory
from tests.support.people import logged_in
from tests.support.translating import in_french

pytestmark = pytest.mark.django_db

FOREIGN = "spy@elsewhere.test"


@pytest.fixture
def author(job: JobPage) -> Client:
    """Edits and publishes the list of jobs, and has none of our permissions."""
    return logged_in(people.bob(job.get_parent()))


@pytest.fixture
def other_list(job: JobPage, home: Page) -> JobIndexPage:
    made: JobIndexPage = JobIndexPageFactory(parent=home, hr_recipients="")
    return made


def errors(response: Any) -> str:
    assert response.status_code == 200
    return str(response.context["form"].errors.get("hr_recipients", ""))


def live(page: Page) -> str:
    found: str = type(page).objects.get(pk=page.pk).hr_recipients
    return found


def draft(page: Page) -> str:
    found: str = type(page).objects.get(pk=page.pk).get_latest_revision_as_object().hr_recipients
    return found


def save(client: Client, job: JobPage, addresses: str, **more: str) -> Any:
    return client.post(
        f"/admin/pages/{job.pk}/edit/", page_form(job, hr_recipients=addresses, **more)
    )


# ── The editor ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("button", [{}, {"action-publish": "1"}])
def test_editor_of_a_page_may_not_choose_any_address(
    author: Client, job: JobPage, button: dict[str, str]
) -> None:
    response = save(author, job, f"hr@example.org\n{FOREIGN}", **button)
    assert f"you may not send them to {FOREIGN}. Enter the address of a colleague" in errors(
        response
    )
    assert FOREIGN not in live(job) + draft(job)


def test_recipients_of_a_list_of_jobs_are_guarded_too(author: Client, job: JobPage) -> None:
    jobs = job.get_parent()
    form = {"title": "Jobs", "slug": "careers", "hr_recipients": FOREIGN, "privacy_notice": "null"}
    form |= {"comments-TOTAL_FORMS": "0", "comments-INITIAL_FORMS": "0"}
    assert FOREIGN in errors(author.post(f"/admin/pages/{jobs.pk}/edit/", form))
    address = f"/admin/pages/add/careers/jobpage/{jobs.pk}/"
    new = page_form(job, slug="new", hr_recipients=FOREIGN)
    assert FOREIGN in errors(author.post(address, new))


def test_address_that_is_there_already_is_kept(author: Client, job: JobPage) -> None:
    assert save(author, job, "HR@example.org", title="Keeper").status_code == 302
    assert save(author, job, "").status_code == 302


def test_address_at_a_domain_of_the_company_is_allowed(author: Client, job: JobPage) -> None:
    SiteSettings.objects.update(recipient_domains="@Company.test\nother.test")
    assert save(author, job, "anybody@company.TEST").status_code == 302
    for wrong in ("x@sub.company.test", "x@notcompany.test", "company.test@elsewhere.test"):
        assert wrong in errors(save(author, job, wrong)), wrong


def test_rule_for_domains_and_colleagues_compares_hosts(job: JobPage) -> None:
    bob, helen = people.bob(job.get_parent()), people.hanna(job, "helen")
    helen.email = "mike@xn--fa-hia.de"
    helen.save()
    allowed = [
        "x@straße.test",
        "x@xn--strae-oqa.test",
        "X@STRAẞE.test",
        "Mike@faß.de",
        "mike@xn--fa-hia.de",
        "known@xn--bcher-kva.test",
    ]
    foreign = [
        "x@strasse.test",
        "x@a.straße.test",
        "mike@fass.de",
        "mıke@faß.de",
        '"x@straße.test"@elsewhere.test',
        "known@buecher.test",
    ]
    found = refused(
        allowed + foreign,
        bob,
        job.path,
        domains=["xn--strae-oqa.test"],
        known=["known@bücher.test"],
    )
    assert found == foreign


def test_pasted_list_is_stored_as_it_was_understood(author: Client, job: JobPage) -> None:
    SiteSettings.objects.update(recipient_domains="faß.de")
    pasted = '"Lie, Hanna" <hanna@faß.de>; Lind, Bo <bo@xn--fa-hia.de>\n'
    assert save(author, job, pasted, **{"action-publish": "1"}).status_code == 302
    assert live(job) == draft(job) == "hanna@faß.de\nbo@faß.de"
    assert "“hanna lie@faß.de”" in errors(save(author, job, "hanna lie@faß.de"))
    assert "“i❤.ws”" in errors(save(author, job, "hr@i❤.ws"))


def test_address_of_a_colleague_who_may_read_the_applications_is_allowed(
    author: Client, job: JobPage, other_list: JobIndexPage
) -> None:
    people.hanna(job)
    assert save(author, job, "Hanna@example.com").status_code == 302
    people.hanna(other_list, "helen")
    inactive = people.hanna(job, "ines")
    inactive.is_active = False
    inactive.save()
    for wrong in ("helen@example.com", "bob@example.com", "ines@example.com"):
        assert wrong in errors(save(author, job, wrong)), wrong


def test_person_with_the_permission_chooses_any_address_in_their_own_pages_only(
    job: JobPage, other_list: JobIndexPage
) -> None:
    person = people.hanna(job.get_parent())
    people.allow(person, "home", "change_recipients")
    person.groups.add(people.bob(other_list).groups.get())
    client = logged_in(person)
    assert save(client, job, FOREIGN).status_code == 302
    address = f"/admin/pages/add/careers/jobpage/{other_list.pk}/"
    new = page_form(job, slug="new", hr_recipients=FOREIGN)
    assert FOREIGN in errors(client.post(address, new))


# ── Every other way ─────────────────────────────────────────────────────────────────────


def with_old_address(job: JobPage) -> Any:
    """A revision with an address that the job has no longer."""
    now, job.hr_recipients = job.hr_recipients, FOREIGN
    old = job.save_revision()
    job.hr_recipients = now
    job.save_revision().publish()
    return old


def test_old_revision_can_not_be_brought_back_in_the_editor(author: Client, job: JobPage) -> None:
    old = with_old_address(job)
    form = page_form(job, hr_recipients=FOREIGN, revision=str(old.pk))
    assert FOREIGN in errors(author.post(f"/admin/pages/{job.pk}/edit/", form))


def test_old_revision_that_the_api_brings_back_loses_the_address(
    author: Client, job: JobPage
) -> None:
    old = with_old_address(job)
    api = f"/admin/api/main/pages/{job.pk}/action"
    response = author.post(f"{api}/revert_to_page_revision/", {"revision_id": old.pk})
    assert response.status_code == 200, response.content
    assert author.post(f"{api}/publish/").status_code == 200
    assert (draft(job), live(job)) == ("", "")


def test_copy_loses_addresses_that_the_person_may_not_choose(author: Client, job: JobPage) -> None:
    job.hr_recipients = f"{FOREIGN}\npeople@example.org"
    job.save_revision().publish()
    form = {"new_title": "Copy", "new_slug": "copy", "new_parent_page": job.get_parent().pk}
    response = author.post(
        f"/admin/pages/{job.pk}/copy/", form | {"publish_copies": "on"}, follow=True
    )
    assert f"The copy does not notify {FOREIGN}" in response.content.decode()
    copy = JobPage.objects.get(slug="copy")
    assert (live(copy), draft(copy)) == ("people@example.org", "people@example.org")
    assert all(FOREIGN not in str(one.content) for one in copy.revisions.all())
    assert FOREIGN in live(job)


@pytest.mark.parametrize("action", ["copy", "create_alias"])
def test_copy_by_the_api_loses_them_too(author: Client, job: JobPage, action: str) -> None:
    job.hr_recipients = FOREIGN
    job.save_revision().publish()
    response = author.post(
        f"/admin/api/main/pages/{job.pk}/action/{action}/",
        {"slug": "copy", "update_slug": "copy"},
    )
    assert response.status_code == 201, response.content
    copy = JobPage.objects.get(slug="copy")
    assert live(copy) == ""
    # An alias follows its original.
    job.title = "Renamed"
    save(author, job, FOREIGN, **{"action-publish": "1"})
    assert FOREIGN not in live(copy)


def test_person_with_the_permission_copies_addresses(job: JobPage) -> None:
    person = people.hanna(job.get_parent())
    people.allow(person, "home", "change_recipients")
    job.hr_recipients = FOREIGN
    job.save_revision().publish()
    form = {"new_title": "Copy", "new_slug": "copy", "new_parent_page": job.get_parent().pk}
    logged_in(person).post(f"/admin/pages/{job.pk}/copy/", form)
    assert draft(JobPage.objects.get(slug="copy")) == FOREIGN


def test_draft_of_a_person_with_the_permission_is_published_by_others(
    author: Client, job: JobPage
) -> None:
    person = people.hanna(job.get_parent())
    people.allow(person, "home", "change_recipients")
    save(logged_in(person), job, FOREIGN)
    assert save(author, job, FOREIGN, title="Keeper").status_code == 302
    author.post(f"/admin/bulk/wagtailcore/page/publish/?id={job.pk}")
    assert live(job) == FOREIGN


def test_scheduled_draft_holds_allowed_addresses_only(author: Client, job: JobPage) -> None:
    soon = timezone.now() + dt.timedelta(hours=1)
    form = {"go_live_at": soon.strftime("%Y-%m-%d %H:%M"), "action-publish": "1"}
    assert FOREIGN in errors(save(author, job, FOREIGN, **form))
    call_command("publish_scheduled")
    assert live(job) == "hr@example.org"


def test_translation_has_the_recipients_of_its_original(job: JobPage) -> None:
    job.hr_recipients = FOREIGN
    job.save_revision().publish()
    french = in_french(job)
    translator = people.bob(french.get_parent())
    assert live(french) == FOREIGN
    form = {"action-publish": "1", "localize-translate": ""}
    logged_in(translator).post(f"/admin/pages/{french.pk}/edit/", form)
    assert (live(french), draft(french)) == (FOREIGN, FOREIGN)


def test_programs_may_choose_any_address(job: JobPage) -> None:
    job.hr_recipients = FOREIGN
    job.save_revision().publish()
    assert live(job) == FOREIGN


def test_recipients_are_shown_to_editors_of_the_page_only(
    author: Client, job: JobPage, home: Page
) -> None:
    reviewer = logged_in(people.hanna(None, "rita", ("view_application",)))
    author.get(f"/admin/pages/{job.pk}/edit/")
    for client in (Client(), reviewer, author):
        for address in (
            f"/admin/api/main/pages/{job.pk}/?fields=*",
            "/admin/api/main/pages/?type=careers.JobPage&fields=*",
            f"/admin/pages/{job.pk}/view_draft/",
            f"/admin/pages/{job.pk}/usage/",
            "/careers/gauge-keeper/",
            "/jobs.atom",
        ):
            assert "hr@example.org" not in client.get(address).content.decode(), address
    assert "hr@example.org" in author.get(f"/admin/pages/{job.pk}/edit/").content.decode()
    for what in ("edit", "history", "revisions", "copy"):
        response = reviewer.get(f"/admin/pages/{job.pk}/{what}/")
        assert response.status_code == 302, what


# ── Moving ──────────────────────────────────────────────────────────────────────────────


def moves(client: Client, page: Page, to: Page) -> list[int]:
    """Move a page in each way that there is; the id of its parent after each."""
    parents = []
    for address, form in (
        (f"/admin/pages/{page.pk}/move/{to.pk}/confirm/", {}),
        (f"/admin/api/main/pages/{page.pk}/action/move/", {"destination_page_id": to.pk}),
        (f"/admin/bulk/wagtailcore/page/move/?id={page.pk}", {"chooser": to.pk}),
    ):
        client.post(address, form)
        parents.append(Page.objects.get(pk=page.pk).get_parent().pk)
    return parents


def mover(job: JobPage, to: Page, *permissions: str) -> Any:
    person = people.hanna(to, "mover", (*permissions, "view_application"))
    person.groups.add(people.bob(job.get_parent().get_parent()).groups.get())
    return person


def test_job_with_applications_is_not_moved_by_a_person_who_may_not_read_them(
    job: JobPage, other_list: JobIndexPage
) -> None:
    """Otherwise its mover could read them at the destination."""
    JobPage.objects.update(hr_recipients="")
    ApplicationFactory(page=job)
    before = job.get_parent().pk
    client = logged_in(mover(job, other_list))
    assert moves(client, job, other_list) == [before] * 3
    page = client.get(f"/admin/pages/{job.pk}/move/{other_list.pk}/confirm/", follow=True)
    assert "it has applications, and you may not read them" in page.content.decode()


def test_job_without_applications_is_moved(job: JobPage, other_list: JobIndexPage) -> None:
    JobPage.objects.update(hr_recipients="people@example.org")
    assert moves(logged_in(mover(job, other_list)), job, other_list)[0] == other_list.pk


def test_job_is_not_moved_with_recipients_that_the_person_may_not_choose_there(
    job: JobPage, other_list: JobIndexPage
) -> None:
    JobPage.objects.update(hr_recipients=FOREIGN)
    before = job.get_parent().pk
    assert moves(logged_in(mover(job, other_list)), job, other_list) == [before] * 3


@pytest.mark.parametrize("reads_original", [True, False])
def test_nobody_translates_a_job_to_read_its_applications(
    job: JobPage, reads_original: bool
) -> None:
    ApplicationFactory(page=job)
    french_list = in_french(job.get_parent().specific)
    person = people.hanna(french_list, "mover")
    people.allow(person, "wagtail_localize", "submit_translation")
    person.groups.add(people.bob(job.get_parent()).groups.get())
    if reads_original:
        person.groups.add(people.hanna(job, "helen").groups.get())
    url = f"/admin/localize/submit/page/{job.pk}/"
    logged_in(person).post(url, {"locales": french_list.locale_id})
    found = JobPage.objects.filter(translation_key=job.translation_key).count()
    assert found == (2 if reads_original else 1)


def test_page_that_may_not_be_moved_does_not_say_whether_it_has_applications(
    job: JobPage, other_list: JobIndexPage
) -> None:
    ApplicationFactory(page=job)
    client = logged_in(people.bob(other_list))
    page = client.get(f"/admin/pages/{job.pk}/move/{other_list.pk}/confirm/", follow=True)
    assert "it has applications" not in page.content.decode()
    page = client.post(
        f"/admin/bulk/wagtailcore/page/move/?id={job.pk}", {"chooser": other_list.pk}, follow=True
    )
    assert "it has applications" not in page.content.decode()


# ── The company settings ────────────────────────────────────────────────────────────────


def company_form(settings: SiteSettings, **changes: str) -> dict[str, str]:
    return {
        "company_name": "Tidewater",
        "accent_colour": settings.accent_colour,
        "time_zone": settings.time_zone,
        "hr_recipients": settings.hr_recipients,
        "recipient_domains": settings.recipient_domains,
        "operators": settings.operators,
        "closing_grace": str(settings.closing_grace),
        "active_content": settings.active_content,
        "privacy_notice": "null",
        "translations-TOTAL_FORMS": "0",
        "translations-INITIAL_FORMS": "0",
        **changes,
    }


@pytest.mark.parametrize("field", ["hr_recipients", "operators", "recipient_domains"])
def test_company_settings_guard_recipients_and_domains(job: JobPage, field: str) -> None:
    company = SiteSettings.objects.get()
    url = f"/admin/settings/home/sitesettings/{company.site_id}/"
    value = "elsewhere.test" if field == "recipient_domains" else FOREIGN
    person = people.bob(job.get_root())
    people.allow(person, "home", "change_sitesettings")
    response = logged_in(person).post(url, company_form(company, **{field: value}))
    assert list(response.context["form"].errors) == [field]
    person = people.hanna(job.get_root())
    people.allow(person, "home", "change_sitesettings", "change_recipients")
    assert logged_in(person).post(url, company_form(company, **{field: value})).status_code == 302
    assert getattr(SiteSettings.objects.get(), field) == value
