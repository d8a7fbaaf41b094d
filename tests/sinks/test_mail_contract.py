"""Mail passes the contract of sinks."""

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from sukkal.sink import Delivery, Outcome, Sink
from sukkal.sinks.mail import MailServer, MailSink
from sukkal.testing.sink_contract import Receiver, SinkContract
from tests.sinks.authority import Authority
from tests.sinks.mail_receiver import MailReceiver


class _Anywhere:
    """Sends over the server at the port that a delivery says: the mail server is the sink's, not the subscriber's."""

    def __init__(self, password: str, authority: Authority) -> None:
        self._password = password
        self._authority = authority
        self._sink = self._to(1)

    schemes = ("mailto",)

    def check(self, subscriber: str, options: Any) -> None:
        self._sink.check(subscriber, options)

    async def attempt(self, delivery: Delivery) -> Outcome:
        return await self._to(delivery.options.get("port", 1)).attempt(delivery)

    async def close(self) -> None:
        await self._sink.close()

    def _to(self, port: int) -> MailSink:
        server = MailServer(
            host="127.0.0.1", port=port, sender="sukkal@example.org", username="user", password=self._password
        )
        return MailSink(server, tls=self._authority.client)


class TestMail(SinkContract):
    speaks_first = True
    garbage = b"\x00\xff no SMTP\r\n"
    beginning = b"220-mail.example ESMTP\r\n250"
    endless = (b"220-mail.example\r\n", b"220-and more\r\n")
    authority: ClassVar[Authority] = Authority("127.0.0.1")

    def make_sink(self) -> Sink:
        return _Anywhere(self.secret, self.authority)

    def receiver(self) -> AbstractAsyncContextManager[Receiver]:
        return MailReceiver(tls=self.authority.server, start_tls=True, login=("user", self.secret))

    def subscriber(self, port: int) -> str:
        return "mailto:ada@example.org?subject=Hello"

    def delivery(self, port: int, **changes: Any) -> Delivery:
        changes["options"] = {**(changes.get("options") or {}), "port": port}
        return super().delivery(port, **changes)

    def unusable(self) -> list[tuple[str, dict[str, Any]]]:
        return [("mailto:", {}), ("mailto:a@b?cc=c@d", {}), ("mailto:a%0D%0A@b", {}), ("mailto:a@b", {"subject": 1})]
