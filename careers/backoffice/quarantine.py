"""Release every application that is quarantined for the same cause, in one act."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from wagtail.admin import messages

from careers.applications.models import Application
from careers.backoffice import presentation
from careers.backoffice.application_detail import find_application
from careers.backoffice.permissions import READ, SEE_TASKS, applications_for, may
from careers.backoffice.tasks import find_application_task, task_trail, task_url
from careers.backoffice.views import ConfirmPage, Crumb
from careers.intake.velocity import same_cause
from careers.pipeline import actions

#: The most applications that one click releases; a second click releases the rest.
AT_ONCE = 500


class ReleaseAlike(ConfirmPage):
    """Release the quarantined applications that are like one of them, for readers of both."""

    right = READ

    def rights(self) -> tuple[str, ...]:
        return (self.right, actions.release_from_quarantine.permission)

    def first(self) -> Application:
        """The application that the address names."""
        return find_application(self.request.user, self.kwargs["reference"])

    def among(self) -> QuerySet[Application]:
        """The applications that this user may release."""
        return applications_for(
            self.request.user, self.right, actions.release_from_quarantine.permission
        )

    def find(self) -> list[Application]:
        self.one = self.first()
        if not may(self.request.user, actions.release_from_quarantine.permission, self.one):
            raise PermissionDenied
        found = self.among().filter(same_cause(self.one)).order_by("pk")
        # A flood may go on: only what the person was asked about is released.
        last = self.request.POST.get("last", "")
        if self.request.method == "POST":
            found = found.filter(pk__lte=int(last) if last.isdecimal() and len(last) < 19 else 0)
        return list(found.only("reference", "quarantined", "received_at")[:AT_ONCE])

    def is_allowed(self) -> bool:
        return bool(self.subject)

    def perform(self, reason: str) -> bool:
        user = self.request.user
        self.released = sum(
            bool(actions.release_from_quarantine(application, user, reason))
            for application in self.subject
        )
        return bool(self.released)

    def question(self) -> str:
        count = len(self.subject)
        words = ngettext(
            "Release %(count)d application? It is not spam.",
            "Release all %(count)d applications? They are not spam.",
            count,
        )
        return words % {"count": count}

    def consequence(self) -> str:
        cause = presentation.spam_reason(self.one.quarantine_reason)
        same = _("They are quarantined for the same cause. Their mails are sent now.")
        return f"{cause} {same}".strip()

    def button(self) -> str:
        count = len(self.subject)
        words = ngettext(
            "Yes, release %(count)d application", "Yes, release %(count)d applications", count
        )
        return words % {"count": count}

    def hidden(self) -> dict[str, str]:
        return {"last": str(self.subject[-1].pk)}

    def done(self) -> str:
        words = ngettext(
            "%(count)d application is released.",
            "%(count)d applications are released.",
            self.released,
        )
        return words % {"count": self.released}

    def refuse(self) -> HttpResponse:
        messages.info(self.request, _("No such application is quarantined any more."))
        return HttpResponseRedirect(self.back())

    def trail(self) -> list[Crumb]:
        return [
            {"url": reverse("careers_applications:index"), "label": _("Applications")},
            {"url": self.back(), "label": self.one.reference},
        ]

    def back(self) -> str:
        return reverse("careers_applications:detail", args=[self.one.reference])


class ReleaseAlikeTasks(ReleaseAlike):
    """The same for users who see tasks, and no names."""

    right = SEE_TASKS

    def first(self) -> Application:
        return find_application_task(self.request.user, self.kwargs["reference"])

    def trail(self) -> list[Crumb]:
        return task_trail(self.one)

    def back(self) -> str:
        return task_url(self.one)
