"""What is embedded, and what ``var/env`` holds."""

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
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A person who gave nothing; what is loaded meanwhile is forgotten afterwards."""
    before = dict(os.environ)
    for name in env.NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(f"{name}_FILE", raising=False)
    yield
    for name in env.NAMES - before.keys():
        os.environ.pop(name, None)


def test_everything_is_embedded_when_nothing_is_given(tmp_path: Path) -> None:
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


def test_only_its_owner_may_read_the_secrets(tmp_path: Path) -> None:
    arrange(tmp_path)
    assert stat.S_IMODE((tmp_path / "env").stat().st_mode) == 0o600


def test_the_next_start_finds_the_same(tmp_path: Path) -> None:
    arrange(tmp_path)
    first = dotenv_values(tmp_path / "env")
    arrange(tmp_path)
    assert dotenv_values(tmp_path / "env") == first


def test_a_port_that_somebody_took_is_left_to_them(tmp_path: Path) -> None:
    arrange(tmp_path)
    first = dotenv_values(tmp_path / "env")
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", int(first["EMAIL_PORT"] or 0)))
        somebody.listen()
        arrange(tmp_path)
    second = dotenv_values(tmp_path / "env")
    assert second["EMAIL_PORT"] != first["EMAIL_PORT"]
    assert {**second, "EMAIL_PORT": None} == {**first, "EMAIL_PORT": None}


def test_what_a_person_gives_switches_only_that_and_is_not_copied(
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


def test_a_second_shell_finds_what_was_generated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrange(tmp_path)
    env.load(generated=tmp_path / "env")
    assert env.given("EMAIL_HOST") == "127.0.0.1"


def test_a_service_that_is_named_gets_nothing_of_the_embedded_one(
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
def test_a_service_named_by_half_is_refused_in_one_sentence(
    given: dict[str, str], missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Refused, match=f"is set but {missing} is not") as refused:
        check_complete()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("given", [{}, {"REDIS_URL": "redis://x"}, {"EMAIL_HOST": "smtp.x"}])
def test_a_service_named_in_full_is_not_refused(
    given: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    check_complete()
