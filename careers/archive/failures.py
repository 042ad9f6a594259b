"""What an exception of boto3 means for a step, in words for people.

Messages of the provider are not shown: they may contain keys, signatures and host names.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime

from careers.applications.errors import EffectError, Misconfigured, Permanent, Transient
from careers.applications.sentences import sentence as _

#: Error codes of the S3 API (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html).
BAD_KEY = frozenset(
    [
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "ExpiredToken",
        "InvalidToken",
        "TokenRefreshRequired",
    ]
)
BAD_BUCKET = frozenset(["NoSuchBucket", "InvalidBucketName"])
BAD_REGION = frozenset(
    [
        "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException",
        "InvalidLocationConstraint",
        "PermanentRedirect",
    ]
)
BUSY = frozenset(["SlowDown", "Throttling", "TooManyRequests", "RequestLimitExceeded"])
#: The request arrived damaged or incomplete; nothing was stored.
GARBLED = frozenset(
    ["BadDigest", "IncompleteBody", "InvalidDigest", "RequestTimeout", "XAmzContentSHA256Mismatch"]
)


@contextmanager
def explained(bucket: str) -> Iterator[None]:
    """Turn exceptions of boto3 inside the block into the four kinds of ``EffectError``.

    Other exceptions pass through: they are bugs.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    # Without the cause: its text and its frames hold addresses, keys and content.
    except ClientError as error:
        raise answered(error.response, bucket) from None
    except (BotoCoreError, ResponseParserError) as error:
        raise _unanswered(error) from None


def answered(response: dict, bucket: str) -> EffectError:  # type: ignore[type-arg]
    """What an error response of the server means."""
    metadata = response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))
    code = str(response.get("Error", {}).get("Code", "")) or str(status)
    if code == "RequestTimeTooSkewed":
        return Misconfigured("archive-clock", _clock(response))
    if code in BAD_KEY:
        return Misconfigured(
            "archive-key",
            _(
                "The archive (S3) refused the access key. Check AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            ),
        )
    if code in BAD_BUCKET:
        return Misconfigured(
            "archive-bucket",
            _(
                "The archive (S3) has no bucket “%(bucket)s”. Check AWS_STORAGE_BUCKET_NAME, or "
                "run “manage.py prepare_archive” to create it."
            )
            % {"bucket": bucket},
        )
    if code in BAD_REGION:
        return Misconfigured("archive-region", _region(response))
    # A HEAD is answered without a body, so without a code.
    if code in ("301", "400"):
        return Misconfigured(
            "archive-settings",
            _(
                "The archive (S3) refused the request and gave no reason. Check "
                "AWS_S3_REGION_NAME, AWS_S3_ENDPOINT_URL and AWS_ACCESS_KEY_ID."
            ),
        )
    if code in BUSY or status in (429, 503):
        return Transient(
            "archive-busy",
            _("The archive (S3) is busy. The site tries again."),
            retry_after=_retry_after(metadata),
        )
    if status == 507:
        return Transient(
            "archive-full",
            _("The archive (S3) has no space left. Free some space. The site tries again."),
        )
    if status >= 500 or code in GARBLED:
        return Transient(
            "archive-unavailable",
            _("The archive (S3) had an internal error. The site tries again."),
            retry_after=_retry_after(metadata),
        )
    if status in (401, 403):
        return Misconfigured(
            "archive-forbidden",
            _(
                "The archive (S3) refused access to the bucket “%(bucket)s”. Check what the key in "
                "AWS_ACCESS_KEY_ID may do, and AWS_STORAGE_BUCKET_NAME."
            )
            % {"bucket": bucket},
        )
    if status == 404:
        return Permanent(
            "archive-missing",
            _("The file is no longer in the archive (S3). Restore it from a backup."),
        )
    if status == 409:
        return Transient(
            "archive-conflicting-request",
            _("The archive (S3) was writing the same file at the same time. The site tries again."),
        )
    return Permanent(
        "archive-refused",
        _(
            "The archive (S3) refused the request (%(code)s). Read the log of the server, "
            "then retry."
        )
        % {"code": code[:60]},
    )


def date_of(response: dict) -> dt.datetime | None:  # type: ignore[type-arg]
    """The time of the server when it answered (RFC 9110, 6.6.1), if its answer has it."""
    date = response.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date", "")
    with contextlib.suppress(ValueError):
        return parsedate_to_datetime(date).astimezone(dt.UTC)
    return None


def _clock(response: dict) -> str:  # type: ignore[type-arg]
    theirs = date_of(response)
    if theirs is None:
        return _(
            "The archive (S3) refused the request because the clock of this machine is wrong. "
            "Correct the clock."
        )
    return _(
        "The archive (S3) refused the request because the clocks differ: here it is %(ours)s, "
        "there %(theirs)s (UTC). Correct the clock of this machine."
    ) % {
        "ours": f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M:%S}",
        "theirs": f"{theirs:%Y-%m-%d %H:%M:%S}",
    }


def _region(response: dict) -> str:  # type: ignore[type-arg]
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    region = str(response.get("Error", {}).get("Region") or headers.get("x-amz-bucket-region", ""))
    if not re.fullmatch(r"[a-z0-9-]{1,40}", region):
        return _("The archive (S3) keeps the bucket in another region. Check AWS_S3_REGION_NAME.")
    return _(
        "The archive (S3) keeps the bucket in the region “%(region)s”. Write it into "
        "AWS_S3_REGION_NAME."
    ) % {"region": region}


def _unanswered(error: Exception) -> EffectError:
    from botocore import exceptions as boto
    from botocore.parsers import ResponseParserError

    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError)):
        return Misconfigured(
            "archive-key",
            _(
                "The archive (S3) has no access key. Set AWS_ACCESS_KEY_ID and "
                "AWS_SECRET_ACCESS_KEY."
            ),
        )
    if isinstance(error, boto.SSLError):
        return Misconfigured(
            "archive-tls",
            _(
                "The connection to the archive (S3) is not secure: its certificate was refused. "
                "Check AWS_S3_ENDPOINT_URL; renew the certificate, or name the authority that "
                "signed it in SSL_CERT_FILE."
            ),
        )
    lost = (
        boto.ConnectionError,
        boto.HTTPClientError,
        boto.IncompleteReadError,
        boto.ChecksumError,
        boto.FlexibleChecksumError,
        ResponseParserError,
    )
    if isinstance(error, lost):
        return Transient(
            "archive-unavailable",
            _("The archive (S3) did not answer. The site tries again."),
        )
    return Misconfigured(
        "archive-settings",
        _(
            "The archive (S3) can't be used with these settings (%(error)s). Check "
            "AWS_STORAGE_BUCKET_NAME, AWS_S3_ENDPOINT_URL and AWS_S3_REGION_NAME."
        )
        % {"error": type(error).__name__},
    )


def _retry_after(metadata: dict) -> int | None:  # type: ignore[type-arg]
    value = metadata.get("HTTPHeaders", {}).get("retry-after", "")
    return min(int(value), 3600) if str(value).isdigit() else None
