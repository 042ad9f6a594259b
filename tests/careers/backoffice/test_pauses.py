"""The banner about what is paused, and the page that pauses and resumes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from careers.backoffice import polling
from careers.pipeline.models import Pause, Step
from careers.pipeline.states import State
from tests.support import people
from tests.support.people import logged_in

pytestmark = pytest.mark.django_db
PAGE = "/admin/tasks/pauses/"
REASON = "The mail server is being repaired."


def pause(client: Client, **more: Any) -> Any:
    return client.post(PAGE, {"scope": "mails", "hours": "4", "reason": REASON, **more})


def test_pause_shows_a_banner_on_every_page_that_shows_steps(
    as_otto: Client, application: Any
) -> None:
    assert pause(as_otto).status_code == 302
    detail = reverse("careers_tasks:detail", args=[application.reference])
    task_pages = ("/admin/tasks/", "/admin/tasks/results/", "/admin/tasks/health/", PAGE)
    for address in (*task_pages, detail, f"{detail}results/"):
        page = as_otto.get(address).content.decode()
        assert "All mails about applications" in page, address
        assert REASON in page
        assert "Otto Example" in page
        assert "Applications are stored and safe." in page
        assert "Receipts by mail wait" in page
        assert "/resume/" in page


def test_hr_reads_the_banner_at_home_and_on_applications_without_the_button(
    as_otto: Client, as_hanna: Client, application: Any
) -> None:
    pause(as_otto)
    detail = reverse("careers_applications:detail", args=[application.reference])
    for address in ("/admin/", "/admin/applications/", "/admin/applications/results/", detail):
        page = as_hanna.get(address).content.decode()
        assert REASON in page, address
        assert "/resume/" not in page


def test_home_shows_no_banner_to_people_without_our_rights(as_otto: Client, ours: Any) -> None:
    pause(as_otto)
    assert REASON not in logged_in(people.bob(ours)).get("/admin/").content.decode()


def test_resume_removes_the_banner_and_is_harmless_twice(as_otto: Client) -> None:
    pause(as_otto)
    address = reverse("careers_tasks:resume", args=[Pause.objects.get().pk])
    as_otto.post(address)
    as_otto.post(address)
    page = as_otto.get(PAGE).content.decode()
    assert "is not paused any more" in page
    assert "Resumed by Otto Example" in page
    assert REASON not in as_otto.get("/admin/tasks/results/").content.decode()


def test_pause_twice_makes_one_pause(as_otto: Client) -> None:
    pause(as_otto)
    assert "is paused already" in as_otto.get(pause(as_otto).url).content.decode()
    assert Pause.objects.count() == 1


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"reason": "\u200b"}, {"scope": "kind:x"}, {"hours": "999"}]
)
def test_pause_form_refuses_what_it_does_not_offer(as_otto: Client, wrong: dict[str, str]) -> None:
    assert pause(as_otto, **wrong).status_code == 422
    assert not Pause.objects.exists()


def test_pause_needs_its_own_permission(ours: Any) -> None:
    lena = people.hanna(ours, "lena", ("view_step", "retry_step", "cancel_step", "pause_step"))
    sue = people.hanna(None, "sue", ("view_step", "cancel_step", "operate_site"))
    assert pause(logged_in(lena)).status_code == 302
    assert pause(logged_in(sue)).status_code in (302, 403)
    assert not Pause.objects.exists()


def test_who_sees_the_whole_site_and_may_pause_for_one_job_pauses_nothing(ours: Any) -> None:
    sue = people.hanna(None, "sue", ("view_step", "operate_site"))
    lena = people.hanna(ours, "lena", ("view_step", "pause_step"))
    sue.groups.add(*lena.groups.all())
    assert logged_in(sue).get(PAGE).status_code == 200
    pause(logged_in(sue))
    assert not Pause.objects.exists()


def test_paused_steps_say_so(as_otto: Client, as_hanna: Client, application: Any) -> None:
    Step.objects.filter(kind="mail_applicant").update(state=State.QUEUED, ended_at=None)
    pause(as_otto)
    for address in (
        "/admin/tasks/results/",
        reverse("careers_tasks:detail_results", args=[application.reference]),
    ):
        assert ">Paused</span>" in as_otto.get(address).content.decode()
    assert "None: it is paused" in as_otto.get("/admin/tasks/results/").content.decode()
    listed = as_hanna.get("/admin/applications/").content.decode()
    assert "Paused" in listed.partition("<tbody")[2]
    shown = as_hanna.get(f"/admin/applications/{application.reference}/").content.decode()
    assert "None: it is paused" in shown
    export: Any = as_otto.get("/admin/tasks/?export=csv")
    assert ",Paused," in b"".join(export.streaming_content).decode()


def test_poll_notices_a_pause(as_otto: Client) -> None:
    def version() -> str:
        return str(as_otto.get("/admin/tasks/results/", headers={"X-Live": "1"})["ETag"])

    assert polling.OLDEST > 1
    before = version()
    pause(as_otto)
    assert version() != before
