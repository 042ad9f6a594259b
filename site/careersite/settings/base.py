"""Settings of every installation; what differs comes from the environment (see ``env``)."""

import re
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from botocore.config import Config as S3Config
from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured
from kombu.utils.url import parse_url as parse_broker_url

from careersite.logs import LOGGING  # noqa: F401 -- a setting of Django
from careersite.settings import browser, database, env, hosts, keys, languages
from careersite.settings.env import RESOURCES, ROOT

VAR_DIR = Path(env.given("VAR_DIR") or ROOT / "var")
if not env.IS_CHECKOUT:
    VAR_DIR.mkdir(parents=True, exist_ok=True)
env.load(ROOT / ".env", generated=VAR_DIR / "env")
env.check_pairs()
env.readable("SSL_CERT_FILE")

from careersite.settings.cms import *  # noqa: E402, F403 -- these are settings, too
from careersite.settings.flower import *  # noqa: E402, F403 -- they read what was just loaded
from careersite.settings.pipeline import *  # noqa: E402, F403
from careersite.settings.pipeline import (  # noqa: E402
    PIPELINE_HARD_LIMIT,
    PIPELINE_SOFT_LIMIT,
    PIPELINE_VISIBILITY,
)
from careersite.settings.signin import *  # noqa: E402, F403

#: `bin/run` and `check_services` show them, so that a misspelt name does not go unnoticed.
MISSPELT = env.misspelt(ROOT / ".env")

# ── Site ────────────────────────────────────────────────────────────────────────────────

DEBUG = env.flag("DEBUG")
SECRET_KEY = keys.secret_key()
SECRET_KEY_FALLBACKS = env.keys("SECRET_KEY_FALLBACKS")
#: See ``careers.applications.digests``.
HASH_KEYS = keys.hash_keys()
PORT = env.port("PORT", env.DEFAULT_PORT)
SITE_URL = env.url("SITE_URL", f"http://localhost:{PORT}", "http", "https").rstrip("/")
SECURE = SITE_URL.startswith("https://")
# The last two are for health checks from this machine.
ALLOWED_HOSTS = [
    *(
        hosts.pattern("ALLOWED_HOSTS", word)
        for word in env.words("ALLOWED_HOSTS") or [urlsplit(SITE_URL).hostname or "localhost"]
    ),
    "localhost",
    "127.0.0.1",
]
CSRF_TRUSTED_ORIGINS = [SITE_URL]
BIND_ADDRESS = env.address("BIND_ADDRESS", "127.0.0.1")
#: Seconds for which a stopping web process answers requests while it reports "not ready".
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 5, least=0)
#: Addresses of our own proxies: only their headers about the visitor are trusted.
TRUSTED_PROXIES = env.networks("TRUSTED_PROXIES")
WAGTAIL_SITE_NAME = "Careers"
WAGTAILADMIN_BASE_URL = SITE_URL

# ── Extensions ──────────────────────────────────────────────────────────────────────────

#: Extension apps come first, so that their templates, static files and translations win.
EXTRA_APPS = env.apps("EXTRA_APPS")
TEMPLATE_DIR = env.directory("TEMPLATE_DIR")


def _resources(name: str) -> list[Path]:
    """The directories with such files, the one that wins first.

    ``static`` and ``locale`` beside TEMPLATE_DIR belong to it.
    """
    added = [package / name for package in EXTRA_APPS.values()]
    if TEMPLATE_DIR:
        added.insert(0, TEMPLATE_DIR if name == "templates" else TEMPLATE_DIR.parent / name)
    return [*(path for path in added if path.is_dir()), RESOURCES / name]


INSTALLED_APPS = [
    *EXTRA_APPS,
    "careers.apps.CareersConfig",
    "home.apps.HomeConfig",
    *SIGNIN_APPS,
    "wagtail_localize",
    # In place of wagtail.locales: an editor can choose which language another is synced from.
    "wagtail_localize.locales",
    "wagtail.contrib.forms",
    "wagtail.contrib.redirects",
    "wagtail.contrib.settings",
    "wagtail.embeds",
    "wagtail.sites",
    "careers.apps.AccountsConfig",  # wagtail.users
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "modelcluster",
    "taggit",
    "csp",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.sitemaps",
    "django.contrib.staticfiles",
    "django.forms",
]

