"""A mail to HR failed because the address is wrong: send it to the right one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from wagtail.admin import messages
from wagtail.models import Page

from careers.applications.models import Application
from careers.backoffice import presentation
from careers.backoffice.permissions import SEE_TASKS, Requires, visible_applications
from careers.backoffice.task_acts import REASON_LENGTH, reason_of, refusal
from careers.backoffice.task_detail import find_task, task_breadcrumbs, task_url
from careers.languages.sharing import original_of
from careers.pipeline import actions
from careers.pipeline.models import Step, StepKind
from home.models import SiteSettings, split_addresses


class AddressForm(forms.Form):
    """Where the mail should go."""

    address = forms.EmailField(
        label=gettext_lazy("Right address"),
        max_length=254,
        error_messages={
            "required": gettext_lazy("Enter the address to which the mail should go."),
            "invalid": gettext_lazy("Enter an address such as hiring@example.com."),
        },
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


@dataclass(frozen=True)
class Source:
    """A page, or the company settings, that names an address; ``url`` where one may edit it."""

    name: str
    url: str


def sources(application: Application, address: str, user: Any) -> list[Source]:
    """Everything that names ``address`` for the job of an application.

    What a translated page names is corrected at its original: nobody can edit it elsewhere.
    """
    page = application.page
    parent = page.get_parent().specific
    company = SiteSettings.for_site(page.get_site()) if page.get_site() else None
    found = []
    for holder in (page, parent, company):
        named = split_addresses(getattr(holder, "hr_recipients", ""))
        if address not in [known.lower() for known in named]:
            continue
        if isinstance(holder, Page):
            original = original_of(holder)
            may = original.permissions_for_user(user).can_edit()
            url = reverse("wagtailadmin_pages:edit", args=[original.pk]) if may else ""
            words = _("job “%(title)s”") if holder == page else _("list of jobs “%(title)s”")
            found.append(Source(words % {"title": original.get_admin_display_title()}, url))
        elif company is not None:
            may = user.has_perm("home.change_sitesettings")
            where = ["home", "sitesettings", company.site_id]
            url = reverse("wagtailsettings:edit", args=where) if may else ""
            found.append(Source(_("company settings"), url))
    return found


class ChangeAddress(Requires, View):
    """Ask for the right address, and send."""

    right = SEE_TASKS

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not request.user.has_perm(actions.RETRY):
            raise PermissionDenied
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, reference: str, step_id: int) -> HttpResponse:
        application, step = self._find(reference, step_id)
        if not actions.may_be_readdressed(step):
            return self._too_late(application, step)
        return self._ask(application, step, AddressForm())

    def post(self, request: HttpRequest, reference: str, step_id: int) -> HttpResponse:
        application, step = self._find(reference, step_id)
        form = AddressForm(request.POST)
        if not form.is_valid():
            return self._ask(application, step, form)
        address = form.cleaned_data["address"]
        if not self._may_send(application, address):
            form.add_error(
                "address",
                _(
                    "This mail names the applicant. You may send it to an address that the job "
                    "names, but to no other, because you may not read this application. Have the "
                    "address corrected at the job first, then enter it here."
                ),
            )
            return self._ask(application, step, form)
        try:
            instead = actions.send_to(step, address, request.user, reason_of(request))
        except actions.AlreadyTold:
            form.add_error("address", self._already(application, step, address.lower()))
            return self._ask(application, step, form)
        if instead is None:
            return self._too_late(application, step)
        named_by = sources(application, step.recipient, request.user)
        messages.success(
            request,
            _("The mail is sent to %(address)s.") % {"address": instead.recipient},
            buttons=[
                messages.button(source.url, _("Correct the %(place)s") % {"place": source.name})
                for source in named_by
                if source.url
            ],
        )
        return redirect(task_url(application))

    def _find(self, reference: str, step_id: int) -> tuple[Application, Step]:
        application = find_task(reference)
        if not isinstance(application, Application):
            raise Http404
        step = get_object_or_404(Step, application=application, pk=step_id, kind=StepKind.MAIL_HR)
        return application, step

    def _may_send(self, application: Application, address: str) -> bool:
        named = [known.lower() for known in application.page.recipients()]
        return (
            address.lower() in named
            or visible_applications(self.request.user).filter(pk=application.pk).exists()
        )

    def _too_late(self, application: Application, step: Step) -> HttpResponse:
        messages.warning(
            self.request,
            refusal(step, _("“%(step)s” is now “%(state)s”: its address can’t be changed.")),
        )
        return redirect(task_url(application))

    def _already(self, application: Application, step: Step, address: str) -> str:
        if address == step.recipient:
            return _("This is the address that it went to. Retry it, or enter another one.")
        other = (
            Step.objects.filter(application=application, kind=StepKind.MAIL_HR, recipient=address)
            .order_by("-sequence")
            .first()
        )
        state = presentation.state_in_words(other) if other else ""
        return _(
            "%(address)s has a mail about this application already; it is “%(state)s”. "
            "Nobody gets it twice."
        ) % {"address": address, "state": state}

    def _ask(self, application: Application, step: Step, form: AddressForm) -> HttpResponse:
        question = _("Send to another address")
        return render(
            self.request,
            "careers/backoffice/change_address.html",
            {
                "header_title": question,
                "header_icon": "mail",
                "breadcrumbs_items": [
                    {"url": reverse("wagtailadmin_home"), "label": _("Home")},
                    *task_breadcrumbs(application),
                    {"url": "", "label": question},
                ],
                "form": form,
                "field": form["address"],
                "step": step,
                "state": presentation.state_in_words(step),
                "sources": sources(application, step.recipient, self.request.user),
                "now_told": application.page.recipients(),
                "back": task_url(application),
                "reason_length": REASON_LENGTH,
            },
            status=422 if form.errors else 200,
        )
