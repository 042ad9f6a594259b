"""The key by which a browser shows that it sent a form before."""

from __future__ import annotations

import re

from django.http import HttpRequest

#: The field that ``static/js/draft.js`` adds to the form.
SENDER = "sender"
#: 128 random bits. Whoever knows the key of a form and all its content gets its receipt.
KEY = re.compile(r"[0-9a-f]{32}")


def sender_key(request: HttpRequest) -> str:
    """The key of the sender's browser; "" when the form has none or a malformed one."""
    sent = request.POST.get(SENDER, "")
    return sent if KEY.fullmatch(sent) else ""
