"""The archive: private, verified copies of every file of an application in S3.

The only importer of boto3, botocore and django-storages, and only inside the functions that
need them: most processes never touch S3, and boto3 is slow to import.
"""

from careers.archive.keys import FOLDER, file_key
from careers.archive.manifest import manifest
from careers.archive.store import (
    StoredObject,
    Verdict,
    compare,
    delete,
    ensure_bucket,
    fetch,
    honours_conditions,
    keys_below,
    probe,
    put,
)

__all__ = [
    "FOLDER",
    "StoredObject",
    "Verdict",
    "compare",
    "delete",
    "ensure_bucket",
    "fetch",
    "file_key",
    "honours_conditions",
    "keys_below",
    "manifest",
    "probe",
    "put",
]
