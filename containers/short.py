"""The shortened form of the check, for every run of the tests."""

from __future__ import annotations


def main() -> int:
    return 0
