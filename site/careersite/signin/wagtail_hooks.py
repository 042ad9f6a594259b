"""Where signing in appears in the admin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from wagtail import hooks
from wagtail.admin.widgets.button import Button

from careersite.signin import log
from careersite.signin.views import may_manage


@hooks.register("register_log_actions")
def register_log_actions(actions: Any) -> None:
    """Give the entries of the log their words in Wagtail's site history."""
    for action, (label, message) in log.ACTIONS.items():
        actions.register_action(action, label, message)


@hooks.register("register_account_menu_item")
def link_in_account(request: HttpRequest) -> dict[str, Any]:
    """A link on the person's own account page."""
    return {
        "url": reverse("signin_security"),
        "label": _("Sign-in and security"),
        "help_text": _("Password, second factors, sessions, and where you have signed in."),
    }


@hooks.register("register_user_listing_buttons")
def button_in_list(user: Any, request_user: Any) -> Iterator[Button]:
    """A button at each account that the person may manage."""
    if may_manage(request_user, user):
        url = reverse("signin_of_user", args=[user.pk])
        yield Button(_("Sign-in and security"), url=url, icon_name="lock", priority=15)


@hooks.register("before_edit_user")
def own_sign_in_is_changed_elsewhere(request: HttpRequest, user: Any) -> HttpResponse | None:
    """Nobody changes their own name, address or password in the list of users.

    The pages of one's own account ask for the password again, so a browser that somebody left
    open does not give the account away.
    """
    sent = request.POST
    if user != request.user or not (
        sent.get("password1")
        or sent.get("email", user.email) != user.email
        or sent.get("username", user.get_username()) != user.get_username()
    ):
        return None
    messages.error(
        request,
        _("Change your own e-mail address and password here: this page asks for your password."),
    )
    return redirect("wagtailadmin_account")
