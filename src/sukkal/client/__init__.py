"""The client: a service, for programs. It knows the HTTP API and WebSocket, and nothing of the server's code.

``Client`` is asynchronous, ``SyncClient`` the same for programs with threads. The classes of what the service refuses
are in ``sukkal.client.refusals``.
"""

from sukkal.client.asking import Retries
from sukkal.client.blocking import BlockingConnection
from sukkal.client.chance import Chance
from sukkal.client.client import Client
from sukkal.client.connection import Connection
from sukkal.client.consuming import Consumer
from sukkal.client.credentials import ApiToken, BlockingCredentials, Credentials, KeystonePassword, ProjectName
from sukkal.client.environment import credentials_from, url_from
from sukkal.client.errors import (
    ClientError,
    CredentialsRefused,
    LeaseLost,
    MessagesMissed,
    NotConnected,
    Refused,
    Unexpected,
    Unreachable,
)
from sukkal.client.exchange import Answer
from sukkal.client.held import HeldMessage
from sukkal.client.listening import Heard, Listening
from sukkal.client.nouns import Message, Posted
from sukkal.client.queue import Queue
from sukkal.client.streams import Event
from sukkal.client.sync import SyncClient, SyncConsumer, SyncHeldMessage, SyncListening, SyncQueue

__all__ = [
    "Answer",
    "ApiToken",
    "BlockingConnection",
    "BlockingCredentials",
    "Chance",
    "Client",
    "ClientError",
    "Connection",
    "Consumer",
    "Credentials",
    "CredentialsRefused",
    "Event",
    "Heard",
    "HeldMessage",
    "KeystonePassword",
    "LeaseLost",
    "Listening",
    "Message",
    "MessagesMissed",
    "NotConnected",
    "Posted",
    "ProjectName",
    "Queue",
    "Refused",
    "Retries",
    "SyncClient",
    "SyncConsumer",
    "SyncHeldMessage",
    "SyncListening",
    "SyncQueue",
    "Unexpected",
    "Unreachable",
    "credentials_from",
    "url_from",
]
