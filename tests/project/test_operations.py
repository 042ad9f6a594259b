"""The operators' manual has every setting, every finding and every cause of a stopped step."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from careers.operations import words
from careersite.settings import env

MANUAL = (env.ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
#: Errors of a service; the first argument is the code.
ERRORS = {"Misconfigured", "Transient"}
#: Errors that leave a step to a person; the first argument is the code.
STOPS = {"Permanent", "Uncertain", "Undecidable"}
#: What reports a finding or gives its words, with the code as ``code`` or as arguments.
FINDINGS = {"Finding", "says"}


def section(title: str) -> str:
    """The text below a heading."""
    return MANUAL.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def first_column(text: str) -> list[str]:
    """The names in the first column of a table; a cell may hold several."""
    return [
        name
        for row in re.findall(r"^\| (.+?) \|", text, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", row)
    ]


def codes_in(path: Path, callables: set[str]) -> set[str]:
    """The codes that a module gives to one of ``callables``, or returns with a sentence."""
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
        given: list[ast.expr] = []
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id in callables:
                given = node.args if node.func.id == "says" else node.args[:1]
                given = [*given, *(word.value for word in node.keywords if word.arg == "code")]
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            given = node.value.elts[:1]
        for value in given:
            if isinstance(value, ast.Name):
                value = constants.get(value.id, value)
            if isinstance(value, ast.JoinedStr):
                # Only its beginning is the same for every finding of this kind.
                value = value.values[0]
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                found.add(value.value.rstrip("."))
    return found


def test_every_variable_is_in_the_table_of_settings_once() -> None:
    named = first_column(section("Settings"))
    assert sorted(named) == sorted(env.NAMES)


def test_every_finding_is_in_its_table_once() -> None:
    careers = env.ROOT / "careers"
    codes: set[str] = set()
    for path in careers.rglob("*.py"):
        package = path.relative_to(careers).parts[0]
        source = path.read_text(encoding="utf-8")
        if "Finding(" in source or "@says(" in source:
            codes |= codes_in(path, ERRORS | FINDINGS)
        elif package in ("archive", "notifications", "scanning"):
            codes |= codes_in(path, ERRORS)
    named = first_column(section("What each finding means"))
    assert sorted(named) == sorted(codes)


def test_every_finding_has_sentences() -> None:
    reported = {
        code
        for folder in ("careers", "site")
        for path in (env.ROOT / folder).rglob("*.py")
        for code in re.findall(r'Finding\(\s*code=f?"([a-z-]+)', path.read_text("utf-8"))
    }
    assert "needs-attention" in reported
    assert {code for code in reported if not code.endswith("-")} <= set(words.codes())


def test_every_cause_that_stops_a_step_is_in_a_table_once() -> None:
    codes: set[str] = set()
    sources = ""
    for package in ("archive", "documents", "notifications", "operations", "pipeline", "scanning"):
        for path in (env.ROOT / "careers" / package).rglob("*.py"):
            codes |= codes_in(path, ERRORS | STOPS)
            sources += path.read_text(encoding="utf-8")
    findings = first_column(section("What each finding means"))
    named = first_column(section("What stops a step"))
    assert sorted(codes - {*findings, *named}) == []
    assert [name for name in named if (named + findings).count(name) > 1] == []
    assert [name for name in named if f'"{name}"' not in sources] == []
