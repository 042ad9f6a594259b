"""The layout that others rely on."""

from __future__ import annotations

from pathlib import Path

from importlinter.cli import lint_imports

ROOT = Path(__file__).resolve().parents[2]


def test_site_is_a_source_root_and_no_package() -> None:
    # The standard library owns the name.
    assert (ROOT / "site" / "careersite" / "__init__.py").exists()
    assert not (ROOT / "site" / "__init__.py").exists()


def test_packages_import_only_what_the_contracts_allow() -> None:
    assert lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_every_migration_is_written_down(django_db_blocker: object) -> None:
    from django.core.management import call_command

    with django_db_blocker.unblock():  # type: ignore[attr-defined]
        call_command("makemigrations", "careers", "home", check=True, dry_run=True, verbosity=0)


def test_modules_have_names_of_what_is_in_them() -> None:
    vague = {"utils.py", "helpers.py", "common.py", "services.py", "misc.py"}
    found = [path for top in ("careers", "home", "site") for path in (ROOT / top).rglob("*.py")]
    assert [path for path in found if path.name in vague] == []
    assert len(found) > 50
