"""The filter ``mailto``: ``<a href="{{ address|mailto }}">``."""

from urllib.parse import quote

from django import template

from home.values import mail_address

register = template.Library()


@register.filter
def mailto(address: str) -> str:
    """A link to write to an address (RFC 6068). Its host is in ASCII: mail programs differ."""
    try:
        local, _at, host = mail_address.to_ascii(address).rpartition("@")
    except ValueError:
        local, _at, host = address.rpartition("@")
    return f"mailto:{quote(local, safe='!$*+-/_~')}@{quote(host, safe='.-:[]')}"
