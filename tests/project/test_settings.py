"""Settings come from the environment, and a wrong one says what to correct."""

from __future__ import annotations

import datetime as dt
import importlib.util
import os
import ssl
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from django.core.exceptions import ImproperlyConfigured

from careersite.settings import env

SETTINGS = Path(env.__file__).parent
OIDC = {
    "OIDC_ISSUER": "https://login.example.com",
    "OIDC_CLIENT_ID": "careers",
    "OIDC_CLIENT_SECRET": "secret",
    "OIDC_GROUPS": "careers-hr=HR lead, cn=ops=operator",
}
Load = Callable[..., ModuleType]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Load:
    """``load("base", NAME="value")`` reads the settings in that environment only."""
    monkeypatch.setattr(env, "ROOT", tmp_path)

    def read(module: str, **environ: str) -> ModuleType:
        given = {"SECRET_KEY": "x" * 50, "VAR_DIR": str(tmp_path), **environ}
        monkeypatch.setattr(os, "environ", {name: text for name, text in given.items() if text})
        for part in ("flower", "pipeline", "signin"):
            # ``base`` imports them, and they read the environment, too.
            monkeypatch.delitem(sys.modules, f"careersite.settings.{part}", raising=False)
        spec = importlib.util.spec_from_file_location(f"fresh_{module}", SETTINGS / f"{module}.py")
        assert spec
        assert spec.loader
        fresh = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(fresh)
        return fresh

    return read


def test_settings_need_only_a_secret_key(load: Load, tmp_path: Path) -> None:
    base = load("base")
    assert base.SITE_URL == "http://localhost:8000"
    assert base.DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
    assert base.DATABASES["default"]["NAME"] == str(tmp_path / "db.sqlite3")
    assert base.DEBUG is False


