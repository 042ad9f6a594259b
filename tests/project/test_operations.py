"""The operator's manual is complete: every setting, every alarm."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from careersite.settings import env

MANUAL = (env.ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
#: Whose first argument, or first returned value, is the code of something wrong.
CODED = {"Finding", "Misconfigured", "Transient"}


def section(title: str) -> str:
    """The text below a heading."""
    return MANUAL.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_column(text: str) -> list[str]:
    """What the rows of a table are about; several names in a cell stand for themselves."""
    return [
        name
        for row in re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", row)
    ]


def codes_in(path: Path) -> set[str]:
    """The codes of faults that a module names."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        first: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            first = node.args[0] if node.func.id in CODED else None
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            first = node.value.elts[0]
        if isinstance(first, ast.JoinedStr):
            # The rest names what it is about.
            first = first.values[0]
        if isinstance(first, ast.Constant) and isinstance(first.value, str):
            found.add(first.value)
    return found


def test_every_variable_is_in_the_table_of_settings_once() -> None:
    named = first_column(section("Settings"))
    assert sorted(named) == sorted(env.NAMES)


def test_every_alarm_is_in_its_table_once() -> None:
    careers = env.ROOT / "careers"
    files = [careers / "archive" / "failures.py", careers / "archive" / "store.py"]
    files += [careers / "notifications" / f"{name}.py" for name in ("delivery", "refusals")]
    files += [careers / "pipeline" / f"{name}.py" for name in ("health", "probes")]
    codes = set().union(*map(codes_in, files))
    named = first_column(section("What each alarm means"))
    assert sorted(named) == sorted(codes)
