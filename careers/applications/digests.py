"""Keyed hashes of what applicants send, and the rotation of their keys.

A fingerprint is stored as long as its application, so its key must outlive a rotation of
``SECRET_KEY``. ``HASH_KEY`` makes new values, and ``HASH_KEY_FALLBACKS`` still finds old ones.
Without ``HASH_KEY`` the key is ``SECRET_KEY``, as it was in earlier releases. See "Change a key"
in docs/operations.md.
"""

from __future__ import annotations

import hashlib

from django.conf import settings
from django.core.signing import Signer
from django.utils.crypto import salted_hmac

#: The most characters of a digest.
LENGTH = 64


def digest(purpose: str, text: str) -> str:
    """A keyed hash of a text, to store (HMAC-SHA-256, RFC 2104).

    Args:
        purpose: separates uses: one text has another digest for each purpose. Never change it.

    Returns:
        Up to ``LENGTH`` characters. With ``HASH_KEY`` they begin with the key's version and a dot.
    """
    return digests(purpose, text)[0]


def digests(purpose: str, text: str) -> list[str]:
    """The digest of a text under each configured key, the newest first; to look one up."""
    versioned = [_versioned(purpose, text, key) for key in settings.HASH_KEYS]
    unversioned = [_hmac(purpose, text, key) for key in _secret_keys()]
    return list(dict.fromkeys(versioned + unversioned))


def signer(purpose: str) -> Signer:
    """A signer for texts that outlive a rotation of ``SECRET_KEY``, such as those in sent mails.

    It signs with the newest key and accepts all configured ones.
    """
    keys: list[str | bytes] = [*settings.HASH_KEYS, *_secret_keys()]
    return Signer(key=keys[0], fallback_keys=keys[1:], salt=purpose)


def _secret_keys() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def _hmac(purpose: str, text: str, key: str) -> str:
    return salted_hmac(purpose, text, secret=key, algorithm="sha256").hexdigest()


def _versioned(purpose: str, text: str, key: str) -> str:
    # 224 of the 256 bits are left, so that a column of 64 characters holds the version, too.
    version = _version(key)
    return f"{version}.{_hmac(purpose, text, key)}"[:LENGTH]


def _version(key: str) -> str:
    # From the key itself, so that nobody has to number keys.
    return hashlib.sha256(f"careers.digests.version {key}".encode()).hexdigest()[:7]
