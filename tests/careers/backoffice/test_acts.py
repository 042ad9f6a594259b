"""Buttons, addresses and the database agree: every act × row × permission, by the act's rule."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from careers.applications.models import Application
from careers.jobs.models import JobPage
from careers.pipeline import actions, bulk
from careers.pipeline.kinds import MAIL_HR
from careers.pipeline.models import Step, StepEvent
from careers.pipeline.states import UNDER_WAY, Phase, State
from tests.support import people
from tests.support.access import outcome
from tests.support.factories import ApplicationFactory, StepFactory
from tests.support.people import logged_in

#: Columns of a mail to HR, for each row that a rule may treat in its own way.
ROWS: dict[str, dict[str, Any]] = {
    **{state.value: {"state": state} for state in State},
    **{
        f"{state.value}, may have been sent": {"state": state, "phase": Phase.KEYED}
        for state in UNDER_WAY
    },
    "bounced": {"state": State.SUCCEEDED, "bounced_at": timezone.now()},
    "bounced, replaced": {
        "state": State.SUCCEEDED,
        "bounced_at": timezone.now(),
        "result": {"instead": 1},
    },
    "cancelled, replaced": {"state": State.CANCELLED, "replaced_by_id": 1},
}
#: What the pages of some acts ask for.
EVERYTHING_ASKED = {"address": "right@example.com", "hours": "4", "reason": "By hand."}
PERMISSIONS = {"none": [], "retry": ["retry_step"], "cancel": ["cancel_step"]}


def user_with(codenames: list[str]) -> Any:
    user = people.charlie()
    user.user_permissions.add(
        *Permission.objects.filter(
            codename__in=["access_admin", "view_step", "operate_site", *codenames]
        )
    )
    return user


def rows() -> list[Any]:
    """Everything that an act may write."""
    columns = ("pk", "state", "replaced_by_id", "result", "run_after", "handled_at")
    steps = Step.objects.order_by("pk").values_list(*columns)
    return [*steps, StepEvent.objects.count()]


@pytest.mark.parametrize("permission", PERMISSIONS)
@pytest.mark.parametrize("row", ROWS)
def test_act_is_offered_and_done_only_where_its_rule_allows(
    ours: JobPage, row: str, permission: str
) -> None:
    ours.hr_recipients = "right@example.com"
    ours.save()
    step: Step = StepFactory(
        application__page=ours,
        kind=MAIL_HR,
        recipient="wrong@example.com",
        events=False,
        **ROWS[row],
    )
    reference, user = step.application.reference, user_with(PERMISSIONS[permission])
    client, before = logged_in(user), rows()
    page = client.get(reverse("careers_tasks:detail_results", args=[reference])).content.decode()
    for act in actions.STEP_ACTS:
        permitted, allowed = user.has_perm(act.permission), act.allowed(step)
        url = f"/admin/tasks/{reference}/{step.pk}/{act.name}/"
        assert (f'"{url}"' in page) is (permitted and allowed), act.name
        expected = "home" if not permitted else "200" if allowed else "done"
        assert outcome(client.get(url)) == expected, act.name
        with transaction.atomic():
            answer = outcome(client.post(url, EVERYTHING_ASKED))
            assert answer == ("done" if permitted else "home"), act.name
            assert (rows() != before) is (permitted and allowed), act.name
            transaction.set_rollback(True)


@pytest.mark.parametrize("row", ROWS)
def test_bulk_retry_follows_its_rule(as_otto: Client, ours: JobPage, row: str) -> None:
    group = {"kind": "mail_hr", "code": "smtp-auth"}
    step: Step = StepFactory(
        application__page=ours,
        kind=MAIL_HR,
        events=False,
        error_code=group["code"],
        **ROWS[row],
    )
    before, allowed = rows(), bulk.ACTS["retry"][1](step)
    url = reverse("careers_tasks:retry_alike")
    assert outcome(as_otto.get(url, group)) == ("200" if allowed else "done")
    as_otto.post(url, group)
    assert (rows() != before) is allowed


@pytest.mark.parametrize("permission", PERMISSIONS)
@pytest.mark.parametrize("quarantined", [True, False])
def test_release_is_offered_and_done_by_its_rule(
    ours: JobPage, permission: str, quarantined: bool
) -> None:
    application: Application = ApplicationFactory(page=ours, quarantined=quarantined)
    user = user_with(PERMISSIONS[permission])
    client, act = logged_in(user), actions.release_from_quarantine
    permitted, allowed = user.has_perm(act.permission), act.allowed(application)
    assert allowed is quarantined
    page = client.get(reverse("careers_tasks:detail", args=[application.reference]))
    url = reverse("careers_tasks:release", args=[application.reference])
    assert (f'"{url}"' in page.content.decode()) is (permitted and allowed)
    expected = "home" if not permitted else "200" if allowed else "done"
    assert outcome(client.get(url)) == expected
    assert outcome(client.post(url)) == ("done" if permitted else "home")
    application.refresh_from_db()
    assert application.quarantined is (quarantined and not permitted)


def test_every_act_has_all_its_words() -> None:
    names = {"step": "S", "reference": "R", "state": "T", "address": "A", "time": "N"}
    for act in actions.ACTS.values():
        for name, words in vars(act.words).items():
            # Some acts have no default reason: it names an address, or the person must say why.
            without = name == "reason" and act in (actions.send_to, actions.mark_handled)
            assert str(words) % names or without, name
