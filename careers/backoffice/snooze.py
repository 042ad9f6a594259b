"""Ask until when a step is snoozed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy
from wagtail.admin import messages

from careers.backoffice import presentation
from careers.backoffice.pause_page import HOURS
from careers.backoffice.task_acts import StepActPage
from careers.pipeline.set_aside import snooze
from careers.pipeline.transitions import db_now


class SnoozeForm(forms.Form):
    """For how long."""

    hours = forms.TypedChoiceField(
        label=gettext_lazy("For how long"), choices=list(HOURS.items()), coerce=int, initial=4
    )


class Snooze(StepActPage):
    """Let a step wait until a later moment."""

    template_name = "careers/backoffice/snooze.html"
    act = snooze

    @cached_property
    def form(self) -> SnoozeForm:
        return SnoozeForm(self.request.POST if self.request.method == "POST" else None)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.form.is_valid():
            return self.render_to_response(self.get_context_data(), status=422)
        until = db_now() + dt.timedelta(hours=self.form.cleaned_data["hours"])
        if not self.act(self.subject, request.user, self.reason(), until=until):
            return self.refuse()
        names = {**self.names(), "time": presentation.clock(until)}
        messages.success(request, self.act.words.done % names)
        return HttpResponseRedirect(self.back())

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "form": self.form}
