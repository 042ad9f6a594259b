"""For pytest: the product's settings, a database of its own, cheap password hashes."""

import os
import tempfile
from pathlib import Path

_HERE = Path(tempfile.gettempdir()) / f"careersite-tests-{os.getuid()}"
_HERE.mkdir(exist_ok=True)
os.environ["VAR_DIR"] = str(_HERE)
os.environ.setdefault("SECRET_KEY", "only-for-tests")
os.environ.setdefault("AWS_STORAGE_BUCKET_NAME", "careers-test")

from careersite.settings import env  # noqa: E402 -- after the environment is set

# A developer's .env may name real services, which no test may reach.
_load = env.load
setattr(env, "load", lambda *files, **more: None)  # noqa: B010 -- mypy refuses the plain assignment

from careersite.settings.base import *  # noqa: E402, F403 -- without .env
from careersite.settings.base import DATABASES, STORAGES  # noqa: E402

# The tests of the settings read their own files.
setattr(env, "load", _load)  # noqa: B010

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# The manifest storage needs collectstatic first.
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: browsers, workers and threads share it.
    DATABASES["default"]["TEST"] = {"NAME": str(_HERE / f"test-{os.getpid()}.sqlite3")}
