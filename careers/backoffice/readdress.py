"""Send a mail to HR to the correct address, after it failed because of a wrong one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.models import Page

from careers.applications.models import Application
from careers.backoffice import presentation
from careers.backoffice.task_acts import StepActPage
from careers.backoffice.tasks import Task, find_application_task
from careers.jobs.recipients import refused_for
from careers.languages.sharing import original_of
from careers.pipeline import actions
from careers.pipeline.kinds import MAIL_HR
from careers.pipeline.models import Step
from home.address_field import AddressField
from home.models import SiteSettings, split_addresses
from home.recipients import unreachable
from home.values import mail_address


class AddressForm(forms.Form):
    """The address that the mail should go to."""

    address = AddressField(
        label=gettext_lazy("Right address"),
        max_length=254,
        error_messages={
            "required": gettext_lazy("Enter the address to which the mail should go."),
        },
    )

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"]
        if why := unreachable(address):
            raise forms.ValidationError(why)
        return address


@dataclass(frozen=True)
class Source:
    """A page, or the company settings, that names an address.

    Attributes:
        url: where the user may edit it; "" for a user who may not.
    """

    name: str
    url: str


def sources(application: Application, address: str, user: Any) -> list[Source]:
    """The pages and settings that name ``address`` for the job of an application.

    For a translated page this is its original, because the address can be edited only there.
    """
    page = application.page
    parent = page.get_parent().specific
    company = SiteSettings.for_site(page.get_site()) if page.get_site() else None
    found = []
    for holder in (page, parent, company):
        named = split_addresses(getattr(holder, "hr_recipients", ""))
        if mail_address.key(address) not in map(mail_address.key, named):
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


class ChangeAddress(StepActPage):
    """Ask for the right address, and send the mail there."""

    template_name = "careers/backoffice/change_address.html"
    header_icon = "mail"
    act = actions.send_to

    @cached_property
    def application(self) -> Application:
        return find_application_task(self.request.user, self.kwargs["reference"])

    @cached_property
    def form(self) -> AddressForm:
        return AddressForm(self.request.POST if self.request.method == "POST" else None)

    def task(self) -> Task:
        return self.application

    def find(self) -> Step:
        step_id = self.kwargs["step_id"]
        return get_object_or_404(Step, application=self.application, pk=step_id, kind=MAIL_HR)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        step, form = self.subject, self.form
        if form.is_valid() and not self._may_send(form.cleaned_data["address"]):
            form.add_error(
                "address",
                _(
                    "This mail names the applicant. You may send it to the recipients of the job, "
                    "to colleagues who may read its applications, and to addresses at the "
                    "company’s domains. For any other address, ask a person who may change "
                    "recipients to enter it at the job first."
                ),
            )
        if not form.is_valid():
            return self._ask_again()
        address = form.cleaned_data["address"]
        try:
            sent = self.act(step, request.user, self.reason(), address=address)
        except actions.AlreadyMailed:
            form.add_error("address", self._already(mail_address.key(address)))
            return self._ask_again()
        if sent is None:
            return self.refuse()
        messages.success(
            request,
            self.act.words.done % {"address": sent.recipient},
            buttons=[
                messages.button(source.url, _("Correct the %(source)s") % {"source": source.name})
                for source in self._sources()
                if source.url
            ],
        )
        return HttpResponseRedirect(self.back())

    def get_page_title(self) -> str:
        return str(self.act.words.label)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **super().get_context_data(**kwargs),
            "form": self.form,
            "field": self.form["address"],
            "step": self.subject,
            "state": presentation.state_in_words(self.subject),
            "sources": self._sources(),
            "recipients": self.application.page.recipients(),
        }

    def _ask_again(self) -> HttpResponse:
        return self.render_to_response(self.get_context_data(), status=422)

    def _sources(self) -> list[Source]:
        return sources(self.application, self.subject.recipient, self.request.user)

    def _may_send(self, address: str) -> bool:
        page = self.application.page
        named = map(mail_address.key, page.recipients())
        is_named = mail_address.key(address) in named
        return is_named or not refused_for(page, [address], self.request.user)

    def _already(self, address: str) -> str:
        spellings = mail_address.spellings(address)
        if self.subject.recipient in spellings:
            return _("The mail went to this address. Retry it, or enter another address.")
        other = (
            Step.objects.filter(application=self.application, kind=MAIL_HR, recipient__in=spellings)
            .order_by("-sequence")
            .first()
        )
        state = presentation.state_in_words(other) if other else ""
        return _(
            "%(address)s already has a mail about this application; it is “%(state)s”. "
            "No address gets it twice."
        ) % {"address": address, "state": state}
