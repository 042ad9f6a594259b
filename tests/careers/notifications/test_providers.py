"""Mail through a provider's HTTP API: what each answer means, and the lack of one."""

from __future__ import annotations

import datetime as dt
import json
import ssl
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from careers.applications.errors import (
    EffectError,
    Fenced,
    Misconfigured,
    Permanent,
    Transient,
    Uncertain,
    Undecidable,
)
from careers.notifications import Delivery, IdempotencyWindow, deliver, probe, providers
from careers.notifications.providers.answers import pause
from careers.notifications.providers.http import WatchedAdapter
from tests.support.mail_provider import API_KEY, HostileProvider, Proxy
from tests.support.mails import MESSAGE_ID, RECIPIENT, mail
from tests.support.servers import reserve_port, self_signed


@pytest.fixture
def provider(settings: Any) -> Iterator[HostileProvider]:
    with HostileProvider() as server:
        settings.EMAIL_PROVIDER, settings.EMAIL_API_KEY = "resend", API_KEY
        settings.EMAIL_API_URL, settings.EMAIL_API_CA = server.url, ""
        settings.EMAIL_TIMEOUT = 0.5
        yield server


def send(message: EmailMultiAlternatives | None = None) -> Delivery:
    return deliver(message or mail(), before_send=lambda window=None: None)


@pytest.mark.parametrize("name", ["brevo", "postmark", "resend"])
def test_send_passes_the_whole_mail_to_each_provider(
    provider: HostileProvider, settings: Any, name: str
) -> None:
    settings.EMAIL_PROVIDER = name
    message = mail("Hello Jane.\n", to=["jane@faß.de"], reply_to=["Ann <ann@bücher.example>"])
    message.metadata = {"mail": "12.abc"}  # type: ignore[attr-defined]
    delivery = send(message)
    assert delivery.message_id == MESSAGE_ID
    assert delivery.response.split()[0] in ("200", "201")
    (sent,) = provider.mails
    assert (sent.recipient, sent.mark) == ("jane@xn--fa-hia.de", "12.abc")
    text = json.dumps(sent.payload)
    assert "Hello Jane." in text
    assert "<p>Hello</p>" in text
    assert "ann@xn--bcher-kva.example" in text
    # Each provider sets its own; some refuse ours.
    assert "Message-ID" not in text


def test_provider_that_takes_ascii_only_is_not_asked(provider: HostileProvider) -> None:
    with pytest.raises(Permanent) as caught:
        send(mail(to=["zoë@example.org"]))
    assert caught.value.code == "mail-ascii"
    assert provider.mails == []


#: The provider's mode, the class of the error, and its code.
OUTCOMES: list[tuple[str, type[EffectError], str]] = [
    ("401", Misconfigured, "mail-login"),
    ("402", Misconfigured, "mail-server"),
    ("403", Misconfigured, "mail-login"),
    ("404", Misconfigured, "mail-server"),
    ("307", Misconfigured, "mail-server"),
    ("422", Permanent, "mail-refused"),
    ("422_sender", Misconfigured, "mail-sender"),
    ("422_inactive", Permanent, "mail-refused"),
    ("429", Transient, "mail-crowded"),
    ("408", Uncertain, "mail-unconfirmed"),
    ("409_concurrent", Uncertain, "mail-unconfirmed"),
    ("500", Uncertain, "mail-unconfirmed"),
    ("cut", Uncertain, "mail-unconfirmed"),
    ("hang", Uncertain, "mail-unconfirmed"),
    ("accept_cut", Uncertain, "mail-unconfirmed"),
    ("accept_hang", Uncertain, "mail-unconfirmed"),
    ("accept_500", Uncertain, "mail-unconfirmed"),
    ("accept_garbage", Uncertain, "mail-unconfirmed"),
]


@pytest.mark.parametrize(("mode", "error", "code"), OUTCOMES)
def test_send_classifies_each_answer(
    provider: HostileProvider, mode: str, error: type[EffectError], code: str
) -> None:
    provider.mode = mode
    with pytest.raises(EffectError) as caught:
        send()
    assert (type(caught.value), caught.value.code) == (error, code)
    assert RECIPIENT not in caught.value.public
    assert "jane.miller" not in caught.value.public
    # A logged traceback must not hold the mail or the API key.
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert len(provider.mails) == mode.startswith("accept")


