"""The archive: private, verified copies of every file of an application in S3.

The only importer of boto3, botocore and django-storages, and only inside the functions that
need them: most processes never touch S3, and boto3 is slow to import.
"""

from careers.archive.keys import file_key
from careers.archive.manifest import manifest
from careers.archive.store import (
    StoredObject,
    delete,
    ensure_bucket,
    fetch,
    honours_conditions,
    probe,
    put,
)

__all__ = [
    "StoredObject",
    "delete",
    "ensure_bucket",
    "fetch",
    "file_key",
    "honours_conditions",
    "manifest",
    "probe",
    "put",
]
