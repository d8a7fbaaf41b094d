"""A mail server that takes mail and keeps what came."""

import asyncio
import email
import email.policy
import ssl
from email.message import EmailMessage
from types import TracebackType
from typing import Any, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sukkal.testing.sink_contract import Received

__all__ = ["MailReceiver"]


class MailReceiver:
    """Answers RCPT with ``rcpt`` and DATA with ``data``, on a free port of 127.0.0.1."""

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, start_tls: bool = False, login: tuple[str, str] | None = None
    ) -> None:
        self.port = 0
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.hello = ""
        self.rcpt = "250 OK"
        self.data = "250 OK"
        self._tls = tls
        self._start_tls = start_tls
        self._login = login
        self._server: Any = None

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._protocol, "127.0.0.1", 0, ssl=None if self._start_tls else self._tls
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def received(self) -> list[Received]:
        """Return what has come so far."""
        return [
            Received(mail["Message-ID"].strip("<>").partition(".")[0], mail.get_content().encode())
            for mail in self.mails
        ]

    async def refuse(self) -> None:
        """Refuse what comes from now on."""
        self.rcpt = "450 later 127.0.0.1"

    def _protocol(self) -> SMTP:
        return SMTP(
            self,
            hostname="mail.example",
            tls_context=self._tls if self._start_tls else None,
            require_starttls=self._start_tls,
            auth_required=self._login is not None,
            auth_require_tls=self._login is not None and self._start_tls,
            authenticator=self._authenticate if self._login else None,
        )

    def _authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        assert self._login is not None
        return AuthResult(success=(data.login.decode(), data.password.decode()) == self._login)

    async def handle_EHLO(  # noqa: N802 - the name that aiosmtpd asks for
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = self.hello = hostname
        return responses

    async def handle_RCPT(  # noqa: N802 - the name that aiosmtpd asks for
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.rcpt.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.data.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.recipients += envelope.rcpt_tos
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
        return self.data
