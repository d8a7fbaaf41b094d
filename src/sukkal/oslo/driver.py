"""The driver that oslo.messaging loads for URLs like ``sukkal+http://user:key@host:8888/project``."""

import math
import os
import threading
from collections.abc import Sequence
from typing import Any, Final

from oslo_messaging import MessageDeliveryFailure, MessagingTimeout
from oslo_messaging._drivers import base
from oslo_utils import uuidutils

from sukkal.client import ClientError
from sukkal.oslo import naming
from sukkal.oslo.listeners import notification_listener, rpc_listener
from sukkal.oslo.options import GROUP, OPTIONS, credentials_of, roots_of, tls_of
from sukkal.oslo.replies import Replies
from sukkal.oslo.sending import Patience, Service
from sukkal.oslo.wire import Reply, Request, pack_notification, pack_reply, pack_request

__all__ = ["SukkalDriver"]

_TTL_S_MIN: Final = 60
_ALL_AT_ONCE: Final = 20


class SukkalDriver(base.BaseDriver):
    """RPC and notifications over queues. Nothing is connected before it is needed."""

    def __init__(
        self,
        conf: Any,
        url: Any,
        default_exchange: str | None = None,
        allowed_remote_exmods: Sequence[str] | None = None,
    ) -> None:
        super().__init__(conf, url, default_exchange, allowed_remote_exmods)
        conf.register_opts(OPTIONS, group=GROUP)
        self._options = conf[GROUP]
        roots = roots_of(url)
        self._service = Service(
            roots,
            credentials_of(url, self._options),
            client_id=uuidutils.generate_uuid(),
            timeout_s=self._options.request_timeout,
            tls=tls_of(self._options) if roots[0].startswith("https") else None,
        )
        self._changing = threading.Lock()
        self._replies: Replies | None = None
        self._process = os.getpid()

    def require_features(self, requeue: bool = False) -> None:
        """Accept: everything is there, also requeueing."""

    def send(
        self,
        target: Any,
        ctxt: Any,
        message: dict[str, Any],
        wait_for_reply: bool | None = None,
        timeout: float | None = None,
        call_monitor_timeout: float | None = None,
        retry: int | None = None,
        transport_options: Any = None,
    ) -> Any:
        """Send a request, and return the result if it is waited for."""
        patience = Patience(retry, timeout)
        if not wait_for_reply:
            ttl_s = self._options.fanout_ttl if target.fanout else self._options.cast_ttl
            self._post(self._queue_of(target), pack_request(Request(ctxt, message)), ttl_s, patience)
            return None
        call, replies = uuidutils.generate_uuid(dashed=False), self._listening_for_replies()
        request = Request(ctxt, message, call, replies.queue, call_monitor_timeout, timeout)
        ttl_s = self._options.cast_ttl if timeout is None else max(_TTL_S_MIN, math.ceil(timeout))
        with replies.expected(call) as arrivals:
            self._post(self._queue_of(target), pack_request(request), ttl_s, patience)
            return replies.wait(call, arrivals, patience, call_monitor_timeout)

    def send_notification(
        self, target: Any, ctxt: Any, message: dict[str, Any], version: float, retry: int | None = None
    ) -> None:
        """Send a notification. Returns when it is stored for good."""
        queue = naming.notification_queue(self._exchange(target), target.topic)
        body = pack_notification(ctxt, message, version)
        self._post(queue, body, self._options.notification_ttl, Patience(retry))

    def listen(self, target: Any, batch_size: int, batch_timeout: float | None) -> base.Listener:
        """Return a listener for what is sent to a topic, to a server of it, and to all its servers."""
        exchange = self._exchange(target)
        sources = [
            # One at a time from the queue that others share, so that they have their turn, and a second claim so that
            # ours does not pass while the first is on its way.
            *[(naming.topic_queue(exchange, target.topic), 1)] * 2,
            (naming.server_queue(exchange, target.topic, target.server), _ALL_AT_ONCE),
        ]
        fanout = naming.fanout_queue(exchange, target.topic)
        listener = rpc_listener(self._service, sources, fanout, self._reply, self._options)
        return base.PollStyleListenerAdapter(listener, batch_size, batch_timeout)

    def listen_for_notifications(
        self,
        targets_and_priorities: Sequence[tuple[Any, str]],
        pool: str | None,
        batch_size: int,
        batch_timeout: float | None,
    ) -> base.Listener:
        """Return a listener for notifications: its share of them, or of the copies that its pool gets."""
        addresses = [
            (self._exchange(target), f"{target.topic}.{priority}") for target, priority in targets_and_priorities
        ]
        queues = [
            naming.notification_queue(*address) if pool is None else self._joined(pool, *address)
            for address in addresses
        ]
        listener = notification_listener(self._service, queues, batch_size, self._options)
        return base.PollStyleListenerAdapter(listener, batch_size, batch_timeout)

    def cleanup(self) -> None:
        """Stop listening for replies and close all connections."""
        with self._changing:
            replies, self._replies = self._replies, None
        if replies is not None:
            replies.stop()
        self._service.close()

    def _joined(self, pool: str, exchange: str, topic: str) -> str:
        """Have copies of a topic's notifications posted to the pool's queue, and return that."""
        queue = naming.pool_queue(exchange, topic, pool)
        path = f"/v2/queues/{naming.notification_queue(exchange, topic)}/subscriptions"
        document = {"subscriber": f"queue:{queue}", "ttl": self._options.pool_ttl, "options": {}}
        self._service.request("POST", path, document, patience=Patience())
        return queue

    def _listening_for_replies(self) -> Replies:
        with self._changing:
            # A forked child has no thread that would hear them.
            if self._replies is None or self._process != os.getpid():
                self._process = os.getpid()
                caller = uuidutils.generate_uuid(dashed=False)
                self._replies = Replies(self._service, caller, self._allowed_remote_exmods)
            return self._replies

    def _reply(self, queue: str, reply: Reply) -> None:
        self._store(queue, pack_reply(reply), _TTL_S_MIN, Patience(timeout_s=self._options.reply_timeout))

    def _post(self, queue: str, body: Any, ttl_s: int, patience: Patience) -> None:
        try:
            self._store(queue, body, ttl_s, patience)
        except ClientError as error:
            left_s = patience.left_s()
            if left_s is not None and left_s <= 0:
                raise MessagingTimeout(f"The message was not sent in time: {error}") from error
            raise MessageDeliveryFailure(f"The message was not sent: {error}") from error

    def _store(self, queue: str, body: Any, ttl_s: int, patience: Patience) -> None:
        # The key is the same in all tries, so none of them makes a second message.
        headers = {"Idempotency-Key": uuidutils.generate_uuid(dashed=False)}
        document = {"messages": [{"body": body, "ttl": ttl_s}]}
        self._service.request("POST", f"/v2/queues/{queue}/messages", document, headers=headers, patience=patience)

    def _exchange(self, target: Any) -> str:
        return str(target.exchange or self._default_exchange or "")

    def _queue_of(self, target: Any) -> str:
        if target.fanout:
            return naming.fanout_queue(self._exchange(target), target.topic)
        if target.server:
            return naming.server_queue(self._exchange(target), target.topic, target.server)
        return naming.topic_queue(self._exchange(target), target.topic)
