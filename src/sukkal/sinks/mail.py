"""Mail: a delivery is one mail to one address, handed to the operator's mail server."""

import asyncio
import contextlib
import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP as WIRE
from email.utils import format_datetime
from typing import Any, Final, Literal, NamedTuple
from urllib.parse import unquote

import aiosmtplib
import msgspec

from sukkal import limits
from sukkal.errors import InvalidRequest, SettingsError
from sukkal.sink import Delivery, Outcome
from sukkal.sinks.guard import is_name
from sukkal.sinks.notices import NoticeMails, Written
from sukkal.sinks.notification import notification

__all__ = ["MailServer", "MailSink"]

_SCHEME: Final = "mailto"
_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LOCAL_PART_CHARS_MAX: Final = 64
_FAILURES: Final = (aiosmtplib.SMTPException, OSError, ValueError, EOFError)
_PERMANENT: Final = 500
_NO_SERVER: Final = "The service's mail server cannot be used at the moment."


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """The server that takes the mail, and the address that it comes from. Raises ``SettingsError``."""

    host: str
    sender: str
    port: int = 25
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str = ""
    password: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never send a mail, or would show a password to the network."""
        if not _is_address(self.sender):
            raise SettingsError("smtp_from must be a mail address such as sukkal@example.org when smtp_host is given.")
        if bool(self.username) != bool(self.password):
            raise SettingsError("smtp_username and smtp_password belong together: give both, or none.")
        if self.username and self.security == "none":
            raise SettingsError("smtp_password would cross the network in the clear: set smtp_security to starttls.")

    def __repr__(self) -> str:
        """Show which server it is, and no password."""
        return f"{type(self).__name__}(host={self.host!r}, port={self.port})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Show the same in tracebacks."""
        return [("host", self.host), ("port", self.port)]

    @property
    def domain(self) -> str:
        """The domain of the sender."""
        return self.sender.rpartition("@")[2]


class _Letter(NamedTuple):
    to: str
    subject: str


class MailSink:
    """Delivers to ``mailto`` subscribers.

    ``tls`` says whose certificates are trusted, by default the system's. With ``notices`` people get mails that they
    can read when they are asked to confirm; without it, the JSON that a webhook gets.
    """

    def __init__(
        self, server: MailServer, *, tls: ssl.SSLContext | None = None, notices: NoticeMails | None = None
    ) -> None:
        self._server = server
        self._notices = notices
        self._tls = tls or ssl.create_default_context()

    @property
    def schemes(self) -> tuple[str, ...]:
        """The URI schemes, in lower case."""
        return (_SCHEME,)

    def check(self, subscriber: str, options: Mapping[str, Any]) -> None:
        """Refuse a subscriber or options that could never be delivered to. Raises ``InvalidRequest``."""
        _letter(subscriber, options)

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Send one mail and return what became of it."""
        try:
            letter = _letter(delivery.subscriber, delivery.options)
        except InvalidRequest as error:
            return Outcome(delivered=False, error=str(error), permanent=True)
        client = self._client()
        outcome = Outcome(delivered=False, error=f"The mail could not be sent within {delivery.timeout_s:g} seconds.")
        try:
            async with asyncio.timeout(delivery.timeout_s):
                outcome = await self._send(client, letter, self._text(delivery, letter))
                await _say_goodbye(client)
        except TimeoutError:
            pass
        except _FAILURES:
            if not outcome.delivered:
                outcome = Outcome(delivered=False, error=_NO_SERVER)
        finally:
            _drop(client)
        return outcome

    async def close(self) -> None:
        """Nothing is kept between two attempts."""

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            # Otherwise the name of this machine is asked for, which may take long.
            local_hostname=server.domain,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=self._tls if server.security != "none" else None,
            # The attempt as a whole is bounded. `asyncio.wait_for`, which this would be done with, may miss a
            # cancellation in Python 3.11.
            timeout=None,
        )

    def _text(self, delivery: Delivery, letter: _Letter) -> bytes:
        written = Written(
            letter.subject or f"Message in queue {delivery.queue_name}",
            notification(delivery).decode("utf-8", errors="replace"),
        )
        if delivery.notice and self._notices is not None:
            written = self._notices.write(delivery)
        mail = EmailMessage(policy=WIRE)
        mail["From"] = self._server.sender
        mail["To"] = letter.to
        mail["Subject"] = written.subject
        mail["Date"] = format_datetime(datetime.fromtimestamp(delivery.now_ms // limits.SECOND_MS, UTC))
        # The same in each attempt, so that whoever gets it twice can tell.
        mail["Message-ID"] = f"<{delivery.id}.{delivery.subscription_id}@{self._server.domain}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(written.text, charset="utf-8")
        return mail.as_bytes()

    async def _send(self, client: aiosmtplib.SMTP, letter: _Letter, text: bytes) -> Outcome:
        """Hand the mail over; what goes wrong before the server has heard of it is not about the mail, and raises."""
        await client.connect()
        if self._server.username:
            await client.login(self._server.username, self._server.password)
        try:
            await client.sendmail(self._server.sender, [letter.to], text)
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _refused(refused.recipients[0].code, "the recipient")
        except aiosmtplib.SMTPDataError as refused:
            return _refused(refused.code, "the mail")
        return Outcome(delivered=True, status=int(aiosmtplib.SMTPStatus.completed))


def _refused(code: int, what: str) -> Outcome:
    # What it said besides may name machines of the service's network.
    permanent = code >= _PERMANENT
    for_good = "for good" if permanent else "for now"
    return Outcome(
        delivered=False, status=code, permanent=permanent, error=f"The mail server refused {what} {for_good}: {code}."
    )


async def _say_goodbye(client: aiosmtplib.SMTP) -> None:
    with contextlib.suppress(*_FAILURES):
        async with asyncio.timeout(limits.MAIL_QUIT_TIMEOUT_S):
            await client.quit()


def _drop(client: aiosmtplib.SMTP) -> None:
    # Closing would wait until the server has read what it was sent.
    if isinstance(client.transport, asyncio.WriteTransport):
        client.transport.abort()
    client.close()


def _letter(subscriber: str, options: Mapping[str, Any]) -> _Letter:
    if len(subscriber) > limits.SUBSCRIBER_CHARS_MAX:
        raise InvalidRequest(f"subscriber is longer than {limits.SUBSCRIBER_CHARS_MAX} characters.")
    scheme, _, rest = subscriber.partition(":")
    path, _, query = rest.partition("?")
    to = unquote(path)
    if scheme.lower() != _SCHEME or not _is_address(to):
        raise InvalidRequest(f"subscriber must be {_SCHEME}: and one mail address, such as {_SCHEME}:ada@example.org.")
    subject = options.get("subject", "")
    for field in filter(None, query.split("&")):
        name, _, value = field.partition("=")
        if name.lower() != "subject":
            raise InvalidRequest("subscriber may have ?subject=... after the mail address, and nothing else.")
        subject = unquote(value)
    if not isinstance(subject, str) or len(subject) > limits.MAIL_SUBJECT_CHARS_MAX or not subject.isprintable():
        raise InvalidRequest(
            f"subscriber: the subject must be at most {limits.MAIL_SUBJECT_CHARS_MAX} printable characters."
        )
    return _Letter(to, subject)


def _is_address(text: str) -> bool:
    local, _, domain = text.rpartition("@")
    return (
        len(text) <= limits.MAIL_ADDRESS_CHARS_MAX
        and len(local) <= _LOCAL_PART_CHARS_MAX
        and _LOCAL_PART.fullmatch(local) is not None
        and is_name(domain)
        and not domain.endswith(".")
    )
