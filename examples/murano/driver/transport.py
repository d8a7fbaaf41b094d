"""What all roles over oslo.messaging need: transports, servers, clients."""

from collections.abc import Callable
from typing import Any, Final

import oslo_messaging
from oslo_config import cfg

__all__ = ["EXCHANGE", "REPORT", "Bus"]

EXCHANGE: Final = "murano"
REPORT: Final = "murano.report_notification"


class Bus:
    """The service as oslo.messaging sees it."""

    def __init__(self, url: str, project: str) -> None:
        cfg.CONF([], project="murano")
        oslo_messaging.set_transport_defaults(EXCHANGE)
        address = f"sukkal+{url}/{project}"
        self._rpc = oslo_messaging.get_rpc_transport(cfg.CONF, address)
        self._notifications = oslo_messaging.get_notification_transport(cfg.CONF, address)

    def cast(self, topic: str, method: str, **arguments: Any) -> None:
        """Have a server of the topic do something. It is stored when this returns, whether there is a server or not."""
        target = oslo_messaging.Target(topic=topic)
        oslo_messaging.get_rpc_client(self._rpc, target).cast({}, method, **arguments)

    def serve(self, topic: str, name: str, endpoint: Any, *, threads: int = 64) -> Callable[[], None]:
        """Have an endpoint do what is sent to a topic; return what stops that when what was begun is done."""
        target = oslo_messaging.Target(topic=topic, server=name)
        server = oslo_messaging.get_rpc_server(self._rpc, target, [endpoint], executor="threading")
        server.start(override_pool_size=threads)
        return lambda: _stop(server)

    def notify(self, publisher: str, event_type: str, payload: Any) -> None:
        """Tell whom it may concern."""
        notifier = oslo_messaging.Notifier(
            self._notifications, publisher, driver="messagingv2", topics=["notifications"]
        )
        notifier.info({}, event_type, payload)

    def hear(self, endpoint: Any) -> Callable[[], None]:
        """Have an endpoint told of notifications; return what stops that."""
        listener = oslo_messaging.get_notification_listener(
            self._notifications,
            [oslo_messaging.Target(topic="notifications")],
            [endpoint],
            executor="threading",
        )
        listener.start()
        return lambda: _stop(listener)

    def close(self) -> None:
        """Close all connections."""
        self._rpc.cleanup()
        self._notifications.cleanup()


def _stop(server: Any) -> None:
    server.stop()
    server.wait()
