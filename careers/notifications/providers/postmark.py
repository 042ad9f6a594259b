"""Postmark, https://postmarkapp.com/developer/api/email-api. It documents no idempotency key."""

from __future__ import annotations

from typing import Any

from anymail.signals import EventType

from careers.notifications.providers import Provider, register


@register
class Postmark(Provider):
    """Postmark calls its API key a server token."""

    name = "postmark"
    backend = "anymail.backends.postmark.EmailBackend"
    webhook = "anymail.webhooks.postmark.PostmarkTrackingWebhookView"
    api_key_option = "server_token"

    def event_type(self, event: Any) -> str:
        # "SpamNotification" is a bounce: a spam filter refused the mail. django-anymail takes it
        # for a complaint, which only a recipient who has the mail can make.
        match event.esp_event:
            case {"RecordType": "Bounce"} if event.event_type == EventType.COMPLAINED:
                return str(EventType.BOUNCED)
        return super().event_type(event)
