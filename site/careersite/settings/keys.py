"""The keys that sign and hash; see "Change a key" in docs/operations.md."""

import secrets

from django.core.exceptions import ImproperlyConfigured

from careersite.settings import env
from careersite.settings.processes import needs

#: The fewest characters of a key for stored hashes.
SHORTEST = 32


def secret_key() -> str:
    """Django's key; a random one for a process that signs nothing, because Django demands one."""
    if not needs("keys"):
        return secrets.token_hex(32)
    return env.required("SECRET_KEY", "`bin/run` makes one; elsewhere give 50 random letters.")


def hash_keys() -> list[str]:
    """The keys of stored hashes, the newest first.

    Raises:
        ImproperlyConfigured: one is too short, or HASH_KEY holds several.
    """
    newest, older = env.keys("HASH_KEY"), env.keys("HASH_KEY_FALLBACKS")
    if len(newest) > 1 or any(len(key) < SHORTEST for key in newest + older):
        raise ImproperlyConfigured(
            f"HASH_KEY must be one word of {SHORTEST} or more characters, and so must each word in "
            "HASH_KEY_FALLBACKS. `openssl rand -hex 32` makes one."
        )
    return newest + older
