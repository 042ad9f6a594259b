"""Where an applicant whose link does not work asks for a new one.

The answer is the same whether or not there is such an application, so it tells nobody who applied.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from careers.applications.references import normalise_reference
from careers.pipeline.receipt_again import mail_receipt_again
from home.address_field import AddressField


class RenewalForm(forms.Form):
    email = AddressField(
        label=_("E-mail address of the application"),
        max_length=254,
        error_messages={
            "required": _("Enter the address with which you applied."),
        },
        widget=forms.EmailInput({"class": "input", "autocomplete": "email"}),
    )
    reference = forms.CharField(
        label=_("Reference"),
        help_text=_("It is in the mail about your application, such as 7KD4-93MX."),
        max_length=40,
        error_messages={"required": _("Enter the reference of your application.")},
        widget=forms.TextInput({"class": "input", "autocomplete": "off", "spellcheck": "false"}),
    )

    def clean_reference(self) -> str:
        return normalise_reference(self.cleaned_data["reference"])


# There is no session that another site could abuse. Whoever posts this gets no answer that depends
# on it, and the mail goes to the applicant.
@csrf_exempt
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def renew(request: HttpRequest) -> HttpResponse:
    """The form, and on POST the mail with a new link."""
    if request.method != "POST":
        return renewal_page(request, RenewalForm())
    form = RenewalForm(request.POST)
    if not form.is_valid():
        return renewal_page(request, form, status=422)
    mail_receipt_again(form.cleaned_data["email"], form.cleaned_data["reference"])
    return renewal_page(request, None)


def link_does_not_work(request: HttpRequest) -> HttpResponse:
    """The answer to a link that is unknown or has expired: nobody learns which."""
    return renewal_page(request, RenewalForm(), status=404, broken_link=True)


def renewal_page(
    request: HttpRequest, form: RenewalForm | None, *, status: int = 200, **more: Any
) -> HttpResponse:
    """The page with the form; without a form it says that the request was received."""
    context = {"form": form, "renew_url": reverse("receipt_renew"), **more}
    response = render(request, "careers/portal/renewal.html", context, status=status)
    return private(response)


def private(response: HttpResponse) -> HttpResponse:
    """Keep the address of a response out of search engines and of the requests that follow."""
    response["X-Robots-Tag"] = "noindex, nofollow"
    response["Referrer-Policy"] = "no-referrer"
    return response
