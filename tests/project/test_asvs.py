"""``docs/asvs.md`` has every requirement of OWASP ASVS 5.0.0, level 2, and names what holds it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "asvs.md"
#: The requirements of levels 1 and 2 in each section, from the standard's own list.
SECTIONS = """
1.1: 1-2, 1.2: 1-9, 1.3: 1-11, 1.4: 1-3, 1.5: 1-2,
2.1: 1-3, 2.2: 1-3, 2.3: 1-4, 2.4: 1-1,
3.2: 1-2, 3.3: 1-4, 3.4: 1-6, 3.5: 1-5, 3.7: 1-2,
4.1: 1-3, 4.2: 1-1, 4.3: 1-2, 4.4: 1-4,
5.1: 1-1, 5.2: 1-3, 5.3: 1-2, 5.4: 1-3,
6.1: 1-3, 6.2: 1-12, 6.3: 1-4, 6.4: 1-4, 6.5: 1-5, 6.6: 1-3, 6.8: 1-4,
7.1: 1-3, 7.2: 1-4, 7.3: 1-2, 7.4: 1-5, 7.5: 1-2, 7.6: 1-2,
8.1: 1-2, 8.2: 1-3, 8.3: 1-1, 8.4: 1-1,
9.1: 1-3, 9.2: 1-4,
10.1: 1-2, 10.2: 1-2, 10.3: 1-4, 10.4: 1-11, 10.5: 1-5, 10.6: 1-2, 10.7: 1-3,
11.1: 1-2, 11.2: 1-3, 11.3: 1-3, 11.4: 1-4, 11.5: 1-1, 11.6: 1-1,
12.1: 1-3, 12.2: 1-2, 12.3: 1-4,
13.1: 1-1, 13.2: 1-5, 13.3: 1-2, 13.4: 1-5,
14.1: 1-2, 14.2: 1-4, 14.3: 1-3,
15.1: 1-3, 15.2: 1-3, 15.3: 1-7,
16.1: 1-1, 16.2: 1-5, 16.3: 1-4, 16.4: 1-3, 16.5: 1-3,
17.1: 1-1, 17.2: 1-4, 17.3: 1-2
"""
ROW = re.compile(r"^\| (\d+\.\d+\.\d+) \| ([^|]+) \| ([^|]+) \|$", re.M)
#: What an answer without a file begins with; a reason follows.
REASONS = ("not applicable: ", "operators: ", "**not held**")


def required() -> list[str]:
    """The numbers of all requirements, in order."""
    found = re.findall(r"(\d+\.\d+): (\d+)-(\d+)", SECTIONS)
    return [
        f"{section}.{number}"
        for section, first, last in found
        for number in range(int(first), int(last) + 1)
    ]


def rows() -> list[tuple[str, str, str]]:
    """Number, reminder and answer of each row."""
    return ROW.findall(PAGE.read_text("utf-8"))


def is_answered(answer: str) -> bool:
    """Whether an answer names files that exist, or a reason."""
    named = re.findall(r"`([^`\s]+)`", answer)
    paths = [ROOT / name for name in named if (ROOT / name.partition("/")[0]).exists()]
    if not all(path.exists() for path in paths):
        return False
    begins = answer.lower().startswith(REASONS)
    return bool(paths) or (begins and len(answer.split()) >= 3)


def test_standard_has_253_requirements_of_levels_1_and_2() -> None:
    assert len(required()) == len(set(required())) == 253


def test_every_requirement_has_one_row_in_order() -> None:
    assert [number for number, _short, _answer in rows()] == required()


def test_every_row_names_a_file_or_a_reason() -> None:
    assert [number for number, _short, answer in rows() if not is_answered(answer)] == []


def test_row_without_a_file_or_a_reason_is_found() -> None:
    assert not is_answered("`tests/project/test_never_there.py`")
    assert not is_answered("not applicable: ")
    assert not is_answered("of course")
    assert is_answered("not applicable: no LDAP")
    assert is_answered("`docs/asvs.md`")
