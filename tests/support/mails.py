"""A mail to send."""

from __future__ import annotations

from typing import Any

from django.core.mail import EmailMultiAlternatives

RECIPIENT = "jane.miller@applicants.example"
MESSAGE_ID = "<receipt.6f1f.0@example.com>"


def mail(body: str = "Hello.\n.\n..dots\n", **changes: Any) -> EmailMultiAlternatives:
    message = EmailMultiAlternatives(
        **{
            "subject": "We have your application",
            "body": body,
            "from_email": "Kestrel <jobs@example.com>",
            "to": [RECIPIENT],
            "headers": {"Message-ID": MESSAGE_ID},
            **changes,
        }
    )
    message.attach_alternative("<p>Hello</p>", "text/html")
    return message
