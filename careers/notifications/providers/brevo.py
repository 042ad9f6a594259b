"""Brevo, https://developers.brevo.com/reference/sendtransacemail."""

from __future__ import annotations

import datetime as dt

from careers.notifications.providers import IdempotencyKey, Provider, register


@register
class Brevo(Provider):
    """Brevo keeps an idempotency key for 15 or 30 minutes; its pages disagree.

    It does not send the same mail again and refuses it as ``duplicate_parameter``.
    https://developers.brevo.com/changelog/email-api-now-supports-idempotency (15 minutes)
    https://developers.brevo.com/docs/heterogenous-versions-batch-emails (30 minutes)
    """

    name = "brevo"
    backend = "anymail.backends.brevo.EmailBackend"
    webhook = "anymail.webhooks.brevo.BrevoTrackingWebhookView"
    idempotency_key = IdempotencyKey(
        window=dt.timedelta(minutes=10),
        mail_header="idempotencyKey",
        used_before="duplicate_parameter",
    )
