"""What browsers may do with our pages: policies and names of cookies.

Sources: Content Security Policy Level 3, Permissions Policy, and OWASP's HTTP Headers cheat sheet.
"""

from csp.constants import NONE, SELF, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from careersite.settings import env

#: Where browsers report what a policy blocked; see ``careersite.browser_reports``.
REPORTS_PATH = "/browser-reports/"
#: The name of that address in policies.
REPORTS_GROUP = "reports"

_REPORTED = {"report-uri": [REPORTS_PATH], "report-to": REPORTS_GROUP}

#: Public pages: our own files only, nothing inline, in no frame.
PUBLIC_POLICY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "media-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    **_REPORTED,
}
#: The admin: no inline script, either; ``careers.backoffice.inert_scripts`` says how. Draftail and
#: wagtail-localize add style elements with changing content. Wagtail shows previews in a frame.
ADMIN_POLICY = {
    **PUBLIC_POLICY,
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:", "blob:"],
    "frame-src": [SELF],
    "frame-ancestors": [SELF],
}
#: What people uploaded, such as pictures. Nothing in it may run.
FILE_POLICY = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "base-uri": [NONE],
    "frame-ancestors": [NONE],
    "sandbox": True,
}
#: PDFs of this site: browsers' viewers do not work inside a sandbox.
PDF_POLICY = {
    "default-src": [NONE],
    "object-src": [SELF],
    "base-uri": [NONE],
    "frame-ancestors": [SELF],
}

#: Features that no page uses are off for everybody, also for a script that gets in.
PERMISSIONS_POLICY = ", ".join(
    [
        *(
            f"{feature}=()"
            for feature in (
                "accelerometer",
                "autoplay",
                "bluetooth",
                "browsing-topics",
                "camera",
                "display-capture",
                "encrypted-media",
                "gamepad",
                "geolocation",
                "gyroscope",
                "hid",
                "idle-detection",
                "local-fonts",
                "magnetometer",
                "microphone",
                "midi",
                "payment",
                "picture-in-picture",
                "screen-wake-lock",
                "serial",
                "storage-access",
                "usb",
                "window-management",
                "xr-spatial-tracking",
            )
        ),
        # The receipt's button that copies, previews, and passkeys.
        *(
            f"{feature}=(self)"
            for feature in (
                "clipboard-write",
                "fullscreen",
                "publickey-credentials-create",
                "publickey-credentials-get",
            )
        ),
    ]
)


def cookie_names(*, secure: bool) -> list[str]:
    """The names of the cookies for sessions, forms and the language.

    With https, ``__Host-`` binds them to this host (RFC 6265bis, 4.1.3.2). Browsers accept such a
    name only with ``Secure``, ``Path=/`` and no ``Domain``. Django's cookie for messages has a
    fixed name, so messages are in the session.
    """
    prefix = "__Host-" if secure else ""
    return [f"{prefix}{name}" for name in ("sessionid", "csrftoken", "language")]


def check_hsts() -> None:
    """Refuse HSTS_PRELOAD without HSTS_INCLUDE_SUBDOMAINS: browsers list no such domain."""
    if env.flag("HSTS_PRELOAD") and not env.flag("HSTS_INCLUDE_SUBDOMAINS"):
        raise ImproperlyConfigured(
            "HSTS_PRELOAD is on but HSTS_INCLUDE_SUBDOMAINS is not. Browsers list only domains "
            "with both: turn both on, or HSTS_PRELOAD off."
        )
