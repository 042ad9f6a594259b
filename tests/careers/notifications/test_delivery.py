import contextlib
import email
import email.policy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import Envelope
from django.core.mail import EmailMultiAlternatives
from hypothesis import example, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from careers.applications.errors import (
    EffectError,
    Fenced,
    Misconfigured,
    Permanent,
    Transient,
    Uncertain,
)
from careers.notifications import Delivery, deliver, probe
from careers.notifications.refusals import refused, without_addresses
from tests.support.mails import MESSAGE_ID, RECIPIENT, mail
from tests.support.servers import SMTP_TAKES, HostileSMTP, reserve_port, self_signed, trusting


@pytest.fixture
def smtp(settings: Any) -> Iterator[HostileSMTP]:
    with HostileSMTP() as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.address
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_TIMEOUT = 0.4
        yield server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return self_signed(tmp_path_factory.mktemp("tls"), "127.0.0.1")


def send(message: EmailMultiAlternatives | None = None) -> Delivery:
    return deliver(message or mail(), before_send=lambda: None)


def test_deliver_sends_to_one_recipient(smtp: HostileSMTP) -> None:
    delivery = send()
    assert delivery == Delivery(MESSAGE_ID, "250 2.0.0 Ok: queued as 4XyZ7t")
    [accepted] = smtp.accepted
    assert accepted.sender == "jobs@example.com"
    assert accepted.recipients == (RECIPIENT,)
    assert accepted.message_id == MESSAGE_ID
    assert b"\r\n.\r\n..dots\r\n" in accepted.content


#: A server's mode, and the class of the error (None: the mail is sent).
OUTCOMES: list[tuple[str, type[EffectError] | None]] = [
    ("ok", None),
    ("no_banner", Transient),
    ("banner_421", Transient),
    ("mail_451", Transient),
    ("rcpt_450", Transient),
    ("rcpt_421", Transient),
    ("rcpt_550", Permanent),
    ("second_rcpt_550", None),
    # The server may have read the final dot before it reset the connection.
    ("close_in_data", Uncertain),
    ("dot_451", Transient),
    ("dot_552", Permanent),
    ("hang_after_dot", Uncertain),
    ("close_after_dot", Uncertain),
    ("hang_at_quit", None),
    ("garbage_at_quit", None),
    ("closed_at_once", Transient),
    ("banner_554", Misconfigured),
    ("garbage_banner", Transient),
    ("ehlo_hang", Transient),
    ("mail_530", Misconfigured),
    ("mail_553", Misconfigured),
    ("rcpt_relay", Misconfigured),
    ("rcpt_too_large", Transient),
    ("rcpt_432", Transient),
    ("data_451", Transient),
    ("data_554", Permanent),
    ("data_close", Transient),
    ("dot_550_4", Transient),
    ("dot_garbage", Uncertain),
    ("dot_long_line", Uncertain),
]


@pytest.mark.parametrize(("mode", "error"), OUTCOMES)
def test_deliver_classifies_each_smtp_mode(
    smtp: HostileSMTP, mode: str, error: type[EffectError] | None
) -> None:
    smtp.mode = mode
    called = []
    with contextlib.nullcontext() if error is None else pytest.raises(error) as caught:
        deliver(mail(), before_send=lambda: called.append("data"))
    assert len(smtp.accepted) == (mode in SMTP_TAKES)
    # The server can have the mail only after before_send was called.
    assert called == ["data"] or not smtp.accepted
    if caught is not None:
        assert type(caught.value) is error
        for personal in ("jane", "miller", "applicants"):
            assert personal not in caught.value.public.lower()


@pytest.mark.parametrize("mode", ["banner_421", "rcpt_421", "rcpt_432", "dot_454"])
def test_rate_limited_server_gets_a_pause(smtp: HostileSMTP, mode: str) -> None:
    smtp.mode = mode
    with pytest.raises(Transient) as caught:
        send()
    assert (caught.value.code, caught.value.retry_after) == ("mail-crowded", 10)


