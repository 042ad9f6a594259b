"""Create the bucket, and find out whether and how the archive works."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import Any

from careers.applications.errors import EffectError, Misconfigured
from careers.applications.sentences import sentence as _
from careers.archive.connection import connected, impatient, object_parameters, status_of
from careers.archive.failures import answered, date_of
from careers.archive.store import delete

#: Outside the folder of the applications.
PROBE_KEY = "careers-probe"


def ensure_bucket() -> bool:
    """Create the bucket unless it exists.

    Returns:
        Whether it was created.

    Raises:
        Misconfigured: no access, no name, or the name belongs to another account.
        Transient: see ``failures``.
    """
    from botocore.exceptions import ClientError

    with connected() as (client, bucket):
        if _look_at_bucket(client, bucket) is not None:
            return False
        region = client.meta.region_name
        location = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            client.create_bucket(
                Bucket=bucket, **(location if region and region != "us-east-1" else {})
            )
        except ClientError as error:
            # Another process created it, or another account has the name. Look again.
            if status_of(error) != 409:
                raise
            if _look_at_bucket(client, bucket) is None:
                raise Misconfigured(
                    "archive-bucket",
                    _(
                        "The bucket name “%(bucket)s” belongs to another account. Choose another "
                        "AWS_STORAGE_BUCKET_NAME."
                    )
                    % {"bucket": bucket},
                ) from None
            return False
        return True


def probe() -> dt.datetime | None:
    """Check within seconds that the archive answers, accepts our key and has the bucket.

    Returns:
        The time by the clock of the archive; None when its answer has no date.

    Raises:
        Transient, Misconfigured: what is wrong, see ``failures``.
    """
    with connected(impatient()) as (client, bucket):
        answer = _look_at_bucket(client, bucket)
        if answer is None:
            raise answered({"Error": {"Code": "NoSuchBucket"}}, bucket)
        return date_of(answer)


def honours_conditions() -> bool:
    """Whether the archive refuses to overwrite an object with ``If-None-Match: *``.

    Tries it with an empty object of a fixed name, and deletes that object.
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)

    Raises:
        Permanent, Transient, Misconfigured: nothing can be written, see ``failures``.
    """
    from botocore.exceptions import ClientError

    with connected(impatient()) as (client, bucket):
        request = {**object_parameters(PROBE_KEY), "Bucket": bucket}
        try:
            for _time in range(2):
                client.put_object(**request, Key=PROBE_KEY, Body=b"", IfNoneMatch="*")
        except ClientError as error:
            if status_of(error) not in (412, 501):
                raise
            return status_of(error) == 412
        finally:
            # A key that may write but not delete leaves an empty object.
            with contextlib.suppress(EffectError):
                delete(PROBE_KEY)
    return False


def _look_at_bucket(client: Any, bucket: str) -> dict[str, Any] | None:
    """What the server says about the bucket; None when the bucket does not exist."""
    from botocore.exceptions import ClientError

    try:
        return dict(client.head_bucket(Bucket=bucket))
    except ClientError as error:
        if status_of(error) == 404:
            return None
    # The answer to a HEAD has no body, so no reason. A GET returns the reason.
    return dict(client.list_objects_v2(Bucket=bucket, MaxKeys=1))
