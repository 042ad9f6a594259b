"""Mail through a provider's HTTP API instead of SMTP: one module per provider.

Adding a provider is adding a module here that registers a ``Provider`` subclass. An extension
app does the same in a module of its own, which its ``AppConfig.ready`` imports.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest

from careers.notifications.providers.provider import IdempotencyKey, Provider
from careers.notifications.reports import Report

__all__ = ["IdempotencyKey", "Provider", "configured", "names", "read_reports", "register"]

_registered: dict[str, type[Provider]] = {}


def register(provider: type[Provider]) -> type[Provider]:
    """Class decorator: make a provider available under its name.

    Raises:
        ValueError: another provider has this name.
    """
    other = _registered.setdefault(provider.name, provider)
    if other is not provider:
        raise ValueError(f"Two mail providers are called {provider.name}: {other}, {provider}.")
    return provider


def names() -> list[str]:
    """What ``EMAIL_PROVIDER`` may hold."""
    return sorted(_registered)


def configured() -> Provider | None:
    """The provider of ``EMAIL_PROVIDER``; None when mails go through a mail server.

    Raises:
        ImproperlyConfigured: no installed app registers a provider of that name.
    """
    name = settings.EMAIL_PROVIDER
    if not name:
        return None
    if name not in _registered:
        raise ImproperlyConfigured(
            f"EMAIL_PROVIDER must be one of {', '.join(names())}, or empty, not {name}."
        )
    return _registered[name]()


def read_reports(request: HttpRequest) -> list[Report]:
    """The delivery reports in a request to the webhook of ``EMAIL_PROVIDER``.

    Raises:
        Forged: the request lacks the secret.
        Unreadable: it is not what the provider sends.
    """
    provider = configured()
    return provider.read_reports(request) if provider else []


for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")
