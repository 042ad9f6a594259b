"""Which addresses may be notified of applications.

A notification names the applicant. So it goes to people who may read applications, to addresses
at the company's own domains, and to addresses that a person with the permission has chosen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminModelForm

from home.bidi import listed
from home.rights import READ, RECIPIENTS, scope
from home.values import email, host, mail_address

#: What stands between two addresses: programs write lists with the signs of their language.
_SEPARATORS = frozenset(",;\t，；、،؛")
#: Inside these, a separator is part of a name or a comment.
_PAIRS = {'"': '"', "<": ">", "(": ")", "“": "”", "„": "“", "«": "»"}
#: ``To:`` in front of a copied header, the name of a group (RFC 5322, 3.4), the dot of a list.
_LABEL = re.compile(r"[^@<>()\"“„«:]*:|[-–—*•·]\s|\d{1,3}[.)]\s")
_BETWEEN = "".join(_SEPARATORS) + " "


#: Functions that get an address and return why no mail of this site reaches it, or "". The app that
#: sends the mails adds its own.
OBSTACLES: list[Callable[[str], str]] = []


def unreachable(address: str) -> str:
    """Why no mail of this site reaches an address, if that is known; else ""."""
    return next(filter(None, (obstacle(address) for obstacle in OBSTACLES)), "")


def split_addresses(text: str) -> list[str]:
    """The e-mail addresses in a list as people type it, or paste it from a mail program.

    Addresses stand on lines of their own, or between commas, semicolons or tabs. Names
    (``Hanna Lie <hanna@example.org>``, ``"Lie, Hanna" <hanna@example.org>``) are left out.

    Returns:
        Each address once, in order. What can't be read as an address is there as it was typed, so
        that ``validate_addresses`` can name it.
    """
    found: dict[str, str] = {}
    for line in text.splitlines():
        for entry in _entries(line):
            for address in _addresses(entry):
                if address:
                    found.setdefault(mail_address.key(address), address)
    return list(found.values())


def _entries(line: str) -> Iterator[str]:
    """The parts of a line between separators; one may hold a name, an address, or both."""
    name = ""
    for part in _parts(line):
        if part.endswith(",") and "@" not in part:
            # The name in ``Lie, Hanna <hanna@example.org>`` has no quotes.
            name += part
            continue
        if "<" in part:
            yield name + part
        else:
            yield name
            yield part
        name = ""
    yield name


def _parts(line: str) -> Iterator[str]:
    """A line cut after each separator that stands outside quotes and brackets."""
    last = {closing: line.rfind(closing) for closing in _PAIRS.values()}
    start, closing = 0, ""
    for position, character in enumerate(line):
        if closing:
            closing = "" if character == closing else closing
        elif last.get(_PAIRS.get(character, ""), -1) > position:
            closing = _PAIRS[character]
        elif character in _SEPARATORS:
            yield line[start : position + 1]
            start = position + 1
    yield line[start:]


def _addresses(entry: str) -> list[str]:
    """The addresses of one entry; an entry that can't be understood is returned whole."""
    entry = entry.strip(_BETWEEN)
    while (label := _LABEL.match(entry)) and label[0].lower() != "mailto:":
        entry = entry[label.end() :].strip(_BETWEEN)
    if not entry:
        return []
    if "<" in entry:
        found = [email.clean(one) for one in re.findall(r"<([^<>]*)>", entry)]
        # A name may repeat the address. Another address beside it is a second one, or a mistake.
        keys = {mail_address.key(address) for address in found}
        beside = filter(_is_like_an_address, re.sub(r"<[^<>]*>", " ", entry).split())
        is_clear = all(mail_address.key(email.clean(word)) in keys for word in beside)
        return found if found and all(found) and is_clear else [entry]
    words = re.sub(r"\([^()]*\)", " ", entry).split()
    if len(words) > 1 and all(map(_is_like_an_address, words)):
        return [email.clean(word) for word in words]
    return [email.clean(entry)]