MIDDLEWARE = [
    "careersite.proxies.only_our_proxies_are_believed",
    "careersite.logs.requests_have_ids",
    "careersite.middleware.every_response_is_isolated",
    "careersite.middleware.public_pages_are_cacheable",
    "careersite.middleware.ContentSecurityPolicyMiddleware",
    "careersite.bodies.bodies_are_bounded",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "careers.backoffice.polling.unchanged_polls_are_short",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "careersite.signin.second_factor.only_both_factors_count",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "wagtail.contrib.redirects.middleware.RedirectMiddleware",
    "home.content_cache.requests_share_content",
    "careers.jobs.publishing.published_jobs_are_checked",
]

ROOT_URLCONF = "careersite.urls"
WSGI_APPLICATION = "careersite.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": _resources("templates"),
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "wagtail.contrib.settings.context_processors.settings",
            ],
            "builtins": ["home.templatetags.bidi", "home.templatetags.addresses"],
            "libraries": {"feeds": "careers.feeds.tags"},
        },
    },
]

# ── Database: the queue, the truth ──────────────────────────────────────────────────────

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASE_URL = env.url(
    "DATABASE_URL",
    f"sqlite:///{VAR_DIR / 'db.sqlite3'}",
    "sqlite",
    "postgres",
    "postgresql",
)
DATABASES = {"default": database.configured(DATABASE_URL)}

# ── Languages and time ──────────────────────────────────────────────────────────────────

# The address sets the language of a page: the default language has no prefix, the others have.
LANGUAGE_CODE = "en"
LANGUAGES = languages.languages("LANGUAGES", "en,fr", needed=LANGUAGE_CODE)
WAGTAIL_CONTENT_LANGUAGES = WAGTAILADMIN_PERMITTED_LANGUAGES = LANGUAGES
LOCALE_PATHS = _resources("locale")
FORMAT_MODULE_PATH = ["careersite.formats"]
WAGTAIL_I18N_ENABLED = True
# A page sent for translation stays a draft; else its English text would be public as French.
WAGTAILLOCALIZE_SYNC_LIVE_STATUS_ON_TRANSLATE = False
WAGTAILLOCALIZE_JOBS = {"BACKEND": "careers.languages.background.CeleryBackend"}
USE_TZ = True
TIME_ZONE = "UTC"

# ── Files ───────────────────────────────────────────────────────────────────────────────

STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = _resources("static")
MEDIA_URL = "/media/"
MEDIA_ROOT = VAR_DIR / "media"
#: The most bytes of one uploaded file, and of one whole request.
UPLOAD_MAX_BYTES = 10 * 1024 * 1024
REQUEST_MAX_BYTES = 32 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024  # all texts together
#: For the page form of a signed-in editor: 300 questions with 10 options each. Every other form
#: gets the second limit (``careersite.bodies``).
DATA_UPLOAD_MAX_NUMBER_FIELDS, PUBLIC_FORM_MAX_FIELDS = 20_000, 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 50
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
#: Where clamd listens; "" for none, and files are then not scanned.
CLAMAV_URL = env.socket_url("CLAMAV_URL")

# ── Floods ──────────────────────────────────────────────────────────────────────────────

#: Above these rates, further applications are quarantined. See ``careers.intake.velocity``.
APPLICATIONS_PER_NETWORK = env.rates("APPLICATIONS_PER_NETWORK", "20/minute 120/hour")
APPLICATIONS_PER_JOB = env.rates("APPLICATIONS_PER_JOB", "60/minute 600/hour")
#: The most mails that one applicant's mailbox gets within 24 hours.
MAILS_PER_MAILBOX = int(env.number("MAILS_PER_MAILBOX", 10, least=1))

