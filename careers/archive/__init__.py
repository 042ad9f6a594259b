"""The archive: private, verified copies of every file of an application in S3.

Only this package imports boto3, botocore and django-storages, and only inside the functions that
need them. Most processes never use S3, and boto3 is slow to import.
"""

from careers.archive.bucket import ensure_bucket, honours_conditions, probe
from careers.archive.connection import load
from careers.archive.keys import FOLDER, file_key
from careers.archive.listing import Verdict, compare, folders, keys_below
from careers.archive.manifest import manifest
from careers.archive.store import StoredObject, delete, fetch, put, restore

__all__ = [
    "FOLDER",
    "StoredObject",
    "Verdict",
    "compare",
    "delete",
    "ensure_bucket",
    "fetch",
    "file_key",
    "folders",
    "honours_conditions",
    "keys_below",
    "load",
    "manifest",
    "probe",
    "put",
    "restore",
]