def _is_like_an_address(word: str) -> bool:
    return "@" in word.strip("@")


def validate_addresses(text: str) -> None:
    """Raise ValidationError with the first word that is no e-mail address."""
    for address in split_addresses(text):
        email.check(address)


def split_domains(text: str) -> list[str]:
    """The domains in ``text``, as people write them and without a leading @; each once."""
    words = "".join(" " if letter in _SEPARATORS else letter for letter in text).split()
    cleaned = (email.clean(f"x@{word.lstrip('@')}").removeprefix("x@") for word in words)
    return list(dict.fromkeys(host.to_unicode(domain) for domain in cleaned if domain))


def validate_domains(text: str) -> None:
    """Raise ValidationError with the first word that is no domain of an e-mail address."""
    for domain in split_domains(text):
        try:
            email.check(f"x@{domain}")
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
    left = {mail_address.key(address): address for address in addresses}
    for address in known:
        left.pop(mail_address.key(address), None)
    ours = {host.to_unicode(domain) for domain in domains}
    left = {key: address for key, address in left.items() if key.rpartition("@")[2] not in ours}
    if not left or scope(user, RECIPIENTS).holds(path):
        return []
    return [address for key, address in left.items() if not _is_reader(key, path)]


def _is_reader(key: str, path: str) -> bool:
    """Whether an active account with this address may read the applications of the page.

    A database may take ``ı`` for ``i`` and ``ß`` for ``ss``, which are other hosts, so its answer
    is compared here once more.
    """
    query = Q()
    for spelling in mail_address.spellings(key):
        query |= Q(email__iexact=spelling)
    accounts = get_user_model().objects.filter(query, is_active=True)
    return any(
        mail_address.key(account.email) == key and scope(account, READ).holds(path)
        for account in accounts
    )


class CompanyForm(WagtailAdminModelForm):
    """The form of the company settings; it refuses recipients that the user may not choose."""

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ADDRESS_LISTS:
            tidy(self, cleaned, name)
        own = split_domains(cleaned.get("recipient_domains") or "")
        if own:
            cleaned["recipient_domains"] = "\n".join(own)
        if self.for_user is None:
            return cleaned
        path = self.instance.site.root_page.path
        domains = split_domains(self.initial.get("recipient_domains") or "")
        if own != domains and not scope(self.for_user, RECIPIENTS).holds(path):
            self.add_error(
                "recipient_domains",
                _(
                    "You may not change the company’s domains. Ask a person who may change the "
                    "recipients of applications."
                ),
            )
        for name in ADDRESS_LISTS:
            foreign = refused(
                split_addresses(cleaned.get(name) or ""),
                self.for_user,
                path,
                domains=domains,
                known=split_addresses(self.initial.get(name) or ""),
            )
            if foreign:
                self.add_error(name, refusal(foreign))
        return cleaned


#: The fields of the company settings that hold recipients.
ADDRESS_LISTS = ("hr_recipients", "operators")


def tidy(form: Any, cleaned: dict[str, Any], name: str) -> None:
    """Let a list of addresses be stored and shown as it was understood, one per line.

    A list with an address that is wrong, or that mails can't reach from here, gets an error.
    """
    addresses = split_addresses(cleaned.get(name) or "")
    if not addresses:
        return
    cleaned[name] = "\n".join(addresses)
    try:
        validate_addresses(cleaned[name])
    except ValidationError as error:
        form.add_error(name, error)
        return
    if reasons := [why for address in addresses if (why := unreachable(address))]:
        form.add_error(name, reasons[0])


def refusal(addresses: list[str]) -> ValidationError:
    """Why these addresses may not be entered, and what to do."""
    return ValidationError(
        _(
            "Notifications name applicants, so you may not send them to %(addresses)s. Enter the "
            "address of a colleague whose account may read these applications, or an address at "
            "one of the company’s domains (Settings, Company). For another address, ask a person "
            "who may change the recipients of applications."
        ),
        params={"addresses": listed(addresses)},
    )
