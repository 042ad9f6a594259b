"""Mail through a provider's HTTP API: one meaning for each answer, and for none."""

from __future__ import annotations

import datetime as dt
import json
import ssl
from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
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
from careers.notifications import Delivery, Memory, deliver, probe
from careers.notifications.providers import PROVIDERS, _Adapter, _pause
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
    return deliver(message or mail(), before_send=lambda memory=None: None)


@pytest.mark.parametrize("name", PROVIDERS)
def test_mail_goes_out_as_it_is(provider: HostileProvider, settings: Any, name: str) -> None:
    settings.EMAIL_PROVIDER = name
    message = mail("Hello Jane.\n", to=["jane@bücher.example"], reply_to=["Ann <ann@x.example>"])
    message.metadata = {"mail": "12.abc"}  # type: ignore[attr-defined]
    delivery = send(message)
    assert delivery.message_id == MESSAGE_ID
    assert delivery.response.split()[0] in ("200", "201")
    (sent,) = provider.mails
    assert (sent.recipient, sent.mark) == ("jane@xn--bcher-kva.example", "12.abc")
    text = json.dumps(sent.payload)
    assert "Hello Jane." in text
    assert "<p>Hello</p>" in text
    assert "ann@x.example" in text
    # Each provider gives its own; some refuse ours.
    assert "Message-ID" not in text


#: Mode, what it means, and its code.
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
def test_outcome_of_each_answer(
    provider: HostileProvider, mode: str, error: type[EffectError], code: str
) -> None:
    provider.mode = mode
    with pytest.raises(EffectError) as caught:
        send()
    assert (type(caught.value), caught.value.code) == (error, code)
    assert RECIPIENT not in caught.value.public
    assert "jane.miller" not in caught.value.public
    # Nothing that is logged with the error holds the mail or the key.
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
def test_outcome_with_postmark_which_tells_by_numbers(
    provider: HostileProvider, settings: Any, mode: str, error: type[EffectError], code: str
) -> None:
    """Its refusals of recipients are success for anymail, as long as it finds no name in them."""
    settings.EMAIL_PROVIDER, provider.mode = "postmark", mode
    with pytest.raises(EffectError) as caught:
        send()
    assert (type(caught.value), caught.value.code) == (error, code)


def test_pause_that_the_provider_asks_for_is_kept_within_reason(
    provider: HostileProvider,
) -> None:
    pauses = []
    for mode in ("429", "429_long", "429_silent"):
        provider.mode = mode
        with pytest.raises(Transient) as caught:
            send()
        pauses.append(caught.value.retry_after)
    assert pauses == [77, 24 * 3600, 10]


def test_pause_may_be_a_date() -> None:
    later = timezone.now() + dt.timedelta(seconds=100)
    assert 95 <= (_pause(format_datetime(later)) or 0) <= 100
    assert _pause("Sun, 06 Nov 1994 08:49:37 GMT") is None
    assert _pause("-5") is None


@pytest.mark.parametrize("silence", ["accept_cut", "accept_hang", "accept_500", "cut"])
def test_repeated_mail_is_sent_once_and_confirmed(provider: HostileProvider, silence: str) -> None:
    provider.once(silence)
    with pytest.raises(Uncertain):
        send()
    assert send().message_id == MESSAGE_ID
    assert len(provider.mails) == 1
    (first, body), (second, same) = provider.requests
    assert first == second
    assert body == same


def test_two_mails_have_two_keys(provider: HostileProvider) -> None:
    send()
    send(mail(headers={"Message-ID": "<receipt.6f1f.1@example.com>"}))
    assert len({key for key, _body in provider.requests}) == 2
    assert len(provider.mails) == 2


def test_mail_that_changed_meanwhile_is_left_to_a_person(provider: HostileProvider) -> None:
    """The provider says that it sent another one under the key: ours may be that one."""
    provider.once("accept_cut")
    with pytest.raises(Uncertain):
        send()
    with pytest.raises(Undecidable) as caught:
        send(mail("The company has another name now.\n"))
    assert "has had this mail before" in caught.value.public
    assert len(provider.mails) == 1


