"""Messages as oslo.messaging's servers get them."""

import logging
from collections.abc import Callable
from typing import Any, Final

from oslo_messaging import MessageDeliveryFailure, MessagingTimeout
from oslo_messaging._drivers import base, common
from oslo_utils import timeutils

from sukkal.client import ClientError, Refused
from sukkal.oslo.custody import Custody, Held
from sukkal.oslo.wire import Reply, Request

__all__ = ["NotificationMessage", "RpcMessage", "SendReply"]

_LOG: Final = logging.getLogger(__name__)
_SHOWN_CHARS: Final = 500

SendReply = Callable[[str, Reply], None]
"""Sends a reply to a queue. Raises ``ClientError``."""


class RpcMessage(base.RpcIncomingMessage):
    """A request. It is held until it is replied to, also if nobody waits for the reply.

    Its caller waits ``waits_s`` seconds more, if it is not ``None``. With ``early`` it is done with before it is
    processed. A fanout is not held at all.
    """

    def __init__(
        self,
        request: Request,
        custody: Custody,
        held: Held | None,
        send_reply: SendReply,
        *,
        waits_s: float | None,
        early: bool,
    ) -> None:
        super().__init__(request.context, request.message, request.call)
        self.client_timeout = request.monitor_s
        self._request = request
        self._custody = custody
        self._held = held
        self._send_reply = send_reply
        self._ends_s = None if waits_s is None else timeutils.now() + waits_s
        self._early = early

    def given_up(self) -> bool:
        """Tell whether its caller has given up, and be done with it in that case."""
        if self._ends_s is None or timeutils.now() <= self._ends_s:
            return False
        self._finish()
        return True

    def acknowledge(self) -> None:
        """Have it deleted if that shall be so early. Raises ``MessagingTimeout``, and it is skipped, if it is too late.

        It may have waited for a thread since it was polled.
        """
        if self.given_up():
            raise MessagingTimeout(f"The caller of call {self._request.call} waits no more")
        if self._early:
            self._finish()

    def requeue(self) -> None:
        """Have it come again."""
        if self._held is not None:
            self._custody.give_back(self._held, 0)

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        """Tell the caller, if there is one, and be done with it. A reply that cannot be sent is told as a failure."""
        try:
            self._tell(reply, common.serialize_remote_exception(failure) if failure else None, last=True)
        except Exception as error:  # noqa: BLE001 - what a result is made of raises whatever it likes
            _LOG.error("The reply to call %s was not sent: %s", self._request.call, error)
            if not isinstance(error, ClientError) or (isinstance(error, Refused) and error.is_about_the_request):
                self._tell_that_it_was_not_sent(error)
        finally:
            self._finish()

    def heartbeat(self) -> None:
        """Tell the caller that it is being worked on."""
        try:
            self._tell(None, None, last=False)
        except ClientError as error:
            raise MessageDeliveryFailure(f"The heartbeat was not sent: {error}") from error

    def _tell_that_it_was_not_sent(self, error: Exception) -> None:
        failure = MessageDeliveryFailure(f"The reply to this call could not be sent: {str(error)[:_SHOWN_CHARS]}")
        try:
            self._tell(None, common.serialize_remote_exception((type(failure), failure, None)), last=True)
        except ClientError as another:
            _LOG.error("Nor was the caller of call %s told so: %s", self._request.call, another)

    def _tell(self, result: Any, failure: str | None, *, last: bool) -> None:
        if self._request.call is not None and self._request.reply_to is not None:
            self._send_reply(self._request.reply_to, Reply(self._request.call, result, failure, last))

    def _finish(self) -> None:
        if self._held is not None:
            self._custody.finish(self._held)


class NotificationMessage(base.IncomingMessage):
    """A notification. It is held until it is acknowledged or requeued."""

    def __init__(self, request: Request, custody: Custody, held: Held, *, requeue_delay_s: int) -> None:
        super().__init__(request.context, request.message)
        self._custody = custody
        self._held = held
        self._requeue_delay_s = requeue_delay_s

    def acknowledge(self) -> None:
        """Have it deleted."""
        self._custody.finish(self._held)

    def requeue(self) -> None:
        """Have it come again, somewhat later, so that what nobody can process goes not round and round."""
        self._custody.give_back(self._held, self._requeue_delay_s)
