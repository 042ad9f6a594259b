"""The pages of the acts on one step or one application: ask, do it on POST, say what happened.

``careers.pipeline.actions`` decides when an act is allowed, and holds its texts.
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from careers.applications.models import Application
from careers.backoffice import presentation
from careers.backoffice.permissions import SEE_TASKS, Held, scope_of
from careers.backoffice.tasks import (
    Task,
    find_application_task,
    find_task,
    restored_warning,
    step_title,
    task_trail,
    task_url,
)
from careers.backoffice.views import ConfirmPage, Crumb
from careers.pipeline import actions, registry, repetitions
from careers.pipeline.acts import Act
from careers.pipeline.attention import MAY_HAVE_BEEN_SENT
from careers.pipeline.kinds import MAIL_HR
from careers.pipeline.models import Step
from careers.pipeline.states import State


class ActPage(ConfirmPage):
    """One act on one subject, in the words of the act."""

    right = SEE_TASKS
    act: Act

    def names(self) -> dict[str, Any]:
        """What the words of the act name."""
        raise NotImplementedError

    def task(self) -> Task:
        """What the subject belongs to."""
        raise NotImplementedError

    def rights(self) -> tuple[str, ...]:
        return (self.right, self.act.permission)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Refuse a user who holds the permission of the act for other jobs only."""
        if all(scope_of(request.user, right) for right in self.rights()):
            task = self.task()
            key = task.job_key if isinstance(task, Application) else None
            if self.act.permission not in Held(request.user, key):
                raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def trail(self) -> list[Crumb]:
        return task_trail(self.task())

    def back(self) -> str:
        return task_url(self.task())

    def is_serious(self) -> bool:
        return self.act.serious

    @property
    def reason_required(self) -> bool:  # type: ignore[override]
        return self.act.needs_reason

    def is_allowed(self) -> bool:
        return self.act.allowed(self.subject)

    def perform(self, reason: str) -> bool:
        return bool(self.act(self.subject, self.request.user, reason))

    def question(self) -> str:
        return str(self.act.words.question % self.names())

    def consequence(self) -> str:
        warning = restored_warning(self.task()) if self.act.sends else ""
        return f"{self.act.words.consequence}{warning}"

    def button(self) -> str:
        return str(self.act.words.button)

    def done(self) -> str:
        return str(self.act.words.done % self.names())

    def refused(self) -> str:
        return str(self.act.words.refused % self.names())


class StepActPage(ActPage):
    """An act on a step, which is found through its task only."""

    @cached_property
    def _task(self) -> Task:
        return find_task(self.request.user, self.kwargs["reference"])

    def task(self) -> Task:
        return self._task

    def find(self) -> Step:
        return get_object_or_404(self.task().steps, pk=self.kwargs["step_id"])

    def names(self) -> dict[str, Any]:
        return {"step": step_title(self.subject)}

    def refused(self) -> str:
        step: Step = self.subject
        step.refresh_from_db()
        words = self.act.words.refused
        if MAY_HAVE_BEEN_SENT(step) and self.act in (actions.cancel, actions.send_to):
            words = _(
                "“%(step)s” was sent to the mail server and may have arrived: it can’t be "
                "cancelled or sent to another address now. Wait until the result is known."
            )
        return str(words % {**self.names(), "state": presentation.state_in_words(step)})


class StepAct(StepActPage):
    """The act that the address names."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().setup(request, *args, **kwargs)
        act = actions.ACTS.get(kwargs["act"])
        if act not in actions.STEP_ACTS:
            raise Http404
        self.act = act


class Release(ActPage):
    """Release an application from quarantine; its mails are sent only after that."""

    act = actions.release_from_quarantine

    def find(self) -> Application:
        return find_application_task(self.request.user, self.kwargs["reference"])

    def task(self) -> Task:
        application: Application = self.subject
        return application

    def names(self) -> dict[str, Any]:
        return {"reference": self.subject.reference}

    def consequence(self) -> str:
        gated = {kind for kind in registry.kinds() if registry.is_gated(kind)}
        if repetitions.hr_knows(self.subject.first_id, besides=self.subject.pk):
            gated.discard(MAIL_HR)
        mails = Step.objects.filter(
            application=self.subject, kind__in=gated, state=State.WAITING
        ).count()
        held = ngettext("%(count)d mail is sent.", "%(count)d mails are sent.", mails)
        return f"{self.act.words.consequence} {held % {'count': mails}}" + restored_warning(
            self.task()
        )