AWS_STORAGE_BUCKET_NAME = env.given("AWS_STORAGE_BUCKET_NAME")
AWS_S3_ENDPOINT_URL = env.url("AWS_S3_ENDPOINT_URL", "", "http", "https") or None
# Many S3 servers other than AWS refuse or ignore the newer checksum trailers and virtual-host
# addressing, so only AWS itself gets both.
_COMPATIBLE = AWS_S3_ENDPOINT_URL is not None
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "careersite.staticfiles.StaticFilesStorage"},
    "archive": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": AWS_STORAGE_BUCKET_NAME,
            "endpoint_url": AWS_S3_ENDPOINT_URL,
            "access_key": env.given("AWS_ACCESS_KEY_ID") or None,
            "secret_key": env.given("AWS_SECRET_ACCESS_KEY") or None,
            "region_name": env.given("AWS_S3_REGION_NAME") or "us-east-1",
            "client_config": S3Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if _COMPATIBLE else "auto"},
                request_checksum_calculation="when_required" if _COMPATIBLE else "when_supported",
                response_checksum_validation="when_required" if _COMPATIBLE else "when_supported",
                retries={"mode": "standard", "max_attempts": 2},
                connect_timeout=3,
                read_timeout=20,
            ),
            "default_acl": None,
            "file_overwrite": False,
            "querystring_auth": True,
            "querystring_expire": 60,
            # boto3 has its own list of authorities and ignores OpenSSL's.
            "verify": env.given("SSL_CERT_FILE") or None,
        },
    },
}

# ── Mail ────────────────────────────────────────────────────────────────────────────────

#: Mails of Django, Wagtail and allauth go the way of all others.
EMAIL_BACKEND = "careers.notifications.backend.EmailBackend"
EMAIL_HOST = hosts.name("EMAIL_HOST", env.given("EMAIL_HOST"))
EMAIL_USE_TLS = env.flag("EMAIL_USE_TLS")
EMAIL_USE_SSL = env.flag("EMAIL_USE_SSL")
EMAIL_PORT = env.port("EMAIL_PORT", 587 if EMAIL_USE_TLS else 465 if EMAIL_USE_SSL else 25)
EMAIL_HOST_USER = env.given("EMAIL_HOST_USER")
EMAIL_HOST_PASSWORD = env.given("EMAIL_HOST_PASSWORD")
#: Seconds to wait for each answer. Python's default has no end: a server that hangs would
#: block a worker.
EMAIL_TIMEOUT = env.number("EMAIL_TIMEOUT", 20, least=1)
#: A provider's HTTP API in place of a mail server, or "". ``notifications.providers`` refuses
#: an unknown name at start, when every app has registered its own.
EMAIL_PROVIDER = env.given("EMAIL_PROVIDER").strip().lower()
EMAIL_API_KEY = env.given("EMAIL_API_KEY")
if not (EMAIL_API_KEY.isascii() and EMAIL_API_KEY.isprintable()):
    raise ImproperlyConfigured(
        "EMAIL_API_KEY holds a character that no key has, such as a line break. Copy it again."
    )
EMAIL_API_URL = env.url("EMAIL_API_URL", "", "http", "https")
# requests has its own list of authorities and ignores OpenSSL's.
EMAIL_API_CA = env.given("SSL_CERT_FILE")
#: The password with which the provider reports bounces; "" to accept no reports.
EMAIL_WEBHOOK_SECRET = env.given("EMAIL_WEBHOOK_SECRET")
if EMAIL_WEBHOOK_SECRET and not re.fullmatch(r"[A-Za-z0-9]{16,}", EMAIL_WEBHOOK_SECRET):
    raise ImproperlyConfigured(
        "EMAIL_WEBHOOK_SECRET must be 16 or more letters and digits: it becomes part of an "
        "address. `openssl rand -hex 24` makes one."
    )
if EMAIL_PROVIDER and EMAIL_HOST:
    raise ImproperlyConfigured(
        "EMAIL_PROVIDER and EMAIL_HOST are both set. Keep EMAIL_PROVIDER to send through the "
        "provider's API, or EMAIL_HOST to send through a mail server."
    )
DEFAULT_FROM_EMAIL = hosts.sender("DEFAULT_FROM_EMAIL", env.given("DEFAULT_FROM_EMAIL"))
DEFAULT_FROM_EMAIL = DEFAULT_FROM_EMAIL or EMAIL_HOST_USER or "careers@localhost"
SERVER_EMAIL = DEFAULT_FROM_EMAIL
if EMAIL_USE_TLS and EMAIL_USE_SSL:
    raise ImproperlyConfigured(
        "EMAIL_USE_TLS and EMAIL_USE_SSL are both on. Keep EMAIL_USE_TLS for STARTTLS (port 587), "
        "or EMAIL_USE_SSL for implicit TLS (port 465)."
    )