@pytest.mark.parametrize(
    ("mode", "error", "code"),
    [
        ("422_sender", Misconfigured, "mail-sender"),
        ("422_inactive", Permanent, "mail-recipient"),
        ("422_unknown", Permanent, "mail-refused"),
        ("401", Misconfigured, "mail-login"),
        ("500", Uncertain, "mail-unconfirmed"),
        ("accept_garbage", Uncertain, "mail-unconfirmed"),
    ],
)
def test_postmark_refusals_are_classified_by_their_text(
    provider: HostileProvider, settings: Any, mode: str, error: type[EffectError], code: str
) -> None:
    """django-anymail takes some of its refusals for a success."""
    settings.EMAIL_PROVIDER, provider.mode = "postmark", mode
    with pytest.raises(EffectError) as caught:
        send()
    assert (type(caught.value), caught.value.code) == (error, code)


def test_retry_after_is_limited_to_a_day(
    provider: HostileProvider,
) -> None:
    pauses = []
    for mode in ("429", "429_long", "429_silent"):
        provider.mode = mode
        with pytest.raises(Transient) as caught:
            send()
        pauses.append(caught.value.retry_after)
    assert pauses == [77, 24 * 3600, 10]


def test_retry_after_may_be_a_date() -> None:
    later = timezone.now() + dt.timedelta(seconds=100)
    assert 95 <= (pause(format_datetime(later)) or 0) <= 100
    assert pause("Sun, 06 Nov 1994 08:49:37 GMT") is None
    assert pause("-5") is None


@pytest.mark.parametrize("silence", ["accept_cut", "accept_hang", "accept_500", "cut"])
def test_repeated_mail_is_sent_once(provider: HostileProvider, silence: str) -> None:
    provider.once(silence)
    with pytest.raises(Uncertain):
        send()
    assert send().message_id == MESSAGE_ID
    assert len(provider.mails) == 1
    (first, body), (second, same) = provider.requests
    assert first == second
    assert body == same


def test_two_mails_have_different_keys(provider: HostileProvider) -> None:
    send()
    send(mail(headers={"Message-ID": "<receipt.6f1f.1@example.com>"}))
    assert len({key for key, _body in provider.requests}) == 2
    assert len(provider.mails) == 2


def test_repeated_mail_with_other_content_is_undecidable(provider: HostileProvider) -> None:
    """The provider says that it sent another mail with this key: it may be the first attempt."""
    provider.once("accept_cut")
    with pytest.raises(Uncertain):
        send()
    with pytest.raises(Undecidable) as caught:
        send(mail("The company changed its name.\n"))
    assert "got this mail before" in caught.value.public
    assert len(provider.mails) == 1


def test_repeated_mail_at_brevo_is_undecidable(provider: HostileProvider, settings: Any) -> None:
    settings.EMAIL_PROVIDER = "brevo"
    provider.once("accept_cut", "ok", "cut")
    with pytest.raises(Uncertain):
        send()
    with pytest.raises(Undecidable) as caught:
        send()
    assert "duplicate" not in caught.value.public
    assert "Key was used." in caught.value.public
    assert len(provider.mails) == 1


# ── The point of no return ──────────────────────────────────────────────────────────────


class Recorder:
    """A ``before_send`` that records each call, and how many requests had left by then."""

    def __init__(self, provider: HostileProvider, refuse: Exception | None = None) -> None:
        self.provider, self.refuse = provider, refuse
        self.calls: list[tuple[IdempotencyWindow | None, int]] = []

    def __call__(self, window: IdempotencyWindow | None = None) -> None:
        self.calls.append((window, len(self.provider.requests)))
        if self.refuse:
            raise self.refuse


@pytest.mark.parametrize("refuse", [Fenced(), Undecidable("a", "b"), ValueError("x")])
def test_nothing_leaves_when_before_send_raises(
    provider: HostileProvider, refuse: Exception
) -> None:
    recorder = Recorder(provider, refuse)
    with pytest.raises(type(refuse)):
        deliver(mail(), before_send=recorder)
    assert provider.requests == []
    assert len(recorder.calls) == 1


