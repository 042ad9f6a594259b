"""What may be installed is pinned with hashes, and the bill of materials lists it."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FILES = ("requirements.txt", "requirements-dev.txt")


@pytest.fixture(scope="module")
def pins() -> ModuleType:
    loader = SourceFileLoader("pins", str(ROOT / "bin/pins"))
    spec = spec_from_loader("pins", loader)
    assert spec
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module


def pinned(file: str) -> dict[str, str]:
    """Each package of a file of pins with its version; an entry without a hash is an error."""
    text = re.sub(r"^#.*\n", "", (ROOT / file).read_text(), flags=re.MULTILINE)
    entries = re.split(r"\n(?! )", text.strip())
    found = {}
    for entry in entries:
        name, _end, hashes = entry.partition(" \\\n")
        assert re.fullmatch(r"( +--hash=sha256:[0-9a-f]{64}( \\\n)?)+", hashes), entry[:80]
        requirement = Requirement(name)
        (version,) = requirement.specifier
        assert version.operator == "=="
        found[canonicalize_name(requirement.name)] = version.version
    return found


@pytest.mark.parametrize("file", FILES)
def test_every_pin_has_a_version_and_hashes(file: str) -> None:
    assert len(pinned(file)) > 80


@pytest.mark.parametrize(("file", "extras"), list(zip(FILES, ("embedded", "dev"), strict=True)))
def test_pins_satisfy_pyproject(file: str, extras: str) -> None:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["build"]]
    wanted += project["optional-dependencies"][extras]
    found = pinned(file)
    for text in wanted:
        requirement = Requirement(text)
        if requirement.name != project["name"]:
            version = found[canonicalize_name(requirement.name)]
            assert requirement.specifier.contains(version), text


def test_pins_for_tests_include_those_of_the_site() -> None:
    assert pinned("requirements.txt").items() <= pinned("requirements-dev.txt").items()


def test_bill_of_materials_lists_the_pins(pins: ModuleType) -> None:
    text = (ROOT / "sbom.json").read_text()
    assert text == pins.sbom((ROOT / "requirements.txt").read_text())
    bom = json.loads(text)
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    listed = {part["name"]: part["version"] for part in bom["components"]}
    assert listed == pinned("requirements.txt")
    refs = [part["bom-ref"] for part in bom["components"]]
    assert len(refs) == len(set(refs))


@pytest.mark.parametrize("file", ["bin/setup", "Dockerfile"])
def test_installation_checks_hashes_and_resolves_nothing(file: str) -> None:
    lines = [line.strip() for line in (ROOT / file).read_text().replace("\\\n", "").splitlines()]
    commands = re.findall(
        r'(?:pip|"\$\{pip\[@\]\}") (?:install )?(--.*?)(?=&&|$)', "\n".join(lines), re.M
    )
    assert len([c for c in commands if c.startswith("--require-hashes -r ")]) == 1
    assert len([c for c in commands if c.startswith("--no-deps --no-build-isolation -e .")]) == 1
