"""The client: requests to a Sukkal, for programs. It knows the HTTP API and nothing of the server's code."""

from sukkal.client.connection import Answer, Connection
from sukkal.client.credentials import ApiToken, Credentials, KeystonePassword, ProjectName
from sukkal.client.environment import credentials_from, url_from
from sukkal.client.errors import ClientError, CredentialsRefused, Refused, Unexpected, Unreachable

__all__ = [
    "Answer",
    "ApiToken",
    "ClientError",
    "Connection",
    "Credentials",
    "CredentialsRefused",
    "KeystonePassword",
    "ProjectName",
    "Refused",
    "Unexpected",
    "Unreachable",
    "credentials_from",
    "url_from",
]
