"""Every address of the back office, for every kind of user, with GET and POST.

Each outcome is one word: ``login`` and ``home`` are Wagtail's redirects for visitors without a
login and for users without the permission, ``done`` is our own redirect after a POST.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from careers.applications.models import Application, ApplicationView
from careers.backoffice import urls
from careers.jobs.models import JobPage
from careers.pipeline.kinds import ARCHIVE, MAIL_APPLICANT, MAIL_HR, SCAN
from careers.pipeline.models import BulkAct, Pause, Step
from tests.support import people
from tests.support.access import outcome
from tests.support.factories import ApplicationFactory, ApplicationFileFactory, StepFactory

PEOPLE = ("anonymous", "charlie", "bob", "otto", "helen", "hanna", "ada")

#:                                      anonymous charlie bob    otto   helen  hanna  ada
TASKS_GET = ("login", "login", "home", "200", "home", "home", "200")
TASKS_NO_POST = ("login", "login", "home", "405", "home", "home", "405")
TASKS_NO_GET = TASKS_NO_POST
TASKS_POST = ("login", "login", "home", "done", "home", "home", "done")
# Users who may not read the application may send its mail only to an address that the job names.
ADDRESS_POST = ("login", "login", "home", "422", "home", "home", "done")
LIST_GET = ("login", "login", "home", "home", "200", "200", "200")
LIST_NO_POST = ("login", "login", "home", "home", "405", "405", "405")
ONE_GET = ("login", "login", "home", "home", "404", "200", "200")
ONE_POST = ("login", "login", "home", "home", "404", "done", "done")
LOG_GET = ("login", "login", "home", "home", "home", "home", "200")
LOG_NO_POST = ("login", "login", "home", "home", "home", "home", "405")
PAGES_GET = ("login", "login", "home", "home", "404", "422", "422")
# A release also requires the permission to retry, which users in HR do not have.
RELEASE_GET = ("login", "login", "home", "home", "home", "home", "200")
RELEASE_POST = ("login", "login", "home", "home", "home", "home", "done")

EXPECTED = {
    "careers_tasks:index": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:results": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:retry_alike": (TASKS_GET, TASKS_POST),
    "careers_tasks:alike": (TASKS_GET, TASKS_POST),
    "careers_tasks:unconfirmed": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:bulk": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:bulk_results": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:pauses": (TASKS_GET, TASKS_POST),
    "careers_tasks:resume": (TASKS_NO_GET, TASKS_POST),
    "careers_tasks:snooze": (TASKS_GET, TASKS_POST),
    "careers_tasks:alerts": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:alerts_results": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:health": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:health_results": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:forget_worker": (TASKS_NO_GET, TASKS_POST),
    "careers_tasks:run_now": (TASKS_NO_GET, TASKS_POST),
    "careers_tasks:dismiss_advice": (TASKS_NO_GET, TASKS_POST),
    "careers_tasks:detail": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:detail_results": (TASKS_GET, TASKS_NO_POST),
    "careers_tasks:release": (TASKS_GET, TASKS_POST),
    "careers_tasks:release_alike": (TASKS_GET, TASKS_POST),
    "careers_tasks:change_address": (TASKS_GET, ADDRESS_POST),
    "careers_tasks:act": (TASKS_GET, TASKS_POST),
    "careers_applications:index": (LIST_GET, LIST_NO_POST),
    "careers_applications:results": (LIST_GET, LIST_NO_POST),
    "careers_applications:access_log": (LOG_GET, LOG_NO_POST),
    "careers_applications:access_log_results": (LOG_GET, LOG_NO_POST),
    "careers_applications:personal_data": (LIST_GET, LIST_NO_POST),
    "careers_applications:detail": (ONE_GET, LIST_NO_POST),
    "careers_applications:stage": (LIST_NO_POST, ONE_POST),
    "careers_applications:export": (LIST_NO_POST, ONE_GET),
    "careers_applications:release": (RELEASE_GET, RELEASE_POST),
    "careers_applications:release_alike": (RELEASE_GET, RELEASE_POST),
    "careers_applications:file": (ONE_GET, LIST_NO_POST),
    # The file is no real PDF, so it can't be drawn.
    "careers_applications:pages": (PAGES_GET, LIST_NO_POST),
    "careers_applications:page": (PAGES_GET, LIST_NO_POST),
    "careers_applications:open_unscanned": (RELEASE_GET, RELEASE_POST),
}


def every_name() -> set[str]:
    return {f"careers_tasks:{pattern.name}" for pattern in urls.tasks} | {
        f"careers_applications:{pattern.name}" for pattern in urls.applications
    }


def test_expected_outcomes_name_every_address() -> None:
    assert every_name() == set(EXPECTED)


@pytest.fixture
def quarantined(ours: JobPage) -> Application:
    """An application with a step for each act."""
    made: Application = ApplicationFactory(page=ours, in_quarantine=True, with_files=True)
    StepFactory(application=made, kind=ARCHIVE, failed=True)
    StepFactory(application=made, kind=SCAN, failed=True)
    ApplicationFileFactory(application=made, kind="cover_letter", scan_verdict="waiting")
    StepFactory(application=made, kind=MAIL_HR, failed=True, recipient="hr@example.com")
    StepFactory(application=made, kind=MAIL_APPLICANT, uncertain=True)
    now = timezone.now()
    until = now + dt.timedelta(hours=1)
    Pause.objects.create(scope="kind:archive", reason="Repair", since=now, until=until)
    chosen = {"kind": ARCHIVE, "code": "", "jobs": None}
    BulkAct.objects.create(act="retry", key="key", chosen=chosen, total=1, last=1, created_at=now)
    return made


def address(name: str, application: Application) -> tuple[str, dict[str, str]]:
    """The URL of this name for the application, and the data of a POST to it."""
    step = Step.objects.get(application=application, kind=ARCHIVE)
    cv, locked = (application.files.get(kind=kind) for kind in ("cv", "cover_letter"))
    match name.partition(":")[2]:
        case (
            "index"
            | "results"
            | "alerts"
            | "alerts_results"
            | "access_log"
            | "access_log_results"
            | "personal_data"
            | "health"
            | "health_results"
        ):
            return reverse(name), {}
        case "retry_alike":
            group = {"kind": step.kind, "code": step.error_code}
            return reverse(name) + f"?kind={step.kind}&code={step.error_code}", group
        case "alike":
            mail = Step.objects.get(application=application, kind=MAIL_APPLICANT)
            group = {"kind": mail.kind, "code": mail.error_code}
            query = f"?kind={mail.kind}&code={mail.error_code}"
            return reverse(name, args=["confirm"]) + query, group
        case "unconfirmed":
            return reverse(name), {}
        case "bulk" | "bulk_results":
            return reverse(name, args=[BulkAct.objects.get().pk]), {}
        case "pauses":
            return reverse(name), {"scope": "mails", "hours": "4", "reason": "Repair"}
        case "resume":
            return reverse(name, args=[Pause.objects.get().pk]), {}
        case "snooze":
            return reverse(name, args=[application.reference, step.pk]), {"hours": "4"}
        case "dismiss_advice":
            return reverse(name), {"digest": "unknown"}
        case "forget_worker":
            return reverse(name), {"name": "worker-1"}
        case "run_now":
            return reverse(name), {"task": "careers.watch"}
        case "change_address":
            mail = Step.objects.get(application=application, kind=MAIL_HR)
            return reverse(name, args=[application.reference, mail.pk]), {
                "address": "right@example.com"
            }
        case "act":
            return reverse(name, args=[application.reference, step.pk, "cancel"]), {}
        case "file" | "pages":
            return reverse(name, args=[application.reference, cv.public_id]), {}
        case "page":
            return reverse(name, args=[application.reference, cv.public_id, 1]), {}
        case "open_unscanned":
            return reverse(name, args=[application.reference, locked.public_id]), {"reason": "!"}
        case "stage":
            return reverse(name, args=[application.reference]), {
                "stage": "interview",
                "before": "new",
            }
        case "release_alike":
            return reverse(name, args=[application.reference]), {"last": str(application.pk)}
        case _:
            return reverse(name, args=[application.reference]), {}


def person(who: str, ours: JobPage, theirs: JobPage) -> Any:
    match who:
        case "charlie":
            return people.charlie()
        case "bob":
            return people.bob(ours.get_parent())
        case "otto":
            return people.otto()
        case "helen":
            return people.hanna(theirs.get_parent(), "helen")
        case "hanna":
            return people.hanna(ours.get_parent())
        case _:
            return people.ada()


@pytest.mark.parametrize("who", PEOPLE)
def test_every_address_gives_each_user_the_expected_response(
    who: str, quarantined: Application, ours: JobPage, theirs: JobPage
) -> None:
    client = Client()
    if who != "anonymous":
        client.force_login(person(who, ours, theirs))
    found, expected = {}, {}
    for name, outcomes in EXPECTED.items():
        expected[name] = tuple(outcome_for[PEOPLE.index(who)] for outcome_for in outcomes)
        with transaction.atomic():
            url, data = address(name, quarantined)
            found[name] = (outcome(client.get(url)), outcome(client.post(url, data)))
            # No act may change the outcome of the next.
            transaction.set_rollback(True)
    assert found == expected


@pytest.mark.parametrize("who", ["anonymous", "charlie", "bob", "otto", "helen"])
def test_pages_without_permission_show_no_personal_data(
    who: str, quarantined: Application, ours: JobPage, theirs: JobPage
) -> None:
    """No page shows a name or an address, and nothing is logged."""
    client = Client()
    if who != "anonymous":
        client.force_login(person(who, ours, theirs))
    for name in EXPECTED:
        url, _data = address(name, quarantined)
        text = client.get(url, follow=True).content.decode()
        assert quarantined.name not in text, name
        assert quarantined.email not in text, name
    assert not ApplicationView.objects.exists()


def test_applications_of_another_part_of_the_tree_are_not_found(
    quarantined: Application, theirs: JobPage
) -> None:
    """Ids of another part of the tree are not found, whatever else the user may do."""
    helen = people.hanna(theirs.get_parent(), "helen", (*people.HR_RIGHTS, "retry_step"))
    client = Client()
    client.force_login(helen)
    for name in ("detail", "file", "release", "stage"):
        url, data = address(f"careers_applications:{name}", quarantined)
        response = client.post(url, data) if name == "stage" else client.get(url)
        assert response.status_code == 404, name
    url, _data = address("careers_applications:release", quarantined)
    assert client.post(url).status_code == 404
    quarantined.refresh_from_db()
    assert quarantined.quarantined
    assert quarantined.review_stage == "new"


def test_step_of_another_application_is_not_found(
    as_ada: Client, quarantined: Application, theirs: JobPage
) -> None:
    other = StepFactory(application__page=theirs, failed=True)
    url = reverse("careers_tasks:act", args=[quarantined.reference, other.pk, "cancel"])
    assert as_ada.get(url).status_code == 404
    assert as_ada.post(url).status_code == 404


def test_file_of_another_application_is_not_found(
    as_hanna: Client, quarantined: Application, theirs: JobPage
) -> None:
    other = ApplicationFactory(page=theirs, with_files=True)
    file = other.files.first()
    url = reverse("careers_applications:file", args=[quarantined.reference, file.public_id])
    assert as_hanna.get(url).status_code == 404


@pytest.mark.parametrize(
    ("act", "right"),
    [
        ("retry", "retry_step"),
        ("confirm", "retry_step"),
        ("send-again", "retry_step"),
        ("cancel", "cancel_step"),
    ],
)
def test_act_without_its_permission_is_denied(
    act: str, right: str, quarantined: Application
) -> None:
    otto = people.otto()
    group = otto.groups.get()
    group.permissions.remove(Permission.objects.get(codename=right))
    client = Client()
    client.force_login(otto)
    step = Step.objects.get(application=quarantined, kind=ARCHIVE)
    url = reverse("careers_tasks:act", args=[quarantined.reference, step.pk, act])
    assert outcome(client.get(url)) == "home"
    assert outcome(client.post(url)) == "home"
    step.refresh_from_db()
    assert step.state == "failed"


def test_unknown_act_is_not_found(as_ada: Client, quarantined: Application) -> None:
    step = Step.objects.get(application=quarantined, kind=ARCHIVE)
    url = reverse("careers_tasks:act", args=[quarantined.reference, step.pk, "erase"])
    assert as_ada.post(url).status_code == 404


def test_act_without_csrf_token_is_denied(quarantined: Application) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.ada())
    for name in ("careers_tasks:act", "careers_tasks:release", "careers_applications:stage"):
        url, data = address(name, quarantined)
        assert client.post(url, data).status_code == 403, name


@pytest.mark.parametrize(
    ("who", "shown"),
    [("bob", []), ("otto", ["Task status"]), ("hanna", ["Applications"])],
)
def test_menu_shows_permitted_entries_only(
    who: str, shown: list[str], ours: JobPage, theirs: JobPage
) -> None:
    client = Client()
    client.force_login(person(who, ours, theirs))
    page = client.get(reverse("wagtailadmin_home")).content.decode()
    for label, url in (
        ("Task status", reverse("careers_tasks:index")),
        ("Applications", reverse("careers_applications:index")),
    ):
        assert (url in page) == (label in shown), label