def test_brevo_does_not_say_what_became_of_the_first_time(
    provider: HostileProvider, settings: Any
) -> None:
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


class Ask:
    """Remembers what it was told, and whether anything had left by then."""

    def __init__(self, provider: HostileProvider, refuse: Exception | None = None) -> None:
        self.provider, self.refuse = provider, refuse
        self.told: list[tuple[Memory | None, int]] = []

    def __call__(self, memory: Memory | None = None) -> None:
        self.told.append((memory, len(self.provider.requests)))
        if self.refuse:
            raise self.refuse


@pytest.mark.parametrize("refuse", [Fenced(), Undecidable("a", "b"), ValueError("x")])
def test_nothing_leaves_when_the_step_is_no_longer_ours(
    provider: HostileProvider, refuse: Exception
) -> None:
    ask = Ask(provider, refuse)
    with pytest.raises(type(refuse)):
        deliver(mail(), before_send=ask)
    assert provider.requests == []
    assert len(ask.told) == 1


def test_pipeline_learns_who_remembers_the_key_and_for_how_long(
    provider: HostileProvider, settings: Any
) -> None:
    ask = Ask(provider)
    deliver(mail(), before_send=ask)
    ((resend, requests),) = ask.told
    assert requests == 0
    assert resend is not None
    assert resend.lasts == dt.timedelta(hours=23)
    assert API_KEY not in resend.of

    settings.EMAIL_PROVIDER = "brevo"
    deliver(mail(headers={"Message-ID": "<2@x>"}), before_send=ask)
    brevo = ask.told[-1][0]
    assert brevo is not None
    assert (brevo.of.split(":")[0], brevo.lasts) == ("brevo", dt.timedelta(minutes=10))

    settings.EMAIL_PROVIDER = "postmark"
    deliver(mail(), before_send=ask)
    assert ask.told[-1][0] is None


def test_another_account_remembers_nothing_of_ours(
    provider: HostileProvider, settings: Any
) -> None:
    provider.mode = "422"
    asked = []
    for key in (API_KEY, "another-key"):
        settings.EMAIL_API_KEY = key
        ask = Ask(provider)
        with pytest.raises(EffectError):
            deliver(mail(), before_send=ask)
        asked.append(ask.told[0][0])
    one, other = asked
    assert one is not None
    assert other is not None
    assert one.of != other.of
    assert max(len(one.of), len(other.of)) <= 40


def test_provider_that_is_away_got_nothing(provider: HostileProvider, settings: Any) -> None:
    ask = Ask(provider)
    for url in (f"http://127.0.0.1:{reserve_port()}/", "http://mail.invalid/"):
        settings.EMAIL_API_URL = url
        with pytest.raises(Transient) as caught:
            deliver(mail(), before_send=ask)
        assert caught.value.code == "mail-unreachable"
    assert "EMAIL_API_URL" in caught.value.public
    assert ask.told == []


def encrypted(provider: HostileProvider, settings: Any, directory: Path) -> Path:
    """Let the provider speak TLS; returns its certificate."""
    certificate = self_signed(directory, "127.0.0.1")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    provider.socket = context.wrap_socket(provider.socket, server_side=True)
    settings.EMAIL_API_URL = provider.url.replace("http:", "https:")
    return certificate


def test_certificate_is_checked_before_anything_leaves(
    provider: HostileProvider, settings: Any, tmp_path: Path
) -> None:
    certificate = encrypted(provider, settings, tmp_path)
    ask = Ask(provider)
    with pytest.raises(Misconfigured) as caught:
        deliver(mail(), before_send=ask)
    assert (caught.value.code, ask.told) == ("mail-tls", [])
    assert "SSL_CERT_FILE" in caught.value.public

    settings.EMAIL_API_CA = str(certificate)
    deliver(mail(), before_send=ask)
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
    """The way that HTTP_PROXY and HTTPS_PROXY name: mails in the clear, or through a tunnel."""
    for name in ("no_proxy", "NO_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if request.param == "https":
        settings.EMAIL_API_CA = str(encrypted(provider, settings, tmp_path))
    settings.EMAIL_TIMEOUT = 2
    with Proxy() as running:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, running.url)
        yield running


