"""Whether a form comes from our own page, or its applicant confirmed it.

The page with the form comes from caches, so it holds no token (OWASP, Cross-Site Request
Forgery Prevention cheat sheet, "Fetch Metadata" and "Verifying Origin"). Without proof by the
browser, the applicant sees the form once more, with a token, and sends it again.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.http import HttpRequest

#: The field of the confirmation token.
CONFIRM = "confirm"
#: The name of a former module: tokens that an older release signed stay valid.
CONFIRM_SALT = "careers.jobs.apply.confirm"
CONFIRM_MAX_AGE = 24 * 60 * 60  # seconds


def comes_from_our_page(request: HttpRequest) -> bool:
    """Whether the browser says that the form was sent from a page of this site."""
    if request.headers.get("Sec-Fetch-Site") == "same-origin":
        return True
    sent, own = (urlsplit(url) for url in (request.headers.get("Origin", ""), settings.SITE_URL))
    return bool(sent.scheme) and (sent.scheme, sent.netloc) == (own.scheme, own.netloc)


def confirmation_token(job_key: UUID) -> str:
    """A token for the confirmation page of a job, valid for a day."""
    return signing.TimestampSigner(salt=CONFIRM_SALT).sign(str(job_key))


def is_confirmed(request: HttpRequest, job_key: UUID) -> bool:
    """Whether the form carries a valid token from the confirmation page of this job."""
    signer = signing.TimestampSigner(salt=CONFIRM_SALT)
    try:
        return signer.unsign(request.POST.get(CONFIRM, ""), max_age=CONFIRM_MAX_AGE) == str(job_key)
    except signing.BadSignature:
        return False
