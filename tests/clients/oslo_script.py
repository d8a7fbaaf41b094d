"""What scripts begin with that use oslo.messaging: ``script_runner(ENVIRONMENT, PRELUDE, URL, EXECUTOR)``."""

from typing import Final

__all__ = ["ENVIRONMENT", "LOOK", "PRELUDE"]

ENVIRONMENT: Final = "oslo_messaging"

PRELUDE: Final = """
import queue, threading, time, warnings
warnings.simplefilter("ignore")
if sys.argv[2:] == ["eventlet"]:
    import eventlet
    eventlet.monkey_patch()
import oslo_messaging
from oslo_config import cfg
from oslo_messaging import Target
cfg.CONF([], project="tests")
URL = sys.argv[1]
CLIENT_ID = "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52"
EXECUTOR = "eventlet" if sys.argv[2:] == ["eventlet"] else "threading"
transports = []
def rpc_transport(url=URL):
    transports.append(oslo_messaging.get_rpc_transport(cfg.CONF, url))
    return transports[-1]
def notification_transport():
    transports.append(oslo_messaging.get_notification_transport(cfg.CONF, URL))
    return transports[-1]
def serve(endpoint, topic="topic", name="one"):
    server = oslo_messaging.get_rpc_server(rpc_transport(), Target(topic=topic, server=name), [endpoint], EXECUTOR)
    server.start()
    return server
def client(timeout=20, topic="topic", **more):
    return oslo_messaging.get_rpc_client(rpc_transport(), Target(topic=topic), timeout=timeout, **more)
class Heard:
    def __init__(self, results=()):
        self.events, self.results = queue.Queue(), list(results)
    def info(self, context, publisher, event, payload, metadata):
        self.events.put([event, payload])
        return self.results.pop(0) if self.results else None
def hear(endpoint, pool=None, topic="notes"):
    listener = oslo_messaging.get_notification_listener(
        notification_transport(), [Target(topic=topic)], [endpoint], EXECUTOR, allow_requeue=True, pool=pool)
    listener.start()
    return listener
def notifier(topic="notes", **more):
    return oslo_messaging.Notifier(notification_transport(), "publisher", driver="messagingv2", topics=[topic], **more)
def end(*servers):
    for server in servers:
        server.stop()
        server.wait()
    for transport in transports:
        transport.cleanup()
def left():
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sukkal")]
"""

LOOK: Final = """
from urllib.parse import urlsplit
from sukkal.client import BlockingConnection, ProjectName
parts = urlsplit(URL.removeprefix("sukkal+"))
look = BlockingConnection(f"{parts.scheme}://{parts.netloc}", ProjectName(parts.path[1:]), client_id=CLIENT_ID)
def ask(method, path, document=None, **more):
    return look.request(method, path, document, **more).document
def post(queue_name, body):
    document = {"messages": [{"body": body, "ttl": 600}]}
    return ask("POST", f"/v2/queues/{queue_name}/messages", document)["resources"][0].rpartition("/")[2]
def counts(queue_name):
    return ask("GET", f"/v2/queues/{queue_name}/stats")["messages"]
"""
"""What comes after the prelude where a script looks past the driver."""