def test_before_send_gets_the_idempotency_window(provider: HostileProvider, settings: Any) -> None:
    recorder = Recorder(provider)
    deliver(mail(), before_send=recorder)
    ((resend, requests),) = recorder.calls
    assert requests == 0
    assert resend is not None
    assert resend.duration == dt.timedelta(hours=23)
    assert API_KEY not in resend.key

    settings.EMAIL_PROVIDER = "brevo"
    deliver(mail(headers={"Message-ID": "<2@x>"}), before_send=recorder)
    brevo = recorder.calls[-1][0]
    assert brevo is not None
    assert (brevo.key.split(":")[0], brevo.duration) == ("brevo", dt.timedelta(minutes=10))

    settings.EMAIL_PROVIDER = "postmark"
    deliver(mail(), before_send=recorder)
    assert recorder.calls[-1][0] is None


def test_another_account_has_another_idempotency_window(
    provider: HostileProvider, settings: Any
) -> None:
    provider.mode = "422"
    asked = []
    for key in (API_KEY, "another-key"):
        settings.EMAIL_API_KEY = key
        recorder = Recorder(provider)
        with pytest.raises(EffectError):
            deliver(mail(), before_send=recorder)
        asked.append(recorder.calls[0][0])
    one, other = asked
    assert one is not None
    assert other is not None
    assert one.key != other.key
    assert max(len(one.key), len(other.key)) <= 40


def test_unreachable_provider_is_temporary(provider: HostileProvider, settings: Any) -> None:
    recorder = Recorder(provider)
    for url in (f"http://127.0.0.1:{reserve_port()}/", "http://mail.invalid/"):
        settings.EMAIL_API_URL = url
        with pytest.raises(Transient) as caught:
            deliver(mail(), before_send=recorder)
        assert caught.value.code == "mail-unreachable"
    assert "EMAIL_API_URL" in caught.value.public
    assert recorder.calls == []


def with_tls(provider: HostileProvider, settings: Any, directory: Path) -> Path:
    """Make the provider use TLS; returns its certificate."""
    certificate = self_signed(directory, "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    provider.socket = context.wrap_socket(provider.socket, server_side=True)
    settings.EMAIL_API_URL = provider.url.replace("http:", "https:")
    return certificate


def test_certificate_is_checked_before_anything_leaves(
    provider: HostileProvider, settings: Any, tmp_path: Path
) -> None:
    certificate = with_tls(provider, settings, tmp_path)
    recorder = Recorder(provider)
    with pytest.raises(Misconfigured) as caught:
        deliver(mail(), before_send=recorder)
    assert (caught.value.code, recorder.calls) == ("mail-tls", [])
    assert "SSL_CERT_FILE" in caught.value.public

    settings.EMAIL_API_CA = str(certificate)
    deliver(mail(), before_send=recorder)
    assert len(provider.mails) == 1


# ── Through a proxy ─────────────────────────────────────────────────────────────────────


@pytest.fixture(params=["http", "https"])
def proxy(
    request: Any,
    provider: HostileProvider,
    settings: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Proxy]:
    """The proxy of HTTP_PROXY and HTTPS_PROXY: requests in the clear, or through a tunnel."""
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "https":
        settings.EMAIL_API_CA = str(with_tls(provider, settings, tmp_path))
    settings.EMAIL_TIMEOUT = 2
    with Proxy() as running:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, running.url)
        yield running


def mail_requests(proxy: Proxy) -> list[str]:
    """The request lines at the proxy that belong to the mail."""
    return [line for line in proxy.asked if not line.startswith("CONNECT")]


