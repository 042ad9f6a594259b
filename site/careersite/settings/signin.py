"""Settings of signing in to the admin: django-allauth, single sign-on, cookies.

``docs/operations.md`` describes the variables. ``base`` imports this module after it has loaded the
environment.
"""

import ipaddress
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from careersite.settings import env

# ── Django ──────────────────────────────────────────────────────────────────────────────

SIGNIN_APPS = [
    "careersite.signin.apps.SignInConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
]
#: allauth checks the password. No other code can sign anybody in with one.
AUTHENTICATION_BACKENDS = ["careersite.signin.passwords.PasswordBackend"]
#: Length and guessed passwords count, not kinds of characters (NIST SP 800-63B-4, 3.1.1.2).
AUTH_PASSWORD_VALIDATORS = [
    *(
        {"NAME": f"django.contrib.auth.password_validation.{name}"}
        for name in (
            "UserAttributeSimilarityValidator",
            "MinimumLengthValidator",  # 8
            "CommonPasswordValidator",
        )
    ),
    {"NAME": "careersite.signin.validators.OwnWordsValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "wagtailadmin_home"
#: A session also ends when the browser is closed.
SESSION_COOKIE_AGE = 12 * 60 * 60
CACHES = {
    "default": {"BACKEND": "careersite.signin.memory.SplitCache", "LOCATION": "careersite"},
    # Limits on wrong passwords and used codes, which all processes must know. The default limit
    # of 300 entries would let a stranger push out others' entries.
    "signin": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "signin_memory",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

# ── Wagtail ─────────────────────────────────────────────────────────────────────────────

# allauth has these pages, with limits and without a way around the second factor.
WAGTAIL_PASSWORD_MANAGEMENT_ENABLED = False
WAGTAIL_PASSWORD_RESET_ENABLED = False
WAGTAIL_FRONTEND_LOGIN_URL = LOGIN_URL

# ── django-allauth ──────────────────────────────────────────────────────────────────────

ACCOUNT_ADAPTER = "careersite.signin.adapters.AccountAdapter"
MFA_ADAPTER = "careersite.signin.adapters.FactorAdapter"
SOCIALACCOUNT_ADAPTER = "careersite.signin.sso.SingleSignOnAdapter"
#: Administrators create the accounts.
ACCOUNT_SIGNUP_ENABLED = False
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*"]
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_LOGIN_BY_CODE_ENABLED = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_METHODS = ["password", "mfa"]
ACCOUNT_FORMS = {"reset_password": "careersite.signin.passwords.ResetForm"}
#: Amount/period/what it counts; "key" is the person and their address, or only the person.
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "5/5m/key,50/d/key",
    # Apart from the one above, which allauth clears for a person who shows a right code.
    "login_failed_address": "30/5m/ip,300/d/ip",
    # For a person from addresses where they have never signed in.
    "login_failed_anywhere": "50/h/key",
    "reset_password": "20/h/ip,5/h/key",
    "reset_password_from_key": "20/m/ip",
    "change_password": "5/m/user",
    "reauthenticate": "10/m/user",
}
#: A network of IPv6 counts as one address.
ALLAUTH_RATE_LIMIT_IPV6_PREFIX = 64
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
#: Clocks may differ by this many steps of 30 seconds.
MFA_TOTP_TOLERANCE = 1
USERSESSIONS_TRACK_ACTIVITY = False

# ── Single sign-on ──────────────────────────────────────────────────────────────────────


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _pairs(name: str) -> list[tuple[str, str]]:
    """Comma-separated ``claim=group``; the last ``=`` separates them."""
    found = []
    for word in filter(str.strip, env.given(name).split(",")):
        claim, separator, group = (part.strip() for part in word.rpartition("="))
        if not (separator and claim and group):
            raise ImproperlyConfigured(
                f"{name} must hold pairs such as careers-hr=HR lead, separated by commas, not "
                f"{word.strip()}."
            )
        found.append((claim, group))
    return found


#: The OpenID provider, or "" for none.
OIDC_ISSUER = env.url("OIDC_ISSUER", "", "http", "https").rstrip("/")
OIDC_NAME = env.given("OIDC_NAME") or "Single sign-on"
OIDC_GROUPS_CLAIM = env.given("OIDC_GROUPS_CLAIM") or "groups"
#: Which value of the claim gives which group of the site.
OIDC_GROUPS = _pairs("OIDC_GROUPS")
#: Whether a verified e-mail address of the provider connects to an existing account.
OIDC_LINK_BY_EMAIL = env.flag("OIDC_LINK_BY_EMAIL")
#: When the provider's sign-in counts as both factors: "amr", "always" or "never".
OIDC_SECOND_FACTOR = env.given("OIDC_SECOND_FACTOR").strip().lower() or "amr"
if OIDC_SECOND_FACTOR not in ("amr", "always", "never"):
    raise ImproperlyConfigured(
        f"OIDC_SECOND_FACTOR must be amr, always or never, not {OIDC_SECOND_FACTOR}."
    )
if OIDC_ISSUER.startswith("http://") and not _is_loopback(OIDC_ISSUER):
    raise ImproperlyConfigured("OIDC_ISSUER must start with https://.")
if OIDC_ISSUER and not OIDC_GROUPS:
    raise ImproperlyConfigured(
        "OIDC_ISSUER is set but OIDC_GROUPS is not. Without it nobody could sign in. Write "
        "for instance OIDC_GROUPS=careers-hr=HR lead."
    )
SOCIALACCOUNT_ENABLED = True
SOCIALACCOUNT_ONLY = False
#: The form-action of the security policy does not allow a form to redirect to the provider.
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION = OIDC_LINK_BY_EMAIL
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = OIDC_LINK_BY_EMAIL
SOCIALACCOUNT_EMAIL_VERIFICATION = "none"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 5
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": "sso",
                "name": OIDC_NAME,
                "client_id": env.given("OIDC_CLIENT_ID"),
                "secret": env.given("OIDC_CLIENT_SECRET"),
                "settings": {
                    "server_url": OIDC_ISSUER,
                    "oauth_pkce_enabled": True,
                    "scope": (env.given("OIDC_SCOPES") or "openid profile email").split(),
                    "email_authentication": OIDC_LINK_BY_EMAIL,
                },
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}