def of_the_mail(proxy: Proxy) -> list[str]:
    """What the proxy was asked that belongs to the request with the mail."""
    return [line for line in proxy.asked if not line.startswith("CONNECT")]


def test_proxy_gets_no_byte_of_a_mail_before_it_is_announced(
    provider: HostileProvider, proxy: Proxy, settings: Any
) -> None:
    seen = []
    ask = Ask(provider)

    def announced(memory: Memory | None = None) -> None:
        ask(memory)
        seen.append((list(proxy.asked), of_the_mail(proxy)))

    assert deliver(mail(), before_send=announced).message_id == MESSAGE_ID
    ((memory, requests),) = ask.told
    assert (memory is not None, requests, len(provider.mails)) == (True, 0, 1)
    ((asked, begun),) = seen
    assert begun == []
    tunnel = settings.EMAIL_API_URL.startswith("https:")
    # The tunnel stands by then: whatever goes wrong with it is certain.
    assert len(asked) == tunnel
    assert [line.split()[0] for line in proxy.asked] == ["CONNECT" if tunnel else "POST"]


@pytest.mark.parametrize("refuse", [Fenced(), Undecidable("a", "b")])
def test_nothing_leaves_through_a_proxy_when_the_step_is_no_longer_ours(
    provider: HostileProvider, proxy: Proxy, refuse: Exception
) -> None:
    with pytest.raises(type(refuse)):
        deliver(mail(), before_send=Ask(provider, refuse))
    assert (provider.requests, of_the_mail(proxy)) == ([], [])


def test_answer_that_a_proxy_lost_leaves_the_mail_unconfirmed(
    provider: HostileProvider, proxy: Proxy
) -> None:
    provider.once("accept_cut")
    with pytest.raises(Uncertain):
        send()
    assert send().message_id == MESSAGE_ID
    assert (len(provider.requests), len(provider.mails)) == (2, 1)


def test_proxy_that_is_away_got_nothing(
    provider: HostileProvider, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = Ask(provider)
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{reserve_port()}")
    with pytest.raises(Transient) as caught:
        deliver(mail(), before_send=ask)
    assert (caught.value.code, ask.told, provider.requests) == ("mail-unreachable", [], [])


def test_proxy_without_a_way_to_the_provider(
    provider: HostileProvider, proxy: Proxy, settings: Any
) -> None:
    """No tunnel: certain. In the clear it has the mail when it says so, and that is no answer."""
    proxy.refuses = True
    ask = Ask(provider)
    tunnel = settings.EMAIL_API_URL.startswith("https:")
    with pytest.raises(Transient if tunnel else Uncertain):
        deliver(mail(), before_send=ask)
    assert (len(ask.told), provider.requests) == (not tunnel, [])


def test_answer_to_what_was_never_announced_confirms_nothing(
    provider: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should a later version of the HTTP library go a way that nobody watches."""
    monkeypatch.delattr(_Adapter, "get_connection_with_tls_context")
    for mode in ("ok", "429", "422", "500"):
        provider.mode = mode
        with pytest.raises(Uncertain):
            send()


# ── Asking whether it is there ──────────────────────────────────────────────────────────


def test_provider_is_asked_without_sending_anything(
    provider: HostileProvider, settings: Any
) -> None:
    probe()
    assert provider.requests == []
    settings.EMAIL_API_URL = f"http://127.0.0.1:{reserve_port()}/"
    with pytest.raises(Transient) as caught:
        probe()
    assert caught.value.code == "mail-unreachable"


def test_settings_allow_the_providers_that_there_are() -> None:
    source = (Path(__file__).parents[3] / "site/careersite/settings/base.py").read_text()
    names = ", ".join(f'"{name}"' for name in PROVIDERS)
    assert f'env.one_of("EMAIL_PROVIDER", {names})' in source
