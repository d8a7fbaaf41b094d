"""The client: requests to a Sukkal, for programs. It knows the HTTP API and nothing of the server's code."""

from sukkal.client.connection import Answer, Connection
from sukkal.client.credentials import ApiToken, Credentials, KeystonePassword, ProjectName
from sukkal.client.environment import credentials_from, url_from
from sukkal.client.errors import ClientError, Refused, Unreachable

__all__ = [
    "Answer",
    "ApiToken",
    "ClientError",
    "Connection",
    "Credentials",
    "KeystonePassword",
    "ProjectName",
    "Refused",
    "Unreachable",
    "credentials_from",
    "url_from",
]