def test_sqlite_syncs_to_disk_and_waits_for_other_writers(load: Load) -> None:
    options = load("base").DATABASES["default"]["OPTIONS"]
    assert "synchronous=FULL" in options["init_command"]
    assert options["transaction_mode"] == "IMMEDIATE"


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set."),
        (
            {"PORT": "eighty"},
            "PORT must be a whole number, not eighty. Correct PORT and start again.",
        ),
        ({"DRAIN_SECONDS": "nan"}, "DRAIN_SECONDS must be a number, not nan."),
        ({"MAILS_PER_MAILBOX": "0.5"}, "MAILS_PER_MAILBOX must be at least 1, not 0.5."),
        ({"APPLICATIONS_PER_JOB": "9"}, "must hold rates such as 20/minute or 120/hour, not 9."),
        ({"APPLICATIONS_PER_JOB": "0/hour"}, "must hold rates"),
        ({"APPLICATIONS_PER_JOB": "-1/hour"}, "must hold rates"),
        ({"APPLICATIONS_PER_JOB": "9/week"}, "must hold rates"),
        ({"PORT": "70000"}, "PORT must be a port from 1 to 65535, not 70000."),
        ({"DEBUG": "perhaps"}, "DEBUG must be true or false, not perhaps."),
        ({"SITE_URL": "careers.example.org"}, "SITE_URL must start with http:// or https://."),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL must start with sqlite:// or postgres://"),
        ({"REDIS_URL": "amqp://x"}, "REDIS_URL must start with redis://"),
        ({"EMAIL_HOST_USER": "x"}, "EMAIL_HOST_USER is set but EMAIL_HOST is not."),
        ({"EMAIL_HOST_PASSWORD": "x"}, "is set but EMAIL_HOST_USER is not. Give the user"),
        (
            {"EMAIL_HOST": "mail", "EMAIL_HOST_USER": "x"},
            "EMAIL_HOST_USER is set but EMAIL_HOST_PASSWORD is not. Give the user's password",
        ),
        ({"EMAIL_PROVIDER": "resend"}, "EMAIL_API_KEY is not. Give the provider's API key"),
        ({"EMAIL_API_KEY": "re_1"}, "EMAIL_PROVIDER is not. Name the mail provider"),
        ({"EMAIL_WEBHOOK_SECRET": "x"}, "EMAIL_PROVIDER is not. Name the mail provider"),
        (
            {"EMAIL_PROVIDER": "resend", "EMAIL_API_KEY": "r", "EMAIL_WEBHOOK_SECRET": "a/b"},
            "EMAIL_WEBHOOK_SECRET must be 16 or more letters and digits",
        ),
        ({"EMAIL_API_URL": "http://x"}, "EMAIL_PROVIDER is not. Name the mail provider"),
        (
            {"EMAIL_PROVIDER": "resend", "EMAIL_API_KEY": "a\nb"},
            "EMAIL_API_KEY holds a character that",
        ),
        (
            {"EMAIL_PROVIDER": "resend", "EMAIL_API_KEY": "re_1", "EMAIL_HOST": "mail"},
            "EMAIL_PROVIDER and EMAIL_HOST are both set. Keep EMAIL_PROVIDER to send through",
        ),
        ({"EMAIL_USE_TLS": "1", "EMAIL_USE_SSL": "1"}, "are both on. Keep EMAIL_USE_TLS for"),
        ({"AWS_ACCESS_KEY_ID": "x"}, "is set but AWS_SECRET_ACCESS_KEY is not. Give the secret"),
        ({"AWS_SECRET_ACCESS_KEY": "x"}, "is set but AWS_ACCESS_KEY_ID is not. Give the key"),
        (
            {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"},
            "AWS_ACCESS_KEY_ID is set but AWS_STORAGE_BUCKET_NAME is not. Name the private bucket",
        ),
        ({"AWS_S3_ENDPOINT_URL": "http://s3"}, "is set but AWS_STORAGE_BUCKET_NAME is not."),
        ({"DATABASE_URL": "postgres://user:word@host"}, "DATABASE_URL names no database. Write"),
        ({"DATABASE_URL": "postgres://user:word@/careers"}, "DATABASE_URL names no host. Write"),
        ({"DATABASE_URL": "postgres://user:p/#d@host/x"}, "In a password write / as %2F, # as"),
        ({"REDIS_URL": "redis:///0"}, "REDIS_URL names no host. Write it as redis://…"),
        (
            {"SSL_CERT_FILE": "/nowhere.pem"},
            "SSL_CERT_FILE names /nowhere.pem, which",
        ),
        ({"SITE_URL": "https://"}, "SITE_URL names no host. Write it as https://…"),
        ({"SITE_URL": "https://i❤.ws"}, "SITE_URL names a host that can't exist. Correct SITE_URL"),
        ({"ALLOWED_HOSTS": "a.example,.i❤.ws"}, "ALLOWED_HOSTS names a host that can't exist."),
        ({"EMAIL_HOST": "faß..de"}, "EMAIL_HOST names a host that can't exist."),
        ({"DEFAULT_FROM_EMAIL": "x@i❤.ws"}, "DEFAULT_FROM_EMAIL names a host that can't exist."),
        ({"DEFAULT_FROM_EMAIL": "zoë@x.org"}, "DEFAULT_FROM_EMAIL must have only the letters a"),
        ({"PIPELINE_LEASE": "100"}, "must rise in this order and stay below 900 seconds."),
        ({"PIPELINE_SWEEP_INTERVAL": "0"}, "PIPELINE_SWEEP_INTERVAL must be at least 0.1"),
        (OIDC | {"OIDC_ISSUER": "http://login.example.com"}, "OIDC_ISSUER must start with https"),
        (OIDC | {"OIDC_GROUPS": ""}, "nobody could sign in"),
        (OIDC | {"OIDC_GROUPS": "HR lead"}, "OIDC_GROUPS must hold pairs such as"),
        (OIDC | {"OIDC_SECOND_FACTOR": "yes"}, "must be amr, always or never, not yes"),
        ({"OIDC_ISSUER": "https://x.example"}, "OIDC_ISSUER is set but OIDC_CLIENT_ID is not"),
        ({"BIND_ADDRESS": "localhost"}, "BIND_ADDRESS must be an IP address such as 127.0.0.1"),
        ({"TRUSTED_PROXIES": "10.0.0.1 proxy"}, "TRUSTED_PROXIES must hold IP addresses or"),
        ({"SECRET_KEY": "", "SECRET_KEY_FILE": "/nowhere"}, "which can't be read"),
        ({"HSTS_PRELOAD": "1"}, "HSTS_PRELOAD is on but HSTS_INCLUDE_SUBDOMAINS is not."),
        ({"HASH_KEY": "short"}, "HASH_KEY must be one word of 32 or more characters"),
        ({"HASH_KEY": "a" * 32 + " " + "b" * 32}, "HASH_KEY must be one word of 32 or more"),
        ({"HASH_KEY_FALLBACKS": "short"}, "and so must each word in HASH_KEY_FALLBACKS"),
        ({"EXTRA_APPS": "acme_careers"}, "EXTRA_APPS names acme_careers, which is not installed."),
        ({"TEMPLATE_DIR": "/nowhere"}, "TEMPLATE_DIR names /nowhere, which is not a directory."),
        ({"LANGUAGES": "en,frr"}, "LANGUAGES holds frr, which is not a language code that Django"),
        ({"LANGUAGES": "fr,de"}, "LANGUAGES must hold en, the default language of the site"),
    ],
)
def test_wrong_setting_names_the_variable_to_correct(
    load: Load, environ: dict[str, str], words: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        load("base", **environ)
    assert words in str(caught.value)


def test_rates_accept_commas_and_spaces(load: Load) -> None:
    base = load("base", APPLICATIONS_PER_NETWORK="5/minute, 50/hour 500/day")
    minute, hour, day = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)
    assert [(5, minute), (50, hour), (500, day)] == base.APPLICATIONS_PER_NETWORK
    assert [(20, minute), (120, hour)] == load("base").APPLICATIONS_PER_NETWORK


