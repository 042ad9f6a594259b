"""Resend, https://resend.com/docs/api-reference/emails/send-email."""

from __future__ import annotations

import datetime as dt
from typing import Any

from anymail.signals import EventType

from careers.notifications.providers import IdempotencyKey, Provider, register


@register
class Resend(Provider):
    """Resend keeps an idempotency key for 24 hours and repeats its first answer.

    409 ``invalid_idempotent_request`` means that another mail was sent under the key, 409
    ``concurrent_idempotent_requests`` that the first request is still running.
    https://resend.com/docs/dashboard/emails/idempotency-keys
    """

    name = "resend"
    backend = "anymail.backends.resend.EmailBackend"
    webhook = "anymail.webhooks.resend.ResendTrackingWebhookView"
    idempotency_key = IdempotencyKey(
        window=dt.timedelta(hours=23),
        request_header="Idempotency-Key",
        in_progress="concurrent_idempotent_requests",
        used_before="invalid_idempotent_request",
    )

    def event_type(self, event: Any) -> str:
        # Two of Resend's event types that django-anymail does not support (Resend, "Event Types").
        match event.esp_event:
            case {"type": "email.failed"}:
                return str(EventType.FAILED)
            case {"type": "email.suppressed"}:
                return str(EventType.REJECTED)
        return super().event_type(event)

    def event_detail(self, event: Any) -> str:
        match event.esp_event:
            case {"data": {"failed": {"reason": reason}}} if not super().event_detail(event):
                return str(reason)
        return super().event_detail(event)
