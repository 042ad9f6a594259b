"""Which services are embedded, and what ``var/env`` holds."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from dotenv import dotenv_values

from careersite.embedded.environment import Refused, arrange, check_complete
from careersite.settings import env


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An environment without our variables; it is restored afterwards."""
    before = dict(os.environ)
    for name in env.NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    yield
    for name in env.NAMES - before.keys():
        os.environ.pop(name, None)


def test_all_services_are_embedded_when_nothing_is_configured(tmp_path: Path) -> None:
    assert arrange(tmp_path) == {"database", "broker", "archive", "mail"}
    made = dotenv_values(tmp_path / "env")
    ports = {
        urlsplit(made["REDIS_URL"] or "").port,
        urlsplit(made["AWS_S3_ENDPOINT_URL"] or "").port,
        int(made["EMAIL_PORT"] or 0),
    }
    assert len(ports) == 3
    assert all(made[name] for name in ("SECRET_KEY", "ADMIN_PASSWORD", "FLOWER_PASSWORD"))
    assert len(urlsplit(made["REDIS_URL"] or "").password or "") >= 32


def test_only_the_owner_can_read_the_secrets(tmp_path: Path) -> None:
    arrange(tmp_path)
    assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600


def test_next_start_keeps_the_generated_values(tmp_path: Path) -> None:
    arrange(tmp_path)
    first = dotenv_values(tmp_path / "env")
    arrange(tmp_path)
    assert dotenv_values(tmp_path / "env") == first


def test_port_in_use_is_replaced(tmp_path: Path) -> None:
    arrange(tmp_path)
    first = dotenv_values(tmp_path / "env")
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(first["EMAIL_PORT"] or 0)))
        other.listen()
        arrange(tmp_path)
    second = dotenv_values(tmp_path / "env")
    assert second["EMAIL_PORT"] != first["EMAIL_PORT"]
    assert {**second, "EMAIL_PORT": None} == {**first, "EMAIL_PORT": None}


def test_configured_service_is_not_embedded_and_not_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrange(tmp_path)
    monkeypatch.setenv("REDIS_URL", "redis://:hush@broker.example:6379/0")
    monkeypatch.setenv("ADMIN_PASSWORD", "my very own")
    assert arrange(tmp_path) == {"database", "archive", "mail"}
    text = (tmp_path / "env").read_text()
    assert "REDIS_URL" not in text
    assert "hush" not in text
    assert "my very own" not in text


def test_second_shell_finds_the_generated_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrange(tmp_path)
    env.load(generated=tmp_path / "env")
    assert env.given("EMAIL_HOST") == "127.0.0.1"


def test_configured_service_ignores_the_generated_values(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrange(tmp_path)
    monkeypatch.setenv("EMAIL_HOST", "smtp.example.com")
    env.load(generated=tmp_path / "env")
    assert env.given("EMAIL_PORT") == ""
    assert env.given("AWS_STORAGE_BUCKET_NAME") == "careers"


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"EMAIL_HOST_USER": "ann"}, "EMAIL_HOST"),
        ({"EMAIL_PORT": "587"}, "EMAIL_HOST"),
        ({"AWS_STORAGE_BUCKET_NAME": "b"}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_STORAGE_BUCKET_NAME": "b", "AWS_ACCESS_KEY_ID": "k"}, "AWS_SECRET_ACCESS_KEY"),
        ({"AWS_ACCESS_KEY_ID": "k"}, "AWS_STORAGE_BUCKET_NAME"),
    ],
)
def test_incomplete_service_is_refused_in_one_line(
    given: dict[str, str], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Refused, match=f"is set but {missing} is not") as refused:
        check_complete()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given", [{}, {"REDIS_URL": "redis://x"}, {"EMAIL_HOST": "smtp.x"}])
def test_complete_service_is_accepted(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    check_complete()