@pytest.mark.parametrize(
    "answer",
    [
        "421 4.4.2 Message submission rate for this client has exceeded the configured limit",
        "421 4.7.0 mail.test Error: too many connections from 192.0.2.1",
        "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded",
        "450 4.7.1 Error: too much mail from 192.0.2.1",
        '451 4.7.1 Ratelimit "user" exceeded',
        "454 Throttling failure: Maximum sending rate exceeded.",
        "454 Throttling failure: Daily message quota exceeded.",
        "550 5.4.5 Daily user sending limit exceeded.",
        "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
    ],
)
def test_rate_limit_answer_is_temporary_for_all_mails(answer: str) -> None:
    """Amazon's 454 is no refused login. Microsoft's and Google's daily limits are temporary."""
    error = refused("message", int(answer[:3]), answer[4:].encode())
    assert (type(error), error.code) == (Transient, "mail-crowded")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ("450 4.2.0 Greylisted", "mail-later"),
        ("452 4.2.2 The mailbox is over its storage limit", "mail-later"),
        ("454 4.7.0 Temporary authentication failure", "mail-login"),
        ("552 5.2.2 Mailbox full: quota exceeded", "mail-recipient"),
        ("552 5.3.4 Message size exceeds fixed limit", "mail-recipient"),
        ("554 5.7.1 Corporate limits for this address", "mail-recipient"),
    ],
)
def test_other_limits_are_not_rate_limits(answer: str, code: str) -> None:
    assert refused("recipient", int(answer[:3]), answer[4:].encode()).code == code


def test_mail_is_sent_once_after_greylisting(smtp: HostileSMTP) -> None:
    smtp.once("rcpt_450")
    with pytest.raises(Transient):
        send()
    send()
    assert [accepted.message_id for accepted in smtp.accepted] == [MESSAGE_ID]


