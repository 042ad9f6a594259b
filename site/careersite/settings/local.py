"""``bin/run``: like production, but on one machine and with embedded services.

``var/env`` has the addresses of the embedded services. A page shows the mails of the embedded
mail catcher; it exists only while the catcher is the mail server.
"""

from dotenv import dotenv_values

from careersite.settings import env
from careersite.settings.base import *  # noqa: F403 -- settings modules extend each other
from careersite.settings.base import EMAIL_HOST, EMAIL_PORT, TRUSTED_PROXIES, VAR_DIR

_generated = dotenv_values(VAR_DIR / "env")
#: Whether the embedded mail catcher gets the mails, and /mail/ shows them.
EMBEDDED_MAIL = bool(EMAIL_HOST) and (EMAIL_HOST, str(EMAIL_PORT)) == (
    _generated.get("EMAIL_HOST"),
    _generated.get("EMAIL_PORT"),
)
# No load balancer checks readiness here, and Ctrl-C must be quick.
DRAIN_SECONDS = env.number("DRAIN_SECONDS", 0, least=0)
# Without a proxy nobody needs Flower's password, which would be a way around the second factor.
FLOWER_TAKES_PASSWORD = bool(TRUSTED_PROXIES)
