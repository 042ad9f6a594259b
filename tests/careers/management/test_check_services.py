"""``manage.py check_services`` names what an operator must correct."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from careers.management.commands.check_services import media_fault


def test_media_fault_empty_for_folder_that_can_be_made(tmp_path: Path) -> None:
    assert media_fault(tmp_path / "not" / "there") == ""


def test_media_fault_names_folder_and_command_when_not_writable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Root may write to every folder.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    said = media_fault(tmp_path)
    assert said.startswith(f"{tmp_path} can't be written to")
    assert f"chown -R {os.geteuid()} {tmp_path}" in said
