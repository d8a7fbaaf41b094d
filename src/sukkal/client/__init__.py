"""The client: requests to a Sukkal, for programs. It knows the HTTP API and nothing of the server's code."""

from sukkal.client.blocking import BlockingConnection
from sukkal.client.connection import Connection
from sukkal.client.credentials import ApiToken, BlockingCredentials, Credentials, KeystonePassword, ProjectName
from sukkal.client.environment import credentials_from, url_from
from sukkal.client.errors import ClientError, CredentialsRefused, Refused, Unexpected, Unreachable
from sukkal.client.exchange import Answer
from sukkal.client.streams import Event

__all__ = [
    "Answer",
    "ApiToken",
    "BlockingConnection",
    "BlockingCredentials",
    "ClientError",
    "Connection",
    "Credentials",
    "CredentialsRefused",
    "Event",
    "KeystonePassword",
    "ProjectName",
    "Refused",
    "Unexpected",
    "Unreachable",
    "credentials_from",
    "url_from",
]
