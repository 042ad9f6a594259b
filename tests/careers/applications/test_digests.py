"""Keyed hashes stay findable when their keys change."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.signing import BadSignature
from django.utils.crypto import salted_hmac

from careers.applications.digests import LENGTH, digest, digests, signer

OLD, NEW = "o" * 32, "n" * 32


@pytest.fixture(autouse=True)
def no_keys(settings: Any) -> None:
    settings.HASH_KEYS, settings.SECRET_KEY_FALLBACKS = [], []


def test_digest_without_hash_key_equals_that_of_earlier_releases(settings: Any) -> None:
    before = salted_hmac("careers.a", "text", secret=settings.SECRET_KEY, algorithm="sha256")
    assert digest("careers.a", "text") == before.hexdigest()


def test_digest_differs_by_purpose_text_and_key(settings: Any) -> None:
    made = [digest("careers.a", "text"), digest("careers.b", "text"), digest("careers.a", "texts")]
    settings.HASH_KEYS = [OLD]
    made.append(digest("careers.a", "text"))
    settings.HASH_KEYS = [NEW]
    made.append(digest("careers.a", "text"))
    assert len(set(made)) == 5
    assert all(len(each) == LENGTH for each in made)


def test_digest_names_the_version_of_its_key(settings: Any) -> None:
    settings.HASH_KEYS = [NEW, OLD]
    new = [digest("careers.a", text).partition(".")[0] for text in ("one", "two")]
    settings.HASH_KEYS = [OLD]
    old = digest("careers.a", "one").partition(".")[0]
    assert new[0] == new[1] != old


def test_digests_find_values_of_every_earlier_key(settings: Any) -> None:
    by_secret_key = digest("careers.a", "text")
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "another"
    assert by_secret_key in digests("careers.a", "text")
    settings.HASH_KEYS = [OLD]
    by_old_key = digest("careers.a", "text")
    settings.HASH_KEYS = [NEW, OLD]
    found = digests("careers.a", "text")
    assert found[0] == digest("careers.a", "text")
    assert {by_secret_key, by_old_key} < set(found)
    assert len(found) == 4


def test_signer_accepts_every_earlier_key_and_no_other(settings: Any) -> None:
    by_secret_key = signer("careers.a").sign("text")
    settings.HASH_KEYS = [OLD]
    by_old_key = signer("careers.a").sign("text")
    settings.HASH_KEYS = [NEW, OLD]
    assert {signer("careers.a").unsign(each) for each in (by_secret_key, by_old_key)} == {"text"}
    settings.HASH_KEYS = [NEW]
    with pytest.raises(BadSignature):
        signer("careers.a").unsign(by_old_key)