def test_trusted_proxies_accept_addresses_and_networks(load: Load) -> None:
    given = "10.0.0.1, 192.0.2.0/24 2001:db8::/32,"
    proxies = load("base", TRUSTED_PROXIES=given).TRUSTED_PROXIES
    assert [str(proxy) for proxy in proxies] == ["10.0.0.1/32", "192.0.2.0/24", "2001:db8::/32"]
    assert load("base").TRUSTED_PROXIES == []


#: What every process together needs in production.
PRODUCTION = {
    "SITE_URL": "https://careers.example.org",
    "DATABASE_URL": "postgres://u:p@db/careers",
    "REDIS_URL": "redis://broker:6379/0",
    "AWS_STORAGE_BUCKET_NAME": "careers",
    "EMAIL_HOST": "mail",
    "DEFAULT_FROM_EMAIL": "careers@example.org",
    "SECRET_KEY": "x" * 50,
}


@pytest.mark.parametrize("missing", PRODUCTION)
def test_production_names_each_missing_variable(missing: str, tmp_path: Path) -> None:
    done = production(tmp_path, {**PRODUCTION, missing: ""})
    assert f"{missing} is not set. " in done.stderr


@pytest.mark.parametrize(
    ("process", "needed"),
    [
        ("beat", {"SITE_URL", "DATABASE_URL", "REDIS_URL"}),
        ("bucket", {"SITE_URL", "AWS_STORAGE_BUCKET_NAME"}),
        ("sweeper", set(PRODUCTION)),
    ],
)
def test_production_demands_only_what_the_process_needs(
    process: str, needed: set[str], tmp_path: Path
) -> None:
    given = {name: PRODUCTION[name] for name in needed}
    assert production(tmp_path, {**given, "PROCESS": process}).returncode == 0


def test_unknown_process_is_refused(load: Load) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"PROCESS must be one of web, .*, not webb"):
        load("base", PROCESS="webb")


