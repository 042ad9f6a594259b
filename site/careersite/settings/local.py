"""What ``bin/run`` starts: production behaviour on one machine, with embedded services.

The embedded services' addresses stand in ``var/env``. A page shows the mails that the
embedded mail catcher kept; it exists only while the catcher is the mail server.
"""

from dotenv import dotenv_values

from careersite.settings import env
from careersite.settings.base import *  # noqa: F403 -- settings modules extend each other
from careersite.settings.base import EMAIL_HOST, EMAIL_PORT, VAR_DIR

_generated = dotenv_values(VAR_DIR / "env")
#: Whether mails end in the Maildir that the page at /mail/ shows.
EMBEDDED_MAIL = bool(EMAIL_HOST) and (EMAIL_HOST, str(EMAIL_PORT)) == (
    _generated.get("EMAIL_HOST"),
    _generated.get("EMAIL_PORT"),
)
# Nobody stands in front who would look, and Ctrl-C is to be quick.
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 0, least=0)
