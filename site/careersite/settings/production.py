"""A deployed site: every service is named in the environment, nothing is embedded."""

from careersite.settings.base import *  # noqa: F403 -- settings modules extend each other
from careersite.settings.env import given, required
from careersite.settings.processes import needs

required("SITE_URL", "Give the public address, for instance https://careers.example.com.")
for _service, _name, _hint in (
    ("database", "DATABASE_URL", "Give it as postgres://user:password@host/database."),
    ("broker", "REDIS_URL", "Give it as redis://:password@host:6379/0."),
    ("archive", "AWS_STORAGE_BUCKET_NAME", "Name the private bucket for the archive."),
    ("mail", "EMAIL_HOST", "Name the mail server, or a provider in EMAIL_PROVIDER."),
    ("mail", "DEFAULT_FROM_EMAIL", "Give the address that mails come from."),
):
    if needs(_service) and not (_name == "EMAIL_HOST" and given("EMAIL_PROVIDER")):
        required(_name, _hint)

#: What ``check --deploy`` would ask for, but is decided elsewhere.
SILENCED_SYSTEM_CHECKS = [
    # Whether other names of the domain use TLS is for the operator to say.
    "security.W005",
    "security.W021",
    # The proxy redirects to TLS. Health checks of this machine come without it.
    "security.W008",
    # Wagtail shows its previews in a frame of the same site.
    "security.W019",
]
