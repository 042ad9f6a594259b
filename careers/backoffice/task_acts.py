"""What a person does to steps: every act is a POST, repeats are harmless and say so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views import View
from wagtail.admin import messages

from careers.applications.models import Application
from careers.backoffice import presentation
from careers.backoffice.permissions import SEE_TASKS, Requires
from careers.backoffice.task_detail import find_task, task_breadcrumbs, task_url, title
from careers.operations import schedule
from careers.pipeline import actions, restored_database
from careers.pipeline.models import Alert, Step, StepKind, title_of
from careers.pipeline.states import State

#: A reason is a note in the history, not a letter.
REASON_LENGTH = 300
#: Steps that one click retries at most; a second click does the rest.
AT_ONCE = 500


@dataclass(frozen=True)
class ActWords:
    """An act on one step, and what is said before and after it."""

    do: Callable[[Step, Any, str], Any]
    right: str
    question: Any
    consequence: Any
    button: Any
    done: Any
    serious: bool = False


ACTS = {
    "retry": ActWords(
        actions.retry,
        actions.RETRY,
        gettext_lazy("Retry “%(step)s”?"),
        gettext_lazy("The step runs again at once. What it has already done is not done twice."),
        gettext_lazy("Retry"),
        gettext_lazy("“%(step)s” is tried again now."),
    ),
    "confirm": ActWords(
        actions.confirm_arrival,
        actions.RETRY,
        gettext_lazy("Did “%(step)s” arrive?"),
        gettext_lazy(
            "Confirm only after you have asked the recipient or looked into the mail server’s "
            "log. The step is then marked as done, and no mail is sent."
        ),
        gettext_lazy("Yes, it arrived"),
        gettext_lazy("“%(step)s” is marked as done."),
    ),
    "send-again": ActWords(
        actions.send_again,
        actions.RETRY,
        gettext_lazy("Send “%(step)s” again?"),
        gettext_lazy(
            "One mail is sent now. If the first one did arrive after all, the recipient "
            "gets it twice."
        ),
        gettext_lazy("Yes, send one mail"),
        gettext_lazy("“%(step)s” is sent again."),
    ),
    "cancel": ActWords(
        actions.cancel,
        actions.CANCEL,
        gettext_lazy("Cancel “%(step)s” for good?"),
        gettext_lazy(
            "The step is never done, and nobody can bring it back. The application stays as it is."
        ),
        gettext_lazy("Yes, cancel this step"),
        gettext_lazy("“%(step)s” is cancelled."),
        serious=True,
    ),
}


class Act(Requires, View):
    """Ask, and do it. The step is found through what it is about, and only there."""

    right = SEE_TASKS

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        words = ACTS.get(kwargs["act"])
        if words is None:
            raise Http404
        if not request.user.has_perm(words.right):
            raise PermissionDenied
        self.words = words
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, reference: str, step_id: int, act: str) -> HttpResponse:
        task, step = self._find(reference, step_id)
        names = {"step": title(step)}
        consequence = str(self.words.consequence)
        if self.words.do is actions.send_again:
            consequence += sent_in_the_gap(task)
        return confirmation(
            request,
            question=self.words.question % names,
            consequence=consequence,
            button=self.words.button,
            serious=self.words.serious,
            breadcrumbs=task_breadcrumbs(task),
            back=task_url(task),
        )

    def post(self, request: HttpRequest, reference: str, step_id: int, act: str) -> HttpResponse:
        task, step = self._find(reference, step_id)
        names = {"step": title(step)}
        if self.words.do(step, request.user, reason_of(request)):
            messages.success(request, self.words.done % names)
        else:
            words = _("Somebody already did: “%(step)s” is now “%(state)s”.")
            messages.warning(request, refusal(step, words, stopping=self.words.serious))
        return redirect(task_url(task))

    def _find(self, reference: str, step_id: int) -> tuple[Application | Alert, Step]:
        task = find_task(reference)
        return task, get_object_or_404(task.steps, pk=step_id)


class Release(Requires, View):
    """Let an application out of quarantine; only then its mails go out."""

    right = SEE_TASKS

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(actions.RETRY):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def find(self, reference: str) -> Application:
        task = find_task(reference)
        if isinstance(task, Alert):
            raise Http404
        return task

    def breadcrumbs(self, application: Application) -> list[dict[str, Any]]:
        return task_breadcrumbs(application)

    def back(self, application: Application) -> str:
        return task_url(application)

    def get(self, request: HttpRequest, reference: str) -> HttpResponse:
        application = self.find(reference)
        mails = Step.objects.filter(
            application=application,
            kind__in=[StepKind.MAIL_APPLICANT, StepKind.MAIL_HR],
            state=State.WAITING,
        ).count()
        consequence = ngettext(
            "The application is treated like any other, and %(count)d mail that was held "
            "back is sent.",
            "The application is treated like any other, and %(count)d mails that were held "
            "back are sent.",
            mails,
        ) % {"count": mails}
        consequence += sent_in_the_gap(application)
        return confirmation(
            request,
            question=_("Is %(reference)s no spam?") % {"reference": application.reference},
            consequence=consequence,
            button=_("Yes, release it"),
            breadcrumbs=self.breadcrumbs(application),
            back=self.back(application),
        )

    def post(self, request: HttpRequest, reference: str) -> HttpResponse:
        application = self.find(reference)
        if actions.release_from_quarantine(application, request.user, reason_of(request)):
            messages.success(
                request, _("%(reference)s is released.") % {"reference": application.reference}
            )
        else:
            messages.warning(request, _("Somebody already did: it is not held back any more."))
        return redirect(self.back(application))


class RetryAlike(Requires, View):
    """Retry every step that fails for the same reason, once the reason is gone."""

    right = SEE_TASKS

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(actions.RETRY):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest) -> HttpResponse:
        steps = self._steps()
        if not steps:
            return self._none_left()
        count = len(steps)
        return confirmation(
            request,
            question=ngettext("Retry %(count)d step?", "Retry all %(count)d steps?", count)
            % {"count": count},
            consequence=f"{StepKind(steps[0].kind).label}: {steps[0].error_public}",
            button=ngettext("Retry %(count)d step", "Retry %(count)d steps", count)
            % {"count": count},
            breadcrumbs=[{"url": reverse("careers_tasks:index"), "label": _("Task status")}],
            back=reverse("careers_tasks:index"),
            hidden={"kind": steps[0].kind, "code": steps[0].error_code},
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        reason = reason_of(request)
        done = sum(actions.retry(step, request.user, reason) for step in self._steps())
        if not done:
            return self._none_left()
        messages.success(
            request,
            ngettext(
                "%(count)d step is tried again now.", "%(count)d steps are tried again now.", done
            )
            % {"count": done},
        )
        return redirect("careers_tasks:index")

    def _steps(self) -> list[Step]:
        sent = self.request.POST if self.request.method == "POST" else self.request.GET
        return list(
            Step.objects.needing_a_person()
            .exclude(state=State.UNCERTAIN)
            .filter(kind=sent.get("kind", ""), error_code=sent.get("code", ""))
            .select_related(None)
            .order_by("pk")[:AT_ONCE]
        )

    def _none_left(self) -> HttpResponse:
        messages.info(
            self.request,
            _("Nothing is left to retry: somebody already did, or it went well by itself."),
        )
        return redirect("careers_tasks:index")


class RunNow(Requires, View):
    """Let something that runs by the clock run at once; harmless as often as one likes."""

    right = actions.RETRY

    def post(self, request: HttpRequest) -> HttpResponse:
        task = request.POST.get("task", "")
        if schedule.run_now(task, request.user):
            messages.success(
                request,
                _("“%(task)s” was rung for. See below when it has run.") % {"task": title_of(task)},
            )
        else:
            messages.error(
                request,
                _("“%(task)s” could not be rung for: the message broker does not answer.")
                % {"task": title_of(task)},
            )
        return redirect(reverse("careers_tasks:index") + "#bo-schedules")


def confirmation(
    request: HttpRequest,
    *,
    question: str,
    consequence: str,
    button: str,
    breadcrumbs: list[dict[str, Any]],
    back: str,
    serious: bool = False,
    hidden: dict[str, str] | None = None,
) -> HttpResponse:
    """A page that names what will happen, with one button that does it."""
    return render(
        request,
        "careers/backoffice/confirm.html",
        {
            "header_title": question,
            "header_icon": "tasks",
            "breadcrumbs_items": [
                {"url": reverse("wagtailadmin_home"), "label": _("Home")},
                *breadcrumbs,
                {"url": "", "label": question},
            ],
            "question": question,
            "consequence": consequence,
            "button": button,
            "serious": serious,
            "back": back,
            "hidden": hidden or {},
            "reason_length": REASON_LENGTH,
        },
    )


def refusal(step: Step, words: str, *, stopping: bool = True) -> str:
    """Why an act was not done.

    Args:
        words: what to say of a step that has moved on, with room for its name and state.
        stopping: it would have stopped the step, so it may have come too late.
    """
    step.refresh_from_db()
    if stopping and actions.may_have_been_sent(step):
        words = _(
            "“%(step)s” has been handed over and may have arrived: for now it can’t be cancelled "
            "or sent elsewhere. Wait until it is known whether it arrived."
        )
    return words % {"step": title(step), "state": presentation.state_in_words(step)}


def sent_in_the_gap(task: Application | Alert) -> str:
    """A warning to add where a mail is about to go out that a restored copy may have forgotten."""
    begun = task.created_at if isinstance(task, Alert) else task.received_at
    restored_at = restored_database.restored_since(begun)
    if restored_at is None:
        return ""
    return " " + _(
        "The database was restored from a copy on %(time)s. What was sent after the copy was made "
        "is not known here: look into the mail server’s log first."
    ) % {"time": formats.date_format(timezone.localtime(restored_at), "DATETIME_FORMAT")}


def reason_of(request: HttpRequest) -> str:
    """The reason that was typed, on one line."""
    return " ".join(request.POST.get("reason", "").split())[:REASON_LENGTH]
