"""Messages as oslo.messaging's servers get them."""

import logging
from collections.abc import Callable
from typing import Any, Final

from oslo_messaging import MessageDeliveryFailure
from oslo_messaging._drivers import base, common

from sukkal.client import ClientError
from sukkal.oslo.custody import Custody, Held
from sukkal.oslo.wire import Reply, Request

__all__ = ["NotificationMessage", "RpcMessage", "SendReply"]

_LOG: Final = logging.getLogger(__name__)

SendReply = Callable[[str, Reply], None]
"""Sends a reply to a queue. Raises ``ClientError``."""


class RpcMessage(base.RpcIncomingMessage):
    """A request. It is held until it is replied to, also if nobody waits for the reply.

    With ``early`` it is done with before it is processed. A fanout is not held at all.
    """

    def __init__(
        self, request: Request, custody: Custody, held: Held | None, send_reply: SendReply, *, early: bool
    ) -> None:
        super().__init__(request.context, request.message, request.call)
        self.client_timeout = request.monitor_s
        self._request = request
        self._custody = custody
        self._held = held
        self._send_reply = send_reply
        self._early = early

    def acknowledge(self) -> None:
        """Have it deleted if that shall be so early."""
        if self._early:
            self._finish()

    def requeue(self) -> None:
        """Have it come again."""
        if self._held is not None:
            self._custody.give_back(self._held, 0)

    def reply(self, reply: Any = None, failure: Any = None) -> None:
        """Tell the caller, if there is one, and be done with it."""
        try:
            self._tell(reply, common.serialize_remote_exception(failure) if failure else None, last=True)
        except ClientError as error:
            _LOG.error("The reply to call %s was not sent: %s", self._request.call, error)
        finally:
            self._finish()

    def heartbeat(self) -> None:
        """Tell the caller that it is being worked on."""
        try:
            self._tell(None, None, last=False)
        except ClientError as error:
            raise MessageDeliveryFailure(f"The heartbeat was not sent: {error}") from error

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
