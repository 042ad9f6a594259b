"""Which addresses reach the same mailbox, as far as their providers have published it.

``Ada.B+jobs@googlemail.com`` and ``adab@gmail.com`` are one mailbox. Only the limit of mails to one
mailbox uses this: a mistake costs one applicant a mail, never an application. Mails go to the
address that the applicant entered.
"""

from __future__ import annotations

from careers.applications.digests import digest
from home.values import mail_address

#: Domains of one provider on which a name belongs to one account.
#: https://support.google.com/mail/answer/10313, https://support.apple.com/101581,
#: https://proton.me/support/addresses-and-aliases
SAME_DOMAINS = {
    "googlemail.com": "gmail.com",
    "mac.com": "icloud.com",
    "me.com": "icloud.com",
    "pm.me": "proton.me",
    "protonmail.ch": "proton.me",
    "protonmail.com": "proton.me",
}
#: Characters in a name that a provider ignores.
#: https://support.google.com/mail/answer/7436150, https://proton.me/support/addresses-and-aliases
IGNORED = {"gmail.com": ".", "proton.me": ".-_"}
#: Providers that deliver ``anything@name.DOMAIN`` to ``name@DOMAIN``.
#: https://www.fastmail.help/hc/en-us/articles/360060591053
SUBDOMAINS = ("fastmail.com", "fastmail.fm")
#: Yahoo's temporary addresses are ``name-tag``; other names there have no hyphen.
#: https://help.yahoo.com/kb/SLN28754.html
HYPHENS = ("yahoo.", "ymail.com", "rocketmail.com")


def mailbox_of(email: str) -> str:
    """A keyed hash of the mailbox that an address reaches."""
    return digest("careers.mailbox", canonical(email))


def canonical(email: str) -> str:
    """One spelling for all addresses of a mailbox.

    Gmail, Outlook, iCloud, Fastmail, Proton, Exchange Online, Zoho and Yandex drop what follows a
    "+" (RFC 5233 calls it the detail), and most mail servers can. So it is dropped for every
    domain: if a server does not, two of its users share the limit, which is harmless.

    Args:
        email: a valid address.
    """
    local, _at, domain = mail_address.key(email.strip().rstrip(".")).rpartition("@")
    domain = SAME_DOMAINS.get(domain, domain)
    local = mail_address.unquoted(local)
    for provider in SUBDOMAINS:
        if domain.endswith(f".{provider}"):
            local, domain = domain.removesuffix(f".{provider}"), provider
    name = local.partition("+")[0]
    if domain.startswith(HYPHENS):
        name = name.partition("-")[0]
    for character in IGNORED.get(domain, ""):
        name = name.replace(character, "")
    return f"{name or local}@{domain}"
