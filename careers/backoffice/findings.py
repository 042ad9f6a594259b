"""Advice in Task status: what is shown of it, and the button that dismisses it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.generic import View

from careers.backoffice.permissions import Requires
from careers.operations import findings
from careers.pipeline.acts import RETRY


class DismissAdvice(Requires, View):
    """Hide a piece of advice from all users until its facts change."""

    right = RETRY
    operators_only = True

    def post(self, request: HttpRequest) -> HttpResponse:
        if findings.dismiss(request.POST.get("digest", ""), request.user):
            messages.success(
                request, _("The advice was dismissed. It appears again if its facts change.")
            )
        else:
            messages.info(request, _("This advice no longer applies."))
        return redirect("careers_tasks:index")
