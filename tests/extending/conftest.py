"""A copy of the demo site that runs from the wheel, with the app of one recipe beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import recipes
from tests.support.wheel import WheelSite

Follow = Callable[[str], WheelSite]


@pytest.fixture
def follow(installed: Path, seeded: Path, tmp_path: Path) -> Follow:
    """Writes the files of a recipe into a new site; returns the site."""

    def write(title: str) -> WheelSite:
        shutil.copytree(seeded, tmp_path, dirs_exist_ok=True)
        recipes.write(title, tmp_path)
        return WheelSite(installed, tmp_path)

    return write
