"""A cache whose entries about signing in are shared by all processes.

allauth counts wrong passwords and remembers used codes in Django's default cache. Kept in each
process, a limit would hold for one process only, and a code would work once in each. A broker is no
place for them, because people must be able to sign in while it is down. So these entries are in the
database. Their keys are hashed: the table holds no name, address or code.
"""

from __future__ import annotations

from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache
from django.core.cache.backends.locmem import LocMemCache
from django.utils.crypto import salted_hmac

#: How the keys of allauth begin.
SHARED = ("allauth", "jwt:")


class SplitCache(BaseCache):
    """Keeps keys that begin as in ``SHARED`` in the cache ``signin``, others in this process."""

    def __init__(self, name: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._local = LocMemCache(name, params)

    def _place(self, key: str) -> tuple[BaseCache, str]:
        if str(key).startswith(SHARED):
            hashed = salted_hmac("careersite.signin", str(key), algorithm="sha256")
            return caches["signin"], hashed.hexdigest()
        return self._local, key

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        cache, key = self._place(key)
        return cache.get(key, default, version)

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> None:
        cache, key = self._place(key)
        cache.set(key, value, timeout, version)

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        cache, key = self._place(key)
        return cache.add(key, value, timeout, version)

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        cache, key = self._place(key)
        return cache.touch(key, timeout, version)

    def delete(self, key: str, version: int | None = None) -> bool:
        cache, key = self._place(key)
        return cache.delete(key, version)

    def clear(self) -> None:
        """Clear this process's own entries; the shared ones expire by themselves."""
        self._local.clear()
