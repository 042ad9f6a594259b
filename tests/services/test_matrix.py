"""A site on which every service comes from the operator, and what it reports when one fails.

PostgreSQL with a password, Debian's Redis with password and TLS, an S3 server that honours
``If-None-Match``, and a mail server with STARTTLS and login. Redis and mail use certificates of a
private authority. The other tests here use the embedded services, which differ in each point.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.test import override_settings

from careers.operations import database, probes
from careers.pipeline import broker
from tests.support.postgresql import drop_database, new_database
from tests.support.processes import until
from tests.support.servers import (
    HOST,
    Moto,
    archive_storages,
    close_archive,
    redis_with_tls,
    reserve_port,
    self_signed,
    trusting,
)
from tests.support.speed import patient
from tests.support.stack import BUCKET, DONE, ROOT, Stack, shared_postgresql, shared_template

SAFE = "Applications are stored and safe. The waiting work is done once this works again."
#: The prefixes of all codes about services.
SERVICES = ("archive", "broker", "clock", "database", "disk", "mail")
NO_SCANNER = "scanner: not configured; files are not scanned for viruses\n"
MEDIA = "media: well\n"
USER, PASSWORD = "careers", "mail-password"


class NamedSite(Stack):
    """A site with the services that an operator configures."""

    def __init__(self, directory: Path, server: str) -> None:
        super().__init__(shared_template(), directory, server=server)
        self.certificate = self_signed(directory, HOST)
        self.other_certificate = self_signed(directory, "localhost")
        self.smtp.certificate, self.smtp.login = self.certificate, (USER, PASSWORD)
        self.moto = Moto(self.archive_port)
        self.role = f"careers_{secrets.token_hex(4)}"
        self._superuser = self.database
        self.as_superuser(f"CREATE ROLE {self.role} SUPERUSER LOGIN PASSWORD 'right'")
        authority = f"?ssl_ca_certs={self.certificate}"
        at = self.database.rpartition("@")[2]
        self.environ |= {
            "DATABASE_URL": f"postgres://{self.role}:right@{at}",
            "REDIS_URL": f"rediss://:{self.broker_password}@{HOST}:{self.broker_port}/0{authority}",
            "EMAIL_HOST_USER": USER,
            "EMAIL_HOST_PASSWORD": PASSWORD,
            "EMAIL_USE_TLS": "yes",
            "SSL_CERT_FILE": str(self.certificate),
            "PIPELINE_PROBE_INTERVAL": "2",
        }

    def as_superuser(self, statement: str) -> None:
        """Change the database server from outside the site."""
        import psycopg

        with psycopg.connect(shared_postgresql(), autocommit=True) as connection:
            connection.execute(statement)

    def begin(self, name: str) -> None:
        super().begin(name)
        if name == "archive" and not self.moto.access_key:
            part = self.parts[name]
            part.until(lambda: _listens(self.archive_port), 30, "moto did not start")
            self.moto.welcome()
            self.moto.client().create_bucket(Bucket=BUCKET)
            self.environ["AWS_ACCESS_KEY_ID"] = self.moto.access_key
            self.environ["AWS_SECRET_ACCESS_KEY"] = self.moto.secret_key

    def _command(self, name: str) -> tuple[list[str], dict[str, str]]:
        argv, environ = super()._command(name)
        if name == "broker":
            directory = self.var / "broker"
            argv = redis_with_tls(
                directory, self.broker_port, self.broker_password, self.certificate
            )
        if name == "archive":
            argv, environ = [*Moto.argv, str(self.archive_port)], environ | Moto.environ
        return argv, environ

    def found(self) -> dict[str, str]:
        """What health reports about the services now: messages by code."""
        return {
            found["code"]: found["message"]
            for found in self.status()["findings"]
            if found["code"].startswith(SERVICES)
        }

    def wait_for(self, *codes: str) -> dict[str, str]:
        """Wait until health reports exactly these codes."""
        try:
            until(lambda: set(self.found()) == set(codes), 40, f"health never said {codes}")
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.found()}") from None
        return self.found()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError):
        socket.create_connection((HOST, port), 1).close()
        return True
    return False


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NamedSite]:
    directory = tmp_path_factory.mktemp("named")
    with NamedSite(directory, shared_postgresql()) as named:
        named.start("web", "cpu", "io", "sweeper")
        yield named
    named.as_superuser(f"DROP ROLE {named.role}")


def test_application_completes_all_steps(site: NamedSite) -> None:
    receipt = site.apply(name="Søren Ødegård")
    assert receipt.status == 303
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE
    (mail,) = site.smtp.mails(to=receipt.email)
    assert mail.encrypted
    stored = site.moto.client().list_objects_v2(Bucket=BUCKET)["Contents"]
    keys = {file["object_key"] for file in site.files(receipt)}
    assert keys == {entry["Key"] for entry in stored if entry["Key"].startswith("applications/")}
    # There is no advice about an S3 server that honours conditions.
    assert site.wait_for() == {}
    assert "careers-probe" not in {entry["Key"] for entry in stored}


def test_check_services_reports_no_error_on_a_working_site(site: NamedSite) -> None:
    asked = site.manage("check_services", "--strict")
    assert asked.stdout == (
        f"database: well\nbroker: well\narchive: well\nmail: well\n{NO_SCANNER}{MEDIA}"
    )
    assert asked.returncode == 0


def test_check_services_names_each_error_and_fails_only_for_the_database(
    site: NamedSite,
) -> None:
    wrong = {
        "REDIS_URL": site.environ["REDIS_URL"].replace(site.broker_password, "wrong"),
        "AWS_SECRET_ACCESS_KEY": "wrong",
        "EMAIL_HOST_PASSWORD": "wrong",
    }
    asked = site.manage("check_services", **wrong)
    assert asked.stdout == (
        "database: well\n"
        "broker: The message broker refused the password. Correct it in REDIS_URL. "
        "Applications are stored and safe. If the outage lasts, the sweeper does the work itself.\n"
        "archive: The archive (S3) refused the access key. Check AWS_ACCESS_KEY_ID and "
        f"AWS_SECRET_ACCESS_KEY. {SAFE}\n"
        "mail: The mail server refused the login (535 5.7.8 Authentication failed). Check "
        f"EMAIL_HOST_USER, EMAIL_HOST_PASSWORD and EMAIL_USE_TLS. {SAFE}\n"
        f"{NO_SCANNER}{MEDIA}"
    )
    assert asked.returncode == 0
    database = site.environ["DATABASE_URL"].replace(":right@", ":wrong@")
    asked = site.manage("check_services", **wrong, DATABASE_URL=database)
    assert asked.stdout.splitlines()[0] == (
        "database: The database refused the user or the password. Correct them in DATABASE_URL. "
        "Meanwhile the site can accept no application."
    )
    assert asked.returncode == 2
    assert "wrong" not in asked.stdout + asked.stderr


# ── While the site runs: findings appear, and applications are accepted ────────────────


def test_mail_server_with_changed_password_is_reported(site: NamedSite) -> None:
    site.smtp.login = (USER, "another")
    found = site.wait_for("mail-login")
    assert "EMAIL_HOST_PASSWORD" in found["mail-login"]
    receipt = site.apply()
    site.smtp.login = (USER, PASSWORD)
    assert receipt.status == 303
    site.wait_for()


def test_mail_server_with_untrusted_certificate_is_reported(site: NamedSite) -> None:
    site.smtp.certificate = site.other_certificate
    found = site.wait_for("mail-tls")
    assert found["mail-tls"] == (
        "The mail server’s certificate is not accepted. Nothing was sent. Check "
        "EMAIL_HOST, or renew the certificate. If your own authority signed it, name its file in "
        "SSL_CERT_FILE."
    )
    seen = len(site.smtp.commands)
    receipt = site.apply()
    until(
        lambda: site.step(receipt, "mail_applicant")["error_code"] == "mail-tls",
        40,
        "the worker did not mind",
    )
    # That server gets neither the password nor the mail.
    said = {command.partition(" ")[0].upper() for command in site.smtp.commands[seen:]}
    site.smtp.certificate = site.certificate
    assert said <= {"EHLO", "STARTTLS", "QUIT"}
    assert receipt.status == 303


def test_unreachable_mail_server_is_reported(site: NamedSite) -> None:
    site.smtp.refuse_connections()
    try:
        found = site.wait_for("mail-unreachable")
        receipt = site.apply()
    finally:
        site.smtp.listen_again()
    assert found["mail-unreachable"] == "The mail server did not answer. The site tries again."
    assert receipt.status == 303


def test_missing_bucket_is_reported(site: NamedSite) -> None:
    s3 = site.moto.client()
    site.stop("io")
    for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", []):
        s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    s3.delete_bucket(Bucket=BUCKET)
    found = site.wait_for("archive-bucket")
    receipt = site.apply()
    s3.create_bucket(Bucket=BUCKET)
    site.start("io")
    assert found["archive-bucket"].startswith("The archive (S3) has no bucket “careers”. Check AWS")
    assert receipt.status == 303
    site.wait_for_end([receipt])
    assert site.states(receipt) == DONE


def test_broker_with_changed_password_is_reported_and_loses_nothing(site: NamedSite) -> None:
    redis = site.redis()
    redis.config_set("requirepass", "another")
    # Open connections stay open.
    redis.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    try:
        found = site.wait_for("broker")
        receipt = site.apply()
    finally:
        redis.config_set("requirepass", site.broker_password)
    assert found["broker"] == ("The message broker refused the password. Correct it in REDIS_URL.")
    assert receipt.status == 303
    site.wait_for_end([receipt], keep=["cpu", "io"])
    assert site.states(receipt) == DONE


def test_broker_with_untrusted_certificate_is_reported(site: NamedSite) -> None:
    ours, site.certificate = site.certificate, site.other_certificate
    site["broker"].kill()
    site.begin("broker")
    until(lambda: _listens(site.broker_port), 20, "no broker")
    try:
        # A probe may fall between the two brokers, when nothing listens.
        until(
            lambda: "certificate" in site.found().get("broker", ""),
            40,
            "health did not report the broker's certificate",
        )
        found = site.wait_for("broker")
        receipt = site.apply()
    finally:
        site.certificate = ours
        site["broker"].kill()
        site.start("broker")
    assert found["broker"].startswith("The message broker's certificate was refused. Renew it")
    assert receipt.status == 303
    site.wait_for_end([receipt])


def test_database_outage_loses_nothing_and_ends_by_itself(site: NamedSite) -> None:
    """Without the database no application can be stored, and the applicant reads why."""
    name = site.database.rpartition("/")[2]
    site.form_address()
    site.as_superuser(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    site.as_superuser(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
    )
    try:
        refused = site.apply()
        assert (refused.status, refused.location) == (503, "")
        asked = site.manage("check_services")
        assert asked.returncode == 2
    finally:
        site.as_superuser(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
    taken = site.apply()
    assert taken.status == 303
    site.wait_for_end([taken], keep=["cpu", "io", "sweeper"])
    assert site.states(taken) == DONE


# ── At start: each fault by itself, from the real client libraries ──────────────────────


def _broker_says(url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    app = Celery(broker=url, set_as_current=False)
    if url.startswith("rediss:"):
        app.conf.broker_use_ssl = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    app.conf.broker_transport_options = {}
    monkeypatch.setattr(broker, "_app", lambda: app)
    return broker.broker_error()


def test_broker_faults_from_the_real_client(
    site: NamedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = site.environ["REDIS_URL"]
    plain, _, _query = right.partition("?")
    cases = {
        right: "",
        right.replace(site.broker_password, "x"): "refused the password",
        right.replace(f":{site.broker_password}@", ""): "refused the password",
        # The authority of its certificate is unknown here.
        plain: "certificate was refused",
        right.replace(str(site.certificate), "/nowhere.pem"): "certificate file",
        right.replace("rediss:", "redis:").partition("?")[0]: "rediss://",
        right.replace(f":{site.broker_port}/", f":{reserve_port()}/"): "Nothing listens",
        right.replace(HOST, "broker.invalid"): "host was not found",
    }
    said = {url: _broker_says(url, monkeypatch) for url in cases}
    assert [url for url, words in cases.items() if words not in said[url]] == [], said
    assert all("REDIS_URL" in words for words in said.values() if words)


def test_database_faults_from_the_real_client(site: NamedSite, tmp_path: Path) -> None:
    import psycopg

    right = site.environ["DATABASE_URL"]
    host, _, name = right.rpartition("/")
    with _only_tls(self_signed(tmp_path, HOST)) as port:
        verify = f"postgres://u:p@{HOST}:{port}/d?sslmode=verify-full&sslrootcert="
        cases = {
            right.replace(":right@", ":wrong@"): "database-login",
            right.replace(site.role, "nobody"): "database-login",
            f"{host}/nowhere": "database-missing",
            f"{right}?sslmode=require": "database-tls",
            f"{verify}{site.certificate}": "database-tls",
            f"{verify}/nowhere.pem": "database-tls",
            f"postgres://u:p@{HOST}:{reserve_port()}/d": "database-unreachable",
            "postgres://u:p@db.invalid/d": "database-unreachable",
        }
        said = {}
        for url in cases:
            with pytest.raises(psycopg.OperationalError) as caught:
                psycopg.connect(url, connect_timeout=3)
            said[url] = database.cause(caught.value)
    assert {url: code for url, (code, _words) in said.items()} == cases
    assert all("DATABASE_URL" in words for _code, words in said.values())
    assert name not in json.dumps(list(said.values()))


def test_mail_faults_from_the_real_client(site: NamedSite, settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = site.smtp.address
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = USER, PASSWORD
    settings.EMAIL_USE_TLS = True
    cases: dict[str, dict[str, Any]] = {
        "": {},
        "mail-login": {"EMAIL_HOST_PASSWORD": "wrong"},
        "mail-tls": {"EMAIL_USE_TLS": False, "EMAIL_USE_SSL": True},
        "mail-unreachable": {"EMAIL_HOST": "mail.invalid"},
    }
    with trusting(site.certificate):
        for code, wrong in cases.items():
            with override_settings(**wrong):
                assert [found.code for found in probes.ask_mail()] == [code] * bool(code)
    assert [found.code for found in probes.ask_mail()] == ["mail-tls"]


def test_archive_faults_from_the_real_client(site: NamedSite, settings: Any) -> None:
    keys = {"access_key": site.moto.access_key, "secret_key": site.moto.secret_key}
    cases: list[tuple[str, dict[str, Any]]] = [
        ("", {}),
        ("archive-key", {"access_key": "AKIAWRONG"}),
        ("archive-key", {"secret_key": "wrong"}),
        ("archive-bucket", {"bucket_name": "nobodys"}),
        ("archive-unavailable", {"endpoint_url": f"http://{HOST}:{reserve_port()}"}),
        ("archive-tls", {"endpoint_url": f"https://{HOST}:{site.broker_port}"}),
    ]
    for code, wrong in cases:
        settings.STORAGES = archive_storages(
            site.moto.endpoint, patience=3, **{"bucket_name": BUCKET, **keys, **wrong}
        )
        assert [found.code for found in probes.ask_archive()] == [code] * bool(code), wrong
        close_archive()


@contextlib.contextmanager
def _only_tls(certificate: Path) -> Iterator[int]:
    """A port that starts TLS as PostgreSQL does, with a certificate, and then stops."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(certificate))
    listener = socket.create_server((HOST, 0))

    def serve() -> None:
        while True:
            try:
                connection, _peer = listener.accept()
            except OSError:
                return
            with contextlib.suppress(OSError), connection:
                connection.recv(8)
                connection.sendall(b"S")
                context.wrap_socket(connection, server_side=True).close()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


