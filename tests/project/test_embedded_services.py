"""The embedded services store data, check credentials and listen on loopback only."""

from __future__ import annotations

import contextlib
import os
import secrets
import smtplib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from redis import AuthenticationError, Redis

from careersite.embedded import mail_pages
from tests.support.processes import until
from tests.support.servers import reserve_port
from tests.support.speed import patient

pytestmark = pytest.mark.services


def listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), 5).close()
        return True
    return False


@contextlib.contextmanager
def running(
    module: str, directory: Path, port: int, **environ: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A service, from when it listens until it is asked to stop."""
    argv = [sys.executable, "-m", f"careersite.embedded.{module}", str(directory), str(port)]
    process = subprocess.Popen(argv, env=os.environ | environ, stderr=subprocess.STDOUT)
    try:
        until(
            lambda: listens(port),
            20,
            f"{module} does not listen",
            alive=lambda: process.poll() is None,
        )
        yield process
    finally:
        process.terminate()
        process.wait(patient(10))


def only_on_loopback(port: int) -> bool:
    """Whether nothing listens on ``port`` of another address of this machine."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    if Path("/proc/net/tcp6").exists():
        lines += Path("/proc/net/tcp6").read_text().splitlines()[1:]
    local = [line.split()[1] for line in lines if line.split()[3] == "0A"]
    hosts = {
        host for host, _, at in (entry.partition(":") for entry in local) if at == f"{port:04X}"
    }
    return hosts == {"0100007F"}


def test_killed_broker_keeps_its_messages(tmp_path: Path) -> None:
    port, password = reserve_port(), secrets.token_hex(8)
    broker = Redis(port=port, password=password)
    with running("broker", tmp_path, port, REDIS_PASSWORD=password) as process:
        broker.rpush("queue", *range(300))
        # It writes to the disk once a second.
        time.sleep(1.2)
        assert only_on_loopback(port)
        assert password not in Path(f"/proc/{process.pid}/cmdline").read_text()
        process.kill()
        process.wait()
    with running("broker", tmp_path, port, REDIS_PASSWORD=password):
        assert broker.llen("queue") == 300
        assert broker.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
    broker.close()


def test_broker_refuses_a_wrong_password(tmp_path: Path) -> None:
    port = reserve_port()
    with running("broker", tmp_path, port, REDIS_PASSWORD="right"):  # noqa: SIM117
        with Redis(port=port, password="wrong") as broker, pytest.raises(AuthenticationError):
            broker.ping()


def test_object_store_checks_signatures_and_keeps_objects(tmp_path: Path) -> None:
    port = reserve_port()

    def client(secret: str):  # type: ignore[no-untyped-def]
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id="key",
            aws_secret_access_key=secret,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
        )

    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "right"}
    with running("object_store", tmp_path, port, **keys) as process:
        client("right").create_bucket(Bucket="careers")
        client("right").put_object(Bucket="careers", Key="a", Body=b"cv")
        with pytest.raises(ClientError) as refused:
            client("wrong").get_object(Bucket="careers", Key="a")
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert only_on_loopback(port)
        assert "right" not in Path(f"/proc/{process.pid}/cmdline").read_text()
        process.kill()
        process.wait()
    with running("object_store", tmp_path, port, **keys):
        assert client("right").get_object(Bucket="careers", Key="a")["Body"].read() == b"cv"


def test_mail_catcher_stores_a_mail_unchanged(tmp_path: Path) -> None:
    port = reserve_port()
    message = EmailMessage()
    message["From"], message["To"] = "careers@example.com", "ann@example.com"
    message["Subject"] = "Grüße"
    message.set_content("One line.\n.\nAfter a line with a dot alone.\n")
    message.add_alternative("<p>One line.</p>", subtype="html")
    with running("mail_catcher", tmp_path / "mail", port), smtplib.SMTP("127.0.0.1", port) as smtp:
        smtp.send_message(message, to_addrs=["ann@example.com", "blind@example.com"])
        # The mail is on the disk before the server answers.
        [mail], total = mail_pages.listing(tmp_path / "mail")
        assert only_on_loopback(port)
    assert total == 1
    assert mail.subject == "Grüße"
    assert mail.recipients == "ann@example.com, blind@example.com"
    letter = mail_pages.letter(tmp_path / "mail", mail.key)
    assert letter.text.splitlines()[1] == "."
    assert letter.html.strip() == "<p>One line.</p>"
