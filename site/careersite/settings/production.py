"""A deployed site: every service is named in the environment, nothing is embedded."""

from careersite.settings.base import *  # noqa: F403 -- settings modules extend each other
from careersite.settings.env import given, required

for _name, _hint in {
    "SITE_URL": "Give the public address, for instance https://careers.example.com.",
    "DATABASE_URL": "Give it as postgres://user:password@host/database.",
    "REDIS_URL": "Give it as redis://:password@host:6379/0.",
    "AWS_STORAGE_BUCKET_NAME": "Name the private bucket for the archive.",
    "EMAIL_HOST": "Name the mail server, or a provider in EMAIL_PROVIDER.",
    "DEFAULT_FROM_EMAIL": "Give the address that mails come from.",
}.items():
    if not (_name == "EMAIL_HOST" and given("EMAIL_PROVIDER")):
        required(_name, _hint)
