"""Hosts in settings, in ASCII: Python's sockets would look up faß.de as fass.de."""

from email.utils import formataddr, parseaddr

from django.core.exceptions import ImproperlyConfigured

from home.values import host, mail_address


def name(variable: str, value: str) -> str:
    """A host name; raises ImproperlyConfigured if there can't be such a host."""
    if value.isascii():
        return value
    try:
        return host.to_ascii(value)
    except ValueError:
        raise _unknown(variable) from None


def pattern(variable: str, value: str) -> str:
    """A host name, or a full stop and a domain, as ``ALLOWED_HOSTS`` holds them."""
    bare = value.removeprefix(".")
    return value[: -len(bare)] + name(variable, bare) if bare else value


def url(variable: str, value: str) -> str:
    """A URL with its host in ASCII; raises ImproperlyConfigured if there can't be such a host."""
    try:
        return host.url_to_ascii(value)
    except ValueError:
        raise _unknown(variable) from None


def sender(variable: str, value: str) -> str:
    """The address that mails come from, perhaps with a name.

    Raises:
        ImproperlyConfigured: its host can't exist, or it is not ASCII before the @: then servers
            without SMTPUTF8 would refuse every mail.
    """
    shown, address = parseaddr(value)
    if address.isascii():
        return value
    try:
        sent = mail_address.to_ascii(address)
    except ValueError:
        raise _unknown(variable) from None
    if not sent.isascii():
        raise ImproperlyConfigured(
            f"{variable} must have only the letters a to z, digits and signs before the @, because "
            f"not every mail server takes {address}."
        )
    return formataddr((shown, sent))


def _unknown(variable: str) -> ImproperlyConfigured:
    # Without the value, which may hold a password.
    return ImproperlyConfigured(
        f"{variable} names a host that can't exist. Correct {variable} and start again."
    )
