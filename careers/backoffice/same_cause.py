"""Steps with the same cause: shown as one group, and acted on together."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin import messages

from careers.backoffice import presentation
from careers.backoffice.permissions import (
    SEE_TASKS,
    applications_for,
    is_operator,
    jobs_for,
)
from careers.backoffice.views import ConfirmPage, Crumb
from careers.operations.health import Health
from careers.operations.models import Finding
from careers.pipeline import actions, bulk, registry
from careers.pipeline.acts import Act
from careers.pipeline.attention import Cause, by_cause
from careers.pipeline.bulk import Chosen
from careers.pipeline.models import BulkAct, Step

#: Groups that the page shows.
SHOWN = 5
#: Steps that are done before the page answers; a task does the others.
AT_ONCE = 25


class Group:
    """Steps with the same cause, for the template.

    Args:
        fault: what is reported now about the service that the cause is about.
    """

    def __init__(self, cause: Cause, fault: Finding | None = None) -> None:
        # One fault has one cause, even if the steps got another answer than the probe.
        self.cause = fault.message if fault else cause.words
        self.number = cause.count
        self.step = registry.label_of(cause.kind)
        self.since = presentation.clock(cause.since) if cause.since else ""
        self.url = url_of(actions.retry, kind=cause.kind, code=cause.code)


def url_of(act: Act, **chosen: str) -> str:
    """The page that asks before an act on many steps."""
    if act is actions.retry:
        return f"{reverse('careers_tasks:retry_alike')}?{urlencode(chosen)}"
    return f"{reverse('careers_tasks:alike', args=[act.name])}?{urlencode(chosen)}"


def actionable(user: Any, act: Act) -> QuerySet[Step]:
    """The steps to which this user may do an act on many, and that they may see."""
    both = (SEE_TASKS, act.permission)
    steps = Step.objects.filter(bulk.ACTS[act.name][1].query)
    if all(is_operator(user, permission) for permission in both):
        return steps
    return steps.filter(application__in=applications_for(user, *both))


def groups(user: Any, found: Health | None = None) -> list[Group]:
    """The largest groups of two and more steps that this user may retry together.

    Args:
        found: the health of the site, for a reader who may see it.
    """
    largest = [cause for cause in by_cause(actionable(user, actions.retry)) if cause.count > 1][
        :SHOWN
    ]
    return [Group(cause, found.fault_of(cause.code) if found else None) for cause in largest]


def unconfirmed(user: Any) -> int:
    """How many mails this user may confirm; from an index of open steps."""
    return actionable(user, actions.confirm_arrival).count()


class ActOnAlike(ConfirmPage):
    """Do one act to every step with the same cause."""

    right = SEE_TASKS
    bulk_act: BulkAct

    @cached_property
    def act(self) -> Act:
        name = self.kwargs.get("act", actions.retry.name)
        if name not in bulk.ACTS:
            raise Http404
        return bulk.ACTS[name][0]

    def rights(self) -> tuple[str, ...]:
        return (self.right, self.act.permission)

    @cached_property
    def chosen(self) -> Chosen:
        sent = self.request.POST if self.request.method == "POST" else self.request.GET
        names = ("kind", "code", "since", "until")
        user, jobs = self.request.user, None
        if not all(is_operator(user, right) for right in self.rights()):
            both = [
                set(jobs_for(user, right).values_list("translation_key", flat=True))
                for right in self.rights()
            ]
            jobs = set.intersection(*both)
        try:
            return Chosen.of(**{name: sent.get(name, "") for name in names}, jobs=jobs)
        except ValueError:
            raise Http404 from None

    def find(self) -> int:
        """The number of steps."""
        return self.chosen.steps(self.act).count()

    def trail(self) -> list[Crumb]:
        return [{"url": self.back(), "label": _("Task status")}]

    def back(self) -> str:
        return reverse("careers_tasks:index")

    def is_allowed(self) -> bool:
        return bool(self.subject)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        row = bulk.begin(self.act, self.chosen, request.user, self.reason())
        if row is None:
            return self.refuse()
        is_new = row.touched_at is None and row.cursor == 0
        if is_new and bulk.advance(row, steps=AT_ONCE):
            row.refresh_from_db()
            messages.success(request, done_words(row))
            return HttpResponseRedirect(self.back())
        bulk.go_on_in_background()
        return HttpResponseRedirect(reverse("careers_tasks:bulk", args=[row.pk]))

    def question(self) -> str:
        words = {
            "retry": ngettext("Retry %(count)d step?", "Retry all %(count)d steps?", self.subject),
            "confirm": ngettext(
                "Did %(count)d mail arrive?", "Did all %(count)d mails arrive?", self.subject
            ),
            "send-again": ngettext(
                "Send %(count)d mail again?", "Send all %(count)d mails again?", self.subject
            ),
        }
        return words[self.act.name] % {"count": self.subject}

    def consequence(self) -> str:
        first = self.chosen.steps(self.act).order_by("pk").first()
        what = f"{registry.label_of(self.chosen.kind)}: {first.error_public if first else ''}"
        means = {
            "retry": "",
            "confirm": _("What is unconfirmed is marked as done, and no mail is sent."),
            "send-again": _(
                "Each recipient gets one more mail. Whoever got the first one then has it twice."
            ),
        }
        return f"{what} {means[self.act.name]}".strip()

    def button(self) -> str:
        words = {
            "retry": ngettext("Retry %(count)d step", "Retry %(count)d steps", self.subject),
            "confirm": ngettext(
                "Yes, %(count)d mail arrived", "Yes, %(count)d mails arrived", self.subject
            ),
            "send-again": ngettext(
                "Yes, send %(count)d mail", "Yes, send %(count)d mails", self.subject
            ),
        }
        return words[self.act.name] % {"count": self.subject}

    def hidden(self) -> dict[str, str]:
        names = ("kind", "code", "since", "until")
        return {name: getattr(self.chosen, name) for name in names}

    def refuse(self) -> HttpResponse:
        messages.info(
            self.request,
            _("No step is left to retry.")
            if self.act is actions.retry
            else _("No unconfirmed mail of this group is left."),
        )
        return HttpResponseRedirect(self.back())


def done_words(row: BulkAct) -> str:
    """What came of it, in one sentence."""
    words = {
        "retry": ngettext(
            "%(count)d step is retried now.", "%(count)d steps are retried now.", row.done
        ),
        "confirm": ngettext(
            "%(count)d mail is marked as arrived.",
            "%(count)d mails are marked as arrived.",
            row.done,
        ),
        "send-again": ngettext(
            "%(count)d mail is sent again.", "%(count)d mails are sent again.", row.done
        ),
    }
    return words[row.act] % {"count": row.done}