def test_before_send_is_called_before_a_proxy_gets_the_mail(
    provider: HostileProvider, proxy: Proxy, settings: Any
) -> None:
    seen = []
    recorder = Recorder(provider)

    def announced(window: IdempotencyWindow | None = None) -> None:
        recorder(window)
        seen.append((list(proxy.asked), mail_requests(proxy)))

    assert deliver(mail(), before_send=announced).message_id == MESSAGE_ID
    ((window, requests),) = recorder.calls
    assert (window is not None, requests, len(provider.mails)) == (True, 0, 1)
    ((asked, begun),) = seen
    assert begun == []
    tunnel = settings.EMAIL_API_URL.startswith("https:")
    # The tunnel is established by then: an error before it means that nothing was sent.
    assert len(asked) == tunnel
    assert [line.split()[0] for line in proxy.asked] == ["CONNECT" if tunnel else "POST"]


@pytest.mark.parametrize("refuse", [Fenced(), Undecidable("a", "b")])
def test_nothing_leaves_through_a_proxy_when_before_send_raises(
    provider: HostileProvider, proxy: Proxy, refuse: Exception
) -> None:
    with pytest.raises(type(refuse)):
        deliver(mail(), before_send=Recorder(provider, refuse))
    assert (provider.requests, mail_requests(proxy)) == ([], [])


def test_answer_lost_by_a_proxy_leaves_the_mail_unconfirmed(
    provider: HostileProvider, proxy: Proxy
) -> None:
    provider.once("accept_cut")
    with pytest.raises(Uncertain):
        send()
    assert send().message_id == MESSAGE_ID
    assert (len(provider.requests), len(provider.mails)) == (2, 1)


def test_unreachable_proxy_is_temporary(
    provider: HostileProvider, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(provider)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{reserve_port()}")
    with pytest.raises(Transient) as caught:
        deliver(mail(), before_send=recorder)
    assert (caught.value.code, recorder.calls, provider.requests) == ("mail-unreachable", [], [])


def test_proxy_without_a_connection_to_the_provider_is_classified(
    provider: HostileProvider, proxy: Proxy, settings: Any
) -> None:
    """Without a tunnel nothing was sent. In the clear, the proxy already has the mail."""
    proxy.refuses = True
    recorder = Recorder(provider)
    tunnel = settings.EMAIL_API_URL.startswith("https:")
    with pytest.raises(Transient if tunnel else Uncertain):
        deliver(mail(), before_send=recorder)
    assert (len(recorder.calls), provider.requests) == (not tunnel, [])


def test_answer_to_an_unannounced_request_is_uncertain(
    provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A later version of the HTTP library may send on a path that the adapter does not watch."""
    monkeypatch.delattr(WatchedAdapter, "get_connection_with_tls_context")
    for mode in ("ok", "429", "422", "500"):
        provider.mode = mode
        with pytest.raises(Uncertain):
            send()


# ── Probing ─────────────────────────────────────────────────────────────────────────────


def test_probe_sends_no_mail(provider: HostileProvider, settings: Any) -> None:
    probe()
    assert provider.requests == []
    settings.EMAIL_API_URL = f"http://127.0.0.1:{reserve_port()}/"
    with pytest.raises(Transient) as caught:
        probe()
    assert caught.value.code == "mail-unreachable"


# ── The registry ────────────────────────────────────────────────────────────────────────


def test_every_module_of_a_provider_is_registered() -> None:
    assert providers.names() == ["brevo", "postmark", "resend"]


def test_app_may_register_a_provider_of_its_own(
    provider: HostileProvider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(providers, "_registered", dict(providers._registered))

    @providers.register
    class Pigeon(providers.Provider):
        name = "pigeon"
        backend = "anymail.backends.resend.EmailBackend"
        webhook = "anymail.webhooks.resend.ResendTrackingWebhookView"

    settings.EMAIL_PROVIDER = "pigeon"
    assert send().response.startswith("200")
    assert "pigeon" in providers.names()


def test_unknown_provider_is_refused_at_start(settings: Any) -> None:
    settings.EMAIL_PROVIDER = "pigeon"
    with pytest.raises(ImproperlyConfigured) as caught:
        apps.get_app_config("careers").ready()
    assert str(caught.value) == (
        "EMAIL_PROVIDER must be one of brevo, postmark, resend, or empty, not pigeon."
    )


def test_two_providers_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="Two mail providers are called resend"):

        @providers.register
        class Other(providers.Provider):
            name = "resend"