# ── Celery ──────────────────────────────────────────────────────────────────────────────

REDIS_URL = env.url("REDIS_URL", "redis://127.0.0.1:6379/0", "redis", "rediss", "redis+socket")
CELERY_BROKER_URL = REDIS_URL
if REDIS_URL.startswith("rediss://"):
    # Without this kombu accepts any certificate, and Flower refuses to connect.
    CELERY_BROKER_USE_SSL = {
        "ssl_cert_reqs": ssl.CERT_REQUIRED,
        "ssl_check_hostname": True,
        **parse_broker_url(REDIS_URL).get("ssl", {}),
    }
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": PIPELINE_VISIBILITY,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "health_check_interval": 25,
    "global_keyprefix": "careers:",
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.1,
}
# Rows are the truth: Celery's state of a task is for Flower only.
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_TASK_TRACK_STARTED = True
CELERY_TASK_SOFT_TIME_LIMIT = PIPELINE_SOFT_LIMIT
CELERY_TASK_TIME_LIMIT = PIPELINE_HARD_LIMIT
CELERY_TASK_SEND_SENT_EVENT = True
CELERY_TASK_CREATE_MISSING_QUEUES = True
CELERY_TASK_DEFAULT_QUEUE = "io"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_SEND_TASK_EVENTS = True
# A process that makes PDFs grows by some kilobytes per document, of which WeasyPrint leaks one.
# A new process keeps memory flat (docs/endurance.md). It costs as much as four documents.
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
#: Seconds that a process may take before it is ready. It makes a first PDF (``careers.documents``).
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 60.0
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30.0
CELERY_WORKER_ENABLE_SOFT_SHUTDOWN_ON_IDLE = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE_FILENAME = str(VAR_DIR / "beat")
CELERY_BEAT_SCHEDULER = "careers.operations.schedule:Scheduler"
#: Seconds; beat reports its heartbeat as often, and one is valid for half a minute.
CELERY_BEAT_MAX_LOOP_INTERVAL = 10
CELERY_BEAT_SCHEDULE = {
    "publish-scheduled": {"task": "careers.publish_scheduled", "schedule": 60.0},
    "translate-pages": {"task": "careers.translate_pages", "schedule": 300.0},
    "clean-up-uploads": {"task": "careers.clean_up_uploads", "schedule": 3600.0},
    "clean-up-sign-ins": {"task": "careers.clean_up_sign_ins", "schedule": 3600.0},
    "check-content": {"task": "careers.check_content", "schedule": 600.0},
    "watch": {"task": "careers.watch", "schedule": 60.0},
    "index-texts": {"task": "careers.index_texts", "schedule": 60.0},
    "thin-history": {"task": "careers.thin_history", "schedule": crontab(minute="20", hour="*/3")},
    # The task knows the company's time zone and sends one summary a day.
    "daily-digest": {"task": "careers.daily_digest", "schedule": crontab(minute="5")},
    # Several times a day, in case the archive is unavailable at one of them.
    "check-archive": {
        "task": "careers.check_archive",
        "schedule": crontab(minute="35", hour="*/6"),
    },
}

# ── Security ────────────────────────────────────────────────────────────────────────────

SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = SECURE
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, LANGUAGE_COOKIE_NAME = browser.cookie_names(secure=SECURE)
CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# The middleware removes this header unless one of our own proxies sent it.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_HSTS_SECONDS = 31536000 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.flag("HSTS_INCLUDE_SUBDOMAINS")
SECURE_HSTS_PRELOAD = env.flag("HSTS_PRELOAD")
browser.check_hsts()
# With "no-referrer" browsers would send "Origin: null" with our own form.
SECURE_REFERRER_POLICY = "same-origin"
# The middleware has a policy for each kind of response.
CONTENT_SECURITY_POLICY = {"DIRECTIVES": browser.PUBLIC_POLICY}
