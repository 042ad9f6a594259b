"""``/admin/tasks/pauses/``: what is paused, what was, and the form that pauses."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from wagtail.admin import messages

from careers.backoffice import pauses as banner
from careers.backoffice.permissions import SEE_TASKS, Requires, is_operator
from careers.backoffice.views import REASON_LENGTH, Crumb, DetailPage
from careers.pipeline import pauses
from careers.pipeline.models import Pause
from careers.pipeline.transitions import db_now
from home.values.text import clean

#: Ended pauses that the page lists.
SHOWN = 20
HOURS = {
    1: gettext_lazy("1 hour"),
    4: gettext_lazy("4 hours"),
    24: gettext_lazy("1 day"),
    72: gettext_lazy("3 days"),
    168: gettext_lazy("7 days"),
}


class PauseForm(forms.Form):
    """What to pause, for how long, and why."""

    scope = forms.ChoiceField(
        label=gettext_lazy("What waits"), choices=lambda: list(pauses.scopes().items())
    )
    hours = forms.TypedChoiceField(
        label=gettext_lazy("It ends by itself after"),
        choices=list(HOURS.items()),
        coerce=int,
        initial=4,
    )
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=REASON_LENGTH,
        help_text=gettext_lazy("HR and operators read it. Do not name an applicant."),
        error_messages={"required": gettext_lazy("Give a reason.")},
    )

    def clean_reason(self) -> str:
        reason = clean(self.cleaned_data["reason"])
        if not reason:
            raise forms.ValidationError(_("Give a reason."))
        return reason


class PausePage(DetailPage):
    """The pauses, and for people who may pause a form."""

    right = SEE_TASKS
    operators_only = True
    template_name = "careers/backoffice/pause_page.html"
    page_title = gettext_lazy("Pause steps")
    header_icon = "time"

    @cached_property
    def form(self) -> PauseForm:
        return PauseForm(self.request.POST if self.request.method == "POST" else None)

    @cached_property
    def may_pause(self) -> bool:
        return is_operator(self.request.user, pauses.PAUSE)

    def trail(self) -> list[Crumb]:
        return [{"url": reverse("careers_tasks:index"), "label": _("Task status")}]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.may_pause:
            # The permission for one job pauses nothing: a pause holds for all of them.
            raise PermissionDenied
        if not self.form.is_valid():
            return self.render_to_response(self.get_context_data(), status=422)
        chosen, words = self.form.cleaned_data, pauses.pause.words
        names = {"scope": pauses.name_of(chosen["scope"])}
        wanted = Pause(scope=chosen["scope"], until=db_now() + dt.timedelta(hours=chosen["hours"]))
        if pauses.pause(wanted, request.user, chosen["reason"]):
            messages.success(request, words.done % names)
        else:
            messages.info(request, words.refused % names)
        return HttpResponseRedirect(reverse("careers_tasks:pauses"))

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context = super().get_context_data(**kwargs)
        active = {pause.pk for pause in self.paused.active}
        ended = Pause.objects.exclude(pk__in=active)[:SHOWN]
        return {
            **context,
            "form": self.form,
            "may_pause": self.may_pause,
            "consequence": pauses.pause.words.consequence,
            "ended": banner.lines(self.request.user, list(ended)),
        }


class Resume(Requires, View):
    """End a pause now."""

    right = pauses.PAUSE
    operators_only = True

    def post(self, request: HttpRequest, pause_id: int) -> HttpResponse:
        pause = get_object_or_404(Pause, pk=pause_id)
        words, names = pauses.resume.words, {"scope": pauses.name_of(pause.scope)}
        if pauses.resume(pause, request.user):
            messages.success(request, words.done % names)
        else:
            messages.info(request, words.refused % names)
        return HttpResponseRedirect(reverse("careers_tasks:pauses"))
