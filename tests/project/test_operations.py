"""The operator's manual is complete: every setting, every alarm."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from careersite.settings import env

MANUAL = (env.ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
#: Whose first argument is the code of something wrong with a service.
ERRORS = {"Misconfigured", "Transient"}
#: Whose first argument is the code of what leaves a step to a person.
STOPS = {"Permanent", "Uncertain", "Undecidable"}


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


def codes_in(path: Path, coded: set[str]) -> set[str]:
    """The codes that a module gives to what is in ``coded``, or returns with a sentence."""
    found = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        first: ast.expr | None = None
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            first = node.args[0] if node.func.id in coded else None
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            first = node.value.elts[0]
        if isinstance(first, ast.Name):
            first = constants.get(first.id)
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
    codes: set[str] = set()
    for path in careers.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        if "Finding(" in source:
            codes |= codes_in(path, ERRORS | {"Finding"})
        elif path.parent.name in ("archive", "notifications"):
            codes |= codes_in(path, ERRORS)
    named = first_column(section("What each finding means"))
    assert sorted(named) == sorted(codes)


def test_every_cause_that_stops_a_step_is_in_a_table_once() -> None:
    codes: set[str] = set()
    sources = ""
    for package in ("archive", "documents", "notifications", "operations", "pipeline"):
        for path in (env.ROOT / "careers" / package).rglob("*.py"):
            codes |= codes_in(path, ERRORS | STOPS)
            sources += path.read_text(encoding="utf-8")
    alarms = first_column(section("What each finding means"))
    named = first_column(section("What stops a step"))
    assert sorted(codes - {*alarms, *named}) == []
    assert [name for name in named if (named + alarms).count(name) > 1] == []
    assert [name for name in named if f'"{name}"' not in sources] == []