class TestBeforeSend:
    def refuse(self) -> None:
        raise Fenced

    def test_fenced_step_sends_nothing(self, smtp: HostileSMTP) -> None:
        with pytest.raises(Fenced):
            deliver(mail(), before_send=self.refuse)
        send()
        assert len(smtp.accepted) == 1
        assert smtp.partial == b""
        assert smtp.commands.count("(message)") == 1

    def test_failed_check_sends_nothing(self, smtp: HostileSMTP) -> None:
        def fail() -> None:
            raise RuntimeError("database away")

        with pytest.raises(RuntimeError):
            deliver(mail(), before_send=fail)
        assert smtp.accepted == []
        assert smtp.partial == b""

    def test_before_send_is_called_right_before_the_message(self, smtp: HostileSMTP) -> None:
        seen: list[str] = []
        deliver(mail(), before_send=lambda: seen.extend(smtp.commands))
        assert seen[-1].upper() == "DATA"
        assert "(message)" not in seen

    def test_interruption_after_the_point_of_no_return_is_uncertain(
        self, smtp: HostileSMTP, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The worker's time limit interrupts the wait for the server's answer."""
        from careers.notifications.smtp import PhaseSMTP

        answer = PhaseSMTP.getreply

        def strike(client: PhaseSMTP) -> Any:
            if client.may_have_been_sent:
                raise TimeoutError
            return answer(client)

        monkeypatch.setattr(PhaseSMTP, "getreply", strike)
        with pytest.raises(Uncertain):
            send()


@pytest.mark.parametrize(
    "recipients",
    [{"to": []}, {"to": [RECIPIENT, "other@example.com"]}, {"bcc": ["other@example.com"]}],
)
def test_deliver_refuses_other_than_one_recipient(
    smtp: HostileSMTP, recipients: dict[str, list[str]]
) -> None:
    with pytest.raises(ValueError, match="exactly one"):
        send(mail(**recipients))
    assert smtp.commands == []


def test_address_that_no_server_can_have_is_refused(smtp: HostileSMTP) -> None:
    for address in (
        "no address",
        "a@" + "x" * 70 + ".com",
        "a@i❤.ws",
        "a@faß..de",
        "a\u202eb@x.org",
    ):
        with pytest.raises(Permanent) as caught:
            send(mail(to=[address]))
        assert caught.value.code == "mail-recipient"
    assert smtp.commands == []


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("jane@bücher.example", "jane@xn--bcher-kva.example"),
        ("jane@faß.de", "jane@xn--fa-hia.de"),
        ("jane@fass.de", "jane@fass.de"),
        ("jane@xn--fa-hia.de", "jane@xn--fa-hia.de"),
        ("Jane Miller <jane@faß.de>", "jane@xn--fa-hia.de"),
        ("Zoë <jane@σίσυφος.gr>", "jane@xn--kxa6ajbbmh.gr"),
        ("jane@نامه\u200cای.ir", "jane@xn--mgba3gch31f060k.ir"),
    ],
)
def test_each_header_and_the_envelope_name_the_same_host(
    smtp: HostileSMTP, typed: str, sent: str
) -> None:
    send(mail(to=[typed], from_email=f"Kestrel <{sent}>", reply_to=[typed]))
    (accepted,) = smtp.accepted
    assert (accepted.sender, accepted.recipients) == (sent, (sent,))
    read = email.message_from_bytes(accepted.content, policy=email.policy.default)
    for header in ("From", "To", "Reply-To"):
        assert [one.addr_spec for one in read[header].addresses] == [sent]


def test_sender_with_unicode_host_is_sent_as_ascii(smtp: HostileSMTP) -> None:
    send(mail(from_email="Kestrel <jobs@faß.de>"))
    assert smtp.accepted[0].sender == "jobs@xn--fa-hia.de"
    assert b"\nFrom: Kestrel <jobs@xn--fa-hia.de>\r\n" in smtp.accepted[0].content


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("a..b@docomo.ne.jp", '"a..b"@docomo.ne.jp'),
        (".a.@ezweb.ne.jp", '".a."@ezweb.ne.jp'),
        ("Ann <a..b@docomo.ne.jp>", '"a..b"@docomo.ne.jp'),
        ('"a..b"@docomo.ne.jp', '"a..b"@docomo.ne.jp'),
    ],
)
def test_dots_in_a_row_arrive_between_quotes(settings: Any, typed: str, sent: str) -> None:
    """``aiosmtpd`` keeps the standard: it reads the address between the quotes."""
    taken: list[Envelope] = []

    class Taker:
        async def handle_DATA(  # noqa: N802 -- aiosmtpd's name
            self, server: Any, session: Any, envelope: Envelope
        ) -> str:
            taken.append(envelope)
            return "250 Ok"

    server = Controller(Taker(), hostname="127.0.0.1", port=reserve_port())
    server.start()
    try:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        send(mail(to=[typed], reply_to=[typed]))
    finally:
        server.stop()
    assert taken[0].rcpt_tos == [sent.replace('"', "")]
    content = taken[0].original_content or b""
    assert sent.encode() in content.partition(b"To: ")[2].partition(b"\r\n")[0]
    read = email.message_from_bytes(content, policy=email.policy.default)
    for header in ("To", "Reply-To"):
        (one,) = read[header].addresses
        assert (one.username, one.domain) == (sent.split('"')[1], sent.rpartition("@")[2])


class TestInternationalAddress:
    @pytest.mark.parametrize(
        ("typed", "sent"),
        [
            ("zoë@example.com", "zoë@example.com"),
            ("zoë@faß.de", "zoë@xn--fa-hia.de"),
            ("用户@例え.テスト", "用户@xn--r8jz45g.xn--zckzah"),
        ],
    )
    def test_server_with_smtputf8_gets_the_address_as_it_is(
        self, smtp: HostileSMTP, typed: str, sent: str
    ) -> None:
        assert send(mail(to=[typed])).message_id == MESSAGE_ID
        (accepted,) = smtp.accepted
        assert accepted.recipients == (sent,)
        assert accepted.content.startswith(f"To: {sent}\r\n".encode())
        assert accepted.content.count(b"\nTo:") == 0
        command = next(c for c in smtp.commands if c.upper().startswith("MAIL"))
        assert command.endswith("BODY=8BITMIME SMTPUTF8")

    def test_server_without_smtputf8_gets_no_mail(self, smtp: HostileSMTP) -> None:
        smtp.smtputf8 = False
        with pytest.raises(Permanent) as caught:
            send(mail(to=["zoë@example.com"]))
        assert caught.value.code == "mail-ascii"
        assert "zoë" not in caught.value.public
        assert not any(command.upper().startswith("MAIL") for command in smtp.commands)

    def test_reply_address_costs_no_mail(self, smtp: HostileSMTP) -> None:
        """The recipient's own server may lack SMTPUTF8, whatever ours offers."""
        send(mail(reply_to=["zoë@example.com", "ann@example.com"]))
        assert b"\nReply-To: ann@example.com\r\n" in smtp.accepted[0].content
        assert "SMTPUTF8" not in " ".join(smtp.commands)

    @pytest.mark.parametrize("offered", [True, False])
    def test_probe_says_whether_the_server_takes_it(self, smtp: HostileSMTP, offered: bool) -> None:
        smtp.smtputf8 = offered
        assert probe().international is offered


def test_long_message_id_is_not_folded(smtp: HostileSMTP) -> None:
    message_id = f"<receipt.6f1f9d4e-51a5-4c0c-8a3e-0d6b1a2c3d4e.0@{'long.' * 10}example>"
    assert send(mail(headers={"Message-ID": message_id})).message_id == message_id
    assert f"\r\nMessage-ID: {message_id}\r\n".encode() in smtp.accepted[0].content


def test_non_ascii_content_is_sent_as_8bitmime(smtp: HostileSMTP) -> None:
    send(mail(body="Grüße"))
    assert "BODY=8BITMIME" in next(c for c in smtp.commands if c.upper().startswith("MAIL"))


class TestSettings:
    def test_missing_server_names_the_setting(self, smtp: HostileSMTP, settings: Any) -> None:
        settings.EMAIL_HOST = ""
        with pytest.raises(Misconfigured) as caught:
            send()
        assert "EMAIL_HOST" in caught.value.public

    def test_missing_sender_names_the_setting(self, smtp: HostileSMTP) -> None:
        with pytest.raises(Misconfigured) as caught:
            send(mail(from_email="Kestrel"))
        assert "DEFAULT_FROM_EMAIL" in caught.value.public

    def test_refused_connection_is_temporary(self, smtp: HostileSMTP, settings: Any) -> None:
        settings.EMAIL_PORT = reserve_port()
        with pytest.raises(Transient):
            send()

    def test_unknown_host_name_is_temporary(self, smtp: HostileSMTP, settings: Any) -> None:
        settings.EMAIL_HOST = "mail.invalid"
        with pytest.raises(Transient) as caught:
            send()
        assert "EMAIL_HOST" in caught.value.public

    def test_login_uses_user_and_password(self, smtp: HostileSMTP, settings: Any) -> None:
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "user", "secret"
        send()
        assert any(command.startswith("AUTH PLAIN") for command in smtp.commands)

    @pytest.mark.parametrize(
        ("mode", "error"),
        [("auth_535", Misconfigured), ("auth_454", Misconfigured), ("auth_432", Transient)],
    )
    def test_refused_login_is_classified(
        self, smtp: HostileSMTP, settings: Any, mode: str, error: type[EffectError]
    ) -> None:
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "user", "secret"
        smtp.mode = mode
        with pytest.raises(EffectError) as caught:
            send()
        assert type(caught.value) is error
        assert "secret" not in caught.value.public

    def test_non_ascii_password_is_a_configuration_error(
        self, smtp: HostileSMTP, settings: Any
    ) -> None:
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "user", "pässword"
        with pytest.raises(Misconfigured):
            send()


class TestEncryption:
    @pytest.fixture
    def tls(self, smtp: HostileSMTP, settings: Any, certificate: Path) -> HostileSMTP:
        settings.EMAIL_USE_TLS = True
        settings.EMAIL_TIMEOUT = 5
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "user", "secret"
        smtp.certificate = certificate
        return smtp

    def assert_nothing_was_revealed(self, server: HostileSMTP) -> None:
        assert server.accepted == []
        assert {command[:4].upper() for command in server.commands} <= {"EHLO", "STAR", "QUIT"}

    def test_valid_certificate_sends_encrypted(self, tls: HostileSMTP, certificate: Path) -> None:
        with trusting(certificate):
            send()
        assert tls.accepted[0].encrypted

    def test_untrusted_certificate_sends_nothing(self, tls: HostileSMTP) -> None:
        with pytest.raises(Misconfigured) as caught:
            send()
        assert "certificate" in caught.value.public
        self.assert_nothing_was_revealed(tls)

    def test_certificate_for_another_name_sends_nothing(
        self, tls: HostileSMTP, certificate: Path, settings: Any
    ) -> None:
        settings.EMAIL_HOST = "localhost"
        with trusting(certificate), pytest.raises(Misconfigured):
            send()
        self.assert_nothing_was_revealed(tls)

    def test_missing_starttls_sends_nothing(self, tls: HostileSMTP) -> None:
        tls.certificate = None
        with pytest.raises(Misconfigured) as caught:
            send()
        assert "STARTTLS" in caught.value.public
        self.assert_nothing_was_revealed(tls)

    def test_refused_starttls_sends_nothing(self, tls: HostileSMTP) -> None:
        tls.mode = "starttls_454"
        with pytest.raises(Misconfigured):
            send()
        self.assert_nothing_was_revealed(tls)

    def test_implicit_tls_with_a_plain_server_sends_nothing(
        self, tls: HostileSMTP, settings: Any
    ) -> None:
        settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = False, True
        with pytest.raises(Misconfigured):
            send()
        assert tls.accepted == []


class TestQuotedAnswer:
    @pytest.mark.parametrize(
        "text",
        [
            b"<jane.miller@applicants.example>: User unknown",
            b"jane.miller@applicants.example... no such user",
            b"No mailbox JANE.MILLER here",
            b"5.1.1 The e-mail account that you tried to reach, jane.miller, does not exist",
        ],
    )
    def test_quoted_answer_holds_no_address(self, text: bytes) -> None:
        assert "miller" not in without_addresses(text, RECIPIENT).lower()

    @rules(deadline=None)
    @given(st.binary(max_size=400), st.integers(400, 599))
    @example(b"\xff\x00\r\n\x1b[31m", 550)
    def test_any_answer_is_quoted_as_one_short_line(self, text: bytes, code: int) -> None:
        for stage in ("connection", "encryption", "login", "sender", "recipient", "message"):
            public = refused(stage, code, text, RECIPIENT).public
            assert public.isprintable()
            assert len(public) < 500