# ── bin/run ─────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def run_environ(site: NamedSite, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of another ``bin/run`` that uses the services of ``site``."""
    seeded = shared_template().database(shared_postgresql())
    database = new_database(shared_postgresql(), template=_name(seeded))
    site.start("archive", "broker")
    environ = site.environ | {
        "VAR_DIR": str(tmp_path),
        "PORT": str(reserve_port()),
        "FLOWER_PORT": str(reserve_port()),
        "SITE_URL": "",
        "DATABASE_URL": f"{site.environ['DATABASE_URL'].rpartition('/')[0]}/{_name(database)}",
        # The other site uses database 0.
        "REDIS_URL": site.environ["REDIS_URL"].replace("/0?", "/1?"),
    }
    yield {name: value for name, value in environ.items() if value}
    drop_database(shared_postgresql(), database)


def _name(url: str) -> str:
    return url.rpartition("/")[2]


@pytest.mark.timeout(240)
def test_bin_run_uses_every_service_from_the_environment(
    run_environ: dict[str, str], site: NamedSite, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    command = [sys.executable, "-m", "careersite.embedded"]
    site.smtp.refuse_connections()
    with said.open("w") as out:
        running = subprocess.Popen(command, cwd=ROOT, env=run_environ, stdout=out, stderr=out)
    try:
        until(
            lambda: "The careers site runs." in said.read_text(),
            150,
            "bin/run did not come up",
            alive=lambda: running.poll() is None,
        )
        site.smtp.listen_again()
        applied = subprocess.run(
            [sys.executable, "manage.py", "apply_demo", "--timeout", "90"],
            cwd=ROOT,
            env=run_environ,
            capture_output=True,
            text=True,
        )
        assert applied.stdout.splitlines()[-1:] == ["4 of 4 steps succeeded."], applied.stdout
        # A service that is down is reported, and the site starts all the same.
        assert "Note: The mail server did not answer. The site tries" in said.read_text()
        children = {path.name for path in (tmp_path / "log").glob("*.log")}
        assert not children & {"broker.log", "object_store.log", "mail_catcher.log"}
        generated = (tmp_path / "env").read_text()
        for secret in (site.broker_password, PASSWORD, site.moto.secret_key, ":right@"):
            assert secret not in generated + said.read_text()
    finally:
        running.terminate()
        running.wait(60)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("EMAIL_HOST_PASSWORD", "The mail server refused the login (535 5.7.8 Authentication fail"),
        ("AWS_SECRET_ACCESS_KEY", "The archive (S3) refused the access key. Check AWS_ACCESS_KEY_"),
    ],
)
def test_bin_run_refuses_to_start_with_a_wrong_password(
    name: str, sentence: str, run_environ: dict[str, str]
) -> None:
    said = _refused(run_environ | {name: "wrong"})
    assert said.startswith(sentence)
    assert name in said
    assert said.count("\n") == 1


def test_bin_run_refuses_a_database_of_a_newer_version(run_environ: dict[str, str]) -> None:
    import psycopg

    with psycopg.connect(run_environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(
            "INSERT INTO django_migrations (app, name, applied)"
            " VALUES ('careers', '9999_of_next_year', now())"
        )
    assert _refused(run_environ) == (
        "A newer version of this site made the database (careers.9999_of_next_year). "
        "Update the code and start again, or restore an earlier backup.\n"
    )


def _refused(environ: dict[str, str]) -> str:
    """The message with which ``bin/run`` refuses to start."""
    done = subprocess.run(
        [sys.executable, "-m", "careersite.embedded"],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=patient(120),
    )
    assert done.returncode == 2, done.stdout
    return done.stderr
