"""Which addresses may be notified of applications.

A notification names the applicant. So it goes to people who may read applications, to addresses
at the company's own domains, and to addresses that a person with the permission has chosen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminModelForm

from home.rights import READ, RECIPIENTS, scope


def split_addresses(text: str) -> list[str]:
    """The e-mail addresses in ``text``, separated by lines or commas; each once, in order."""
    found = (word.strip() for line in text.splitlines() for word in line.split(","))
    return list(dict.fromkeys(word for word in found if word))


def validate_addresses(text: str) -> None:
    """Raise ValidationError with the first word that is no e-mail address."""
    for address in split_addresses(text):
        try:
            validate_email(address)
        except ValidationError:
            raise ValidationError(
                _("“%(address)s” is not an e-mail address."), params={"address": address}
            ) from None


def split_domains(text: str) -> list[str]:
    """The domains in ``text``, in lower case and without a leading @."""
    return [word.lower().removeprefix("@") for word in split_addresses(text)]


def validate_domains(text: str) -> None:
    """Raise ValidationError with the first word that is no domain of an e-mail address."""
    for domain in split_domains(text):
        try:
            validate_email(f"x@{domain}")
        except ValidationError:
            raise ValidationError(
                _("“%(domain)s” is not a domain. Enter one such as example.com."),
                params={"domain": domain},
            ) from None


def refused(
    addresses: Iterable[str],
    user: Any,
    path: str,
    *,
    domains: Iterable[str] = (),
    known: Iterable[str] = (),
) -> list[str]:
    """The addresses that ``user`` may not choose as recipients.

    Args:
        addresses: what the user wants.
        path: the path of the page whose applications they would be notified of.
        domains: the company's own domains.
        known: addresses that are notified already.
    """
    left = {address.lower(): address for address in addresses}
    for address in known:
        left.pop(address.lower(), None)
    ours = tuple(f"@{domain}" for domain in domains)
    left = {lower: address for lower, address in left.items() if not lower.endswith(ours)}
    if not left or scope(user, RECIPIENTS).holds(path):
        return []
    return [address for lower, address in left.items() if not _is_reader(lower, path)]


def _is_reader(address: str, path: str) -> bool:
    """Whether an active account with this address may read the applications of the page."""
    accounts = get_user_model().objects.filter(Q(email__iexact=address), is_active=True)
    return any(scope(account, READ).holds(path) for account in accounts[:5])


class CompanyForm(WagtailAdminModelForm):
    """The form of the company settings; it refuses recipients that the user may not choose."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if self.for_user is None:
            return cleaned
        path = self.instance.site.root_page.path
        before = {name: self.initial.get(name) or "" for name in RECIPIENT_FIELDS}
        if split_domains(cleaned.get("recipient_domains") or "") != split_domains(
            before["recipient_domains"]
        ) and not scope(self.for_user, RECIPIENTS).holds(path):
            self.add_error(
                "recipient_domains",
                _(
                    "You may not change the company’s domains. Ask a person who may change the "
                    "recipients of applications."
                ),
            )
        for name in ("hr_recipients", "operators"):
            foreign = refused(
                split_addresses(cleaned.get(name) or ""),
                self.for_user,
                path,
                domains=split_domains(before["recipient_domains"]),
                known=split_addresses(before[name]),
            )
            if foreign:
                self.add_error(name, refusal(foreign))
        return cleaned


RECIPIENT_FIELDS = ("recipient_domains", "hr_recipients", "operators")


def refusal(addresses: list[str]) -> ValidationError:
    """Why these addresses may not be entered, and what to do."""
    return ValidationError(
        _(
            "Notifications name applicants, so you may not send them to %(addresses)s. Enter the "
            "address of a colleague whose account may read these applications, or an address at "
            "one of the company’s domains (Settings, Company). For another address, ask a person "
            "who may change the recipients of applications."
        ),
        params={"addresses": ", ".join(addresses)},
    )