def production(here: Path, given: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Read the settings of production in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "import careersite.settings.production"],
        cwd=here,
        env={"PATH": os.environ["PATH"], "VAR_DIR": str(here), **given},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_misspelt_variable_is_named_with_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The environment is full of other programs' variables; a .env holds mostly ours."""
    monkeypatch.setattr(
        os, "environ", {"HOME": "/", "EMAIL_HOSTS": "x", "EMAIL_FOOTER": "x", "AWS_PROFILE": "x"}
    )
    dotenv = tmp_path / ".env"
    dotenv.write_text(
        "AWS_BUCKET_NAME=b\nEMAIL_PASSWORD=x\nPIPELINE_TURBO=1\nPOSTGRES_PASSWORD=x\n"
        "SECRET_KEY_FILE=/run/secret\nPORT=8000\n"
    )
    nothing = f"in {dotenv} is not a setting of this site and is ignored."
    assert env.misspelt(dotenv) == [
        f"AWS_BUCKET_NAME {nothing} Did you mean AWS_STORAGE_BUCKET_NAME?",
        f"EMAIL_PASSWORD {nothing} Did you mean EMAIL_HOST_PASSWORD?",
        f"PIPELINE_TURBO {nothing}",
        "EMAIL_HOSTS is not a setting of this site and is ignored. Did you mean EMAIL_HOST?",
    ]


def test_former_name_of_a_variable_still_works(load: Load) -> None:
    former = {"PIPELINE_RERING_AFTER": "120"}
    assert load("base", **former).PIPELINE_REDISPATCH_AFTER == 120
    assert load("base", **former, PIPELINE_REDISPATCH_AFTER="30").PIPELINE_REDISPATCH_AFTER == 30


def test_database_url_for_a_unix_socket_needs_no_host(load: Load) -> None:
    assert (
        load("base", DATABASE_URL="postgres:///careers").DATABASES["default"]["NAME"] == "careers"
    )


def test_broker_certificate_is_verified_with_tls(load: Load) -> None:
    ours = load("base", REDIS_URL="rediss://:x@broker:6379/0").CELERY_BROKER_USE_SSL
    assert ours == {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True}
    query = "ssl_ca_certs=/etc/ca.pem&ssl_cert_reqs=none"
    chosen = load("base", REDIS_URL=f"rediss://:x@broker:6379/0?{query}").CELERY_BROKER_USE_SSL
    assert chosen["ssl_ca_certs"] == "/etc/ca.pem"
    assert chosen["ssl_cert_reqs"] == ssl.CERT_NONE
    assert not hasattr(load("base"), "CELERY_BROKER_USE_SSL")


