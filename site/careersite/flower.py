"""Access to Flower, for operators: it shows the steps of the whole site.

Behind our proxy, Flower is at ``/flower/``, and the proxy asks ``let_pass`` about every request.
Without a proxy, ``enter`` redirects to Flower's own address.
"""

from __future__ import annotations

from base64 import b64encode
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from careers.backoffice.permissions import is_operator
from careers.operations import processes
from careers.pipeline.transitions import db_now
from careersite.proxies import came_through_our_proxy
from careersite.signin.second_factor import person_of

OUR_OWN = {"127.0.0.1", "::1", "localhost"}


def may_see_flower(user: Any) -> bool:
    """Whether a person who is signed in may see Flower."""
    return bool(is_operator(user))


async def let_in(handler: Any) -> None:
    """Tornado's ``prepare`` in Flower's own process: whether to answer a request.

    A browser sends the site's session cookie to Flower's port, too, because cookies do not depend
    on the port. A visitor without a session is sent to the site's sign-in page.

    Raises:
        tornado.web.HTTPError: 401, for a wrong password and for programs.
    """
    if settings.FLOWER_TAKES_PASSWORD and handler.request.headers.get("Authorization"):
        # Flower compares it, and raises the error.
        handler.get_current_user()
        return
    handler.current_user = "by the site"
    cookies = {name: morsel.value for name, morsel in handler.request.cookies.items()}
    if await sync_to_async(_has_session)(cookies):
        return
    if handler.request.headers.get("Sec-Fetch-Mode") == "navigate":
        handler.redirect(f"{settings.SITE_URL}{reverse('wagtailadmin_login')}?next=/flower/")
        return
    handler.set_status(401)
    handler.finish("Access denied")


def _has_session(cookies: dict[str, str]) -> bool:
    """Whether these cookies are of a person who may see Flower and has shown both factors."""
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    if not key:
        return False
    # Django does this at the beginning of its own requests.
    close_old_connections()
    request = HttpRequest()
    request.path = "/flower/"
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = person_of(request)
    return user.is_authenticated and may_see_flower(user)


@require_safe
@never_cache
def let_pass(request: HttpRequest) -> HttpResponse:
    """Forward authentication: whether the proxy may pass a request on to Flower.

    On 200 the proxy copies our ``Authorization`` header to Flower, so no person types or sees
    Flower's password. The visitor gets any other answer.
    """
    if not came_through_our_proxy(request):
        return _refuse(
            request,
            _("This address is for the proxy"),
            _(
                "The proxy asks here who may see Flower. If you came here through /flower/, add "
                "the proxy to TRUSTED_PROXIES."
            ),
        )
    wanted = request.headers.get("X-Forwarded-Uri", "")
    refusal = _refusal(request, wanted if wanted.startswith("/flower/") else "/flower/")
    if refusal:
        return refusal
    credentials = b64encode(f"{settings.FLOWER_USER}:{settings.FLOWER_PASSWORD}".encode()).decode()
    return HttpResponse(headers={"Authorization": f"Basic {credentials}"})


@require_safe
@never_cache
def enter(request: HttpRequest, page: str = "") -> HttpResponse:
    """Without a proxy: redirect people who may see Flower to its own address."""
    refusal = _refusal(request, request.get_full_path())
    if refusal:
        return refusal
    there, here = urlsplit(settings.FLOWER_URL), urlsplit(settings.SITE_URL)
    is_ours = (there.scheme, there.netloc) == (here.scheme, here.netloc)
    if is_ours or (there.hostname in OUR_OWN and here.hostname not in OUR_OWN):
        return _refuse(
            request,
            _("Flower is not here"),
            _(
                "Configure the proxy in front of this site to pass /flower/ on to Flower, as the "
                "Caddyfile does, or set FLOWER_URL to Flower’s address."
            ),
            status=404,
        )
    if not processes.read(db_now()).flowers:
        # Browsers show their cookies to whatever listens on that port.
        return _refuse(
            request,
            _("Flower is not running"),
            _(
                "Flower has given no sign of life for half a minute. Task status shows the same, "
                "and says what to do."
            ),
            status=503,
        )
    url = f"{settings.FLOWER_URL.rstrip('/')}/{quote(page)}"
    return render(request, "careersite/flower_elsewhere.html", {"there": url})


def _refusal(request: HttpRequest, wanted: str) -> HttpResponse | None:
    """The response for a visitor who may not see Flower; None if they may."""
    if not request.user.is_authenticated:
        login = reverse("wagtailadmin_login")
        return HttpResponseRedirect(f"{login}?next={quote(wanted)}")
    if not may_see_flower(request.user):
        return _refuse(
            request,
            _("You may not see Flower"),
            _(
                "Flower shows the steps of the whole site, so it is for operators. Ask an "
                "administrator of this site for that role."
            ),
        )
    return None


def _refuse(request: HttpRequest, title: str, words: str, status: int = 403) -> HttpResponse:
    context = {"title": title, "words": words}
    return render(request, "careersite/flower_refused.html", context, status=status)
