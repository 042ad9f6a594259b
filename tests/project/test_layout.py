"""The layout that others rely on: what import-linter cannot say."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("careers", "home", "site", "prove", "bench")
LONGEST = 400
#: Modules that hold data only.
OF_DATA = {"careers/management/commands/seed_demo.py"}
#: Packages of tests whose modules mirror those of the product.
MIRRORED = ROOT / "tests" / "careers"


def modules(*folders: str) -> list[Path]:
    """The Python files of these folders, without migrations."""
    found = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [path for path in found if "migrations" not in path.parts]


def imported(path: Path) -> Iterator[str]:
    """The full name of each module that a module imports, wherever in the file it does."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def test_site_is_a_source_root_and_no_package() -> None:
    # The standard library owns the name.
    assert (ROOT / "site" / "careersite" / "__init__.py").exists()
    assert not (ROOT / "site" / "__init__.py").exists()


def test_no_module_has_a_vague_name() -> None:
    vague = {"utils.py", "helpers.py", "common.py", "services.py", "misc.py"}
    found = modules(*CODE, "tests")
    assert [path for path in found if path.name in vague] == []
    assert len(found) > 50


def test_no_module_is_longer_than_400_lines() -> None:
    lengths = {
        str(path.relative_to(ROOT)): path.read_text("utf-8").count("\n") for path in modules(*CODE)
    }
    assert {
        name: length for name, length in lengths.items() if length > LONGEST and name not in OF_DATA
    } == {}


def test_no_helper_of_the_tests_is_longer_than_500_lines() -> None:
    lengths = {path.name: path.read_text("utf-8").count("\n") for path in modules("tests/support")}
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_no_test_module_imports_another_or_a_conftest() -> None:
    """What two test modules share belongs in ``tests/support``."""
    wrong = []
    for path in modules("tests"):
        for name in imported(path):
            shared = name == "tests" or name.startswith("tests.support")
            if name.startswith((".", "tests.")) and not shared:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert wrong == []


def test_product_imports_neither_tests_nor_proof_nor_benchmarks() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("careers", "home", "site")
        for name in imported(path)
        if name.partition(".")[0] in ("tests", "prove", "bench")
    ]
    assert wrong == []


def test_support_prove_and_bench_import_no_test() -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules("tests/support", "prove", "bench")
        for name in imported(path)
        if name.startswith("tests.") and not name.startswith("tests.support")
    ]
    assert wrong == []


def test_test_packages_mirror_the_packages_of_the_product() -> None:
    packages = {path.name for path in (ROOT / "careers").iterdir() if path.is_dir()}
    tested = {path.name for path in MIRRORED.iterdir() if path.is_dir()}
    assert tested - packages - {"__pycache__"} == set()


def test_readme_of_the_tests_names_every_helper() -> None:
    text = (ROOT / "tests" / "README.md").read_text("utf-8")
    helpers = {
        path.name for path in (ROOT / "tests" / "support").iterdir() if path.name != "__pycache__"
    }
    assert {name for name in helpers if f"`{name.removesuffix('.py')}`" not in text} == set()