def test_environment_precedes_env_file_and_env_file_precedes_generated(
    load: Load, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PORT=8001\nFLOWER_PORT=5001\n")
    (tmp_path / "env").write_text("PORT=8002\nFLOWER_PORT=5002\nSECRET_KEY=generated\n")
    base = load("base", PORT="8000", SECRET_KEY="")
    assert (base.PORT, base.FLOWER_PORT, base.SECRET_KEY) == (8000, 5001, "generated")


def test_secret_is_read_from_a_mounted_file(load: Load, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from a file\n")
    base = load("base", SECRET_KEY="", SECRET_KEY_FILE=str(tmp_path / "secret"))
    assert base.SECRET_KEY == "from a file"


def test_earlier_keys_are_separated_by_commas_or_lines(load: Load, tmp_path: Path) -> None:
    (tmp_path / "earlier").write_text(f"{'b' * 32}\n{'c' * 32}\n")
    base = load(
        "base",
        SECRET_KEY_FALLBACKS="one,two",
        HASH_KEY="a" * 32,
        HASH_KEY_FALLBACKS_FILE=str(tmp_path / "earlier"),
    )
    assert base.SECRET_KEY_FALLBACKS == ["one", "two"]
    assert [letter * 32 for letter in "abc"] == base.HASH_KEYS
    assert (load("base").SECRET_KEY_FALLBACKS, load("base").HASH_KEYS) == ([], [])


def test_named_service_ignores_generated_values(load: Load, tmp_path: Path) -> None:
    generated = "EMAIL_HOST=127.0.0.1\nEMAIL_PORT=2525\nREDIS_URL=redis://127.0.0.1:6399/0\n"
    (tmp_path / "env").write_text(generated)
    base = load("base", EMAIL_HOST="smtp.example.org")
    assert (base.EMAIL_HOST, base.EMAIL_PORT) == ("smtp.example.org", 25)
    assert base.REDIS_URL == "redis://127.0.0.1:6399/0"


def test_every_connection_has_a_time_out(load: Load) -> None:
    base = load("base", DATABASE_URL="postgres://u:p@db/x")
    archive = base.STORAGES["archive"]["OPTIONS"]["client_config"]
    assert base.EMAIL_TIMEOUT <= 30
    assert (archive.connect_timeout, archive.read_timeout) == (3, 20)
    assert base.CELERY_BROKER_TRANSPORT_OPTIONS["socket_timeout"] <= 10
    database = base.DATABASES["default"]["OPTIONS"]
    assert database["connect_timeout"] <= 10
    assert "statement_timeout" in database["options"]
    # Seconds until the connection to a machine that vanished is closed.
    silence = database["keepalives_idle"]
    silence += database["keepalives_interval"] * database["keepalives_count"]
    assert (database["tcp_user_timeout"], silence) == (20_000, 25)


def test_cookies_are_secure_with_https(load: Load) -> None:
    base = load("base", SITE_URL="https://careers.example.org/")
    assert base.SITE_URL == "https://careers.example.org"
    assert base.SESSION_COOKIE_SECURE is base.CSRF_COOKIE_SECURE is True
    assert base.SECURE_HSTS_SECONDS > 0
    assert base.SECURE_HSTS_INCLUDE_SUBDOMAINS is base.SECURE_HSTS_PRELOAD is False
    assert "careers.example.org" in base.ALLOWED_HOSTS


def test_cookies_are_bound_to_the_host_with_https(load: Load) -> None:
    names = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME")
    plain, secure = load("base"), load("base", SITE_URL="https://careers.example.org")
    assert [getattr(plain, name) for name in names] == ["sessionid", "csrftoken", "language"]
    for name in names:
        assert getattr(secure, name) == f"__Host-{getattr(plain, name)}"
        # What browsers demand of such a cookie.
        kind = name.removesuffix("_NAME")
        assert getattr(secure, f"{kind}_SECURE") is True
        assert not hasattr(secure, f"{kind}_DOMAIN")
        assert not hasattr(secure, f"{kind}_PATH")
    # Django's cookie for messages has a fixed name.
    assert secure.MESSAGE_STORAGE.endswith(".SessionStorage")


@pytest.mark.parametrize(
    ("given", "expected"),
    [("1", True), ("On", True), ("YES", True), ("0", False), ("off", False), ("", False)],
)
def test_flag_accepts_the_usual_words(load: Load, given: str, expected: bool) -> None:
    assert load("base", EMAIL_USE_TLS=given).EMAIL_USE_TLS is expected


def test_languages_follow_the_environment(load: Load) -> None:
    base = load("base", LANGUAGES="en, DE,pt-br,de")
    assert base.LANGUAGES == [
        ("en", "English"),
        ("de", "German"),
        ("pt-br", "Brazilian Portuguese"),
    ]
    assert base.WAGTAIL_CONTENT_LANGUAGES == base.LANGUAGES
    assert load("base").LANGUAGES == [("en", "English"), ("fr", "French")]


def test_extension_comes_before_the_product_and_template_dir_before_both(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    brand, app = tmp_path / "brand", tmp_path / "acme_careers"
    for directory in (brand / "templates", brand / "locale", app / "templates", app / "static"):
        directory.mkdir(parents=True)
    (app / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    base = load(
        "base",
        EXTRA_APPS="acme_careers.apps.AcmeConfig",
        TEMPLATE_DIR=str(brand / "templates"),
    )
    assert base.INSTALLED_APPS[:2] == [
        "acme_careers.apps.AcmeConfig",
        "careers.apps.CareersConfig",
    ]
    ours = env.RESOURCES
    assert base.TEMPLATES[0]["DIRS"] == [
        brand / "templates",
        app / "templates",
        ours / "templates",
    ]
    assert [app / "static", ours / "static"] == base.STATICFILES_DIRS
    assert [brand / "locale", ours / "locale"] == base.LOCALE_PATHS


def test_command_line_reports_a_wrong_setting_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(env.ROOT / "manage.py"), "pipeline_status"],
        env={"VAR_DIR": str(tmp_path), "SECRET_KEY": "x" * 50, "PORT": "eighty"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "Correct PORT and start again." in done.stderr


def test_single_sign_on_is_read_from_the_environment(load: Load) -> None:
    base = load("base", **OIDC)
    assert base.OIDC_GROUPS == [("careers-hr", "HR lead"), ("cn=ops", "operator")]
    (app,) = base.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"]
    assert (app["client_id"], app["secret"]) == ("careers", "secret")
    assert app["settings"]["oauth_pkce_enabled"]
    assert load("base").SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"] == []


def test_hosts_in_settings_are_the_ones_that_were_written(load: Load) -> None:
    base = load(
        "base",
        SITE_URL="https://straße.example:8443/",
        ALLOWED_HOSTS="straße.example, .faß.de, *, my_host, [::1]",
        EMAIL_HOST="mail.faß.de",
        DEFAULT_FROM_EMAIL="Jobs <jobs@faß.de>",
        AWS_STORAGE_BUCKET_NAME="x",
        AWS_S3_ENDPOINT_URL="https://s3.faß.de",
        DATABASE_URL="postgres://user:paß@db.faß.de/careers",
        REDIS_URL="redis://:paß@redis.faß.de:6379/0",
        CLAMAV_URL="tcp://clamav.faß.de:3310",
        FLOWER_URL="https://faß.de/flower/",
    )
    assert base.SITE_URL == "https://xn--strae-oqa.example:8443"
    assert base.ALLOWED_HOSTS[:5] == [
        "xn--strae-oqa.example",
        ".xn--fa-hia.de",
        "*",
        "my_host",
        "[::1]",
    ]
    assert base.EMAIL_HOST == "mail.xn--fa-hia.de"
    assert base.DEFAULT_FROM_EMAIL == "Jobs <jobs@xn--fa-hia.de>"
    assert base.AWS_S3_ENDPOINT_URL == "https://s3.xn--fa-hia.de"
    assert base.DATABASES["default"]["HOST"] == "db.xn--fa-hia.de"
    assert base.DATABASES["default"]["PASSWORD"] == "paß"
    assert base.REDIS_URL == "redis://:paß@redis.xn--fa-hia.de:6379/0"
    assert base.CLAMAV_URL == "tcp://clamav.xn--fa-hia.de:3310"
    assert base.FLOWER_URL == "https://xn--fa-hia.de/flower/"
    assert load("base", SITE_URL="https://faß.de").ALLOWED_HOSTS[0] == "xn--fa-hia.de"


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:3310",
        "tcp://127.0.0.1",
        "tcp://:3310",
        "tcp://host:port",
        "tcp://host:99999",
        "tcp://user@host:3310",
        "tcp://host:3310/path",
        "http://host:3310",
        "unix://clamd.ctl",
        "unix:",
        "/run/clamav/clamd.ctl",
        "tcp://[::1:3310",
    ],
)
def test_wrong_address_of_the_scanner_is_refused(load: Load, url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CLAMAV_URL must be tcp://host:port"):
        load("base", CLAMAV_URL=url)


@pytest.mark.parametrize(
    "url", ["", "tcp://127.0.0.1:3310", "tcp://[::1]:3310", "unix:///run/clamav/clamd.ctl"]
)
def test_right_address_of_the_scanner_is_kept(load: Load, url: str) -> None:
    assert url == load("base", CLAMAV_URL=url).CLAMAV_URL
