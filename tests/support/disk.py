"""Disks without room."""

from __future__ import annotations

from pathlib import Path


def fill(path: Path) -> None:
    """Write until there is no room for another byte."""
    with path.open("ab", buffering=0) as file:
        size = 1_000_000
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 10
