"""The addresses of signing in. They come before Wagtail's own, which they replace.

Each view of allauth is named here. So a new one in a later release is not open before somebody has
looked at it.
"""

from __future__ import annotations

from allauth.account import views as account
from allauth.mfa.base import views as mfa
from allauth.mfa.recovery_codes import views as recovery_codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as webauthn
from allauth.socialaccount import views as social
from django.urls import path, re_path
from wagtail.admin.auth import require_admin_access

from careersite.signin import views
from careersite.signin.language import in_own_language
from careersite.signin.views import PROVIDER, closed

_ROUTES = [
    ("login/", views.SignInView.as_view(), "account_login"),
    ("sign-in/cancel/", account.logout, "account_logout"),
    ("sign-in/inactive/", account.account_inactive, "account_inactive"),
    ("sign-in/confirm/", account.reauthenticate, "account_reauthenticate"),
    ("sign-in/password/", account.password_change, "account_change_password"),
    ("sign-in/forgotten/", account.password_reset, "account_reset_password"),
    ("sign-in/forgotten/sent/", account.password_reset_done, "account_reset_password_done"),
    (
        "sign-in/forgotten/done/",
        account.password_reset_from_key_done,
        "account_reset_password_from_key_done",
    ),
    ("sign-in/factors/", mfa.index, "mfa_index"),
    ("sign-in/factors/check/", mfa.authenticate, "mfa_authenticate"),
    ("sign-in/factors/confirm/", mfa.reauthenticate, "mfa_reauthenticate"),
    ("sign-in/factors/app/", totp.activate_totp, "mfa_activate_totp"),
    ("sign-in/factors/app/remove/", totp.deactivate_totp, "mfa_deactivate_totp"),
    ("sign-in/factors/codes/", recovery_codes.view_recovery_codes, "mfa_view_recovery_codes"),
    (
        "sign-in/factors/codes/renew/",
        recovery_codes.generate_recovery_codes,
        "mfa_generate_recovery_codes",
    ),
    (
        "sign-in/factors/codes/download/",
        recovery_codes.download_recovery_codes,
        "mfa_download_recovery_codes",
    ),
    ("sign-in/factors/passkeys/", webauthn.list_webauthn, "mfa_list_webauthn"),
    ("sign-in/factors/passkeys/add/", webauthn.add_webauthn, "mfa_add_webauthn"),
    (
        "sign-in/factors/passkeys/confirm/",
        webauthn.reauthenticate_webauthn,
        "mfa_reauthenticate_webauthn",
    ),
    (
        "sign-in/factors/passkeys/<int:pk>/remove/",
        views.RemovePasskeyView.as_view(),
        "mfa_remove_webauthn",
    ),
    ("sign-in/factors/passkeys/<int:pk>/", webauthn.edit_webauthn, "mfa_edit_webauthn"),
    ("sign-in/passkey/", webauthn.login_webauthn, "mfa_login_webauthn"),
    ("sign-in/sso/cancelled/", social.login_cancelled, "socialaccount_login_cancelled"),
    ("sign-in/sso/error/", social.login_error, "socialaccount_login_error"),
    # allauth needs these names, but there is nothing of the kind here.
    ("sign-in/no-sign-up/", closed, "account_signup"),
    ("sign-in/no-password/", closed, "account_set_password"),
    ("sign-in/sso/no-sign-up/", closed, "socialaccount_signup"),
    ("sign-in/sso/no-connections/", closed, "socialaccount_connections"),
]

urlpatterns = [
    *(path(route, in_own_language(view), name=name) for route, view, name in _ROUTES),
    re_path(
        r"^sign-in/forgotten/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        in_own_language(account.password_reset_from_key),
        name="account_reset_password_from_key",
    ),
    path(
        "sign-in/sso/",
        in_own_language(views.sso_begin),
        {"provider_id": PROVIDER},
        name="openid_connect_login",
    ),
    path(
        "sign-in/sso/return/",
        in_own_language(views.sso_return),
        {"provider_id": PROVIDER},
        name="openid_connect_callback",
    ),
    path("account/", require_admin_access(views.account)),
    path("security/", require_admin_access(views.security), name="signin_security"),
    path("users/<int:pk>/security/", require_admin_access(views.security), name="signin_of_user"),
    re_path(r"^password_reset/", views.to_reset),
]

#: The login page of Wagtail's private pages, in every language.
of_pages = [path("_util/login/", views.to_sign_in)]
