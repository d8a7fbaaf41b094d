"""How a client says who it is."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any, Protocol

from sukkal.client.errors import ClientError, Unreachable

__all__ = ["ApiToken", "BlockingCredentials", "Credentials", "KeystonePassword", "ProjectName"]


class Credentials(Protocol):
    """What tells the service who asks."""

    async def headers(self) -> Mapping[str, str]:
        """Return the headers of a request. Raises ``ClientError``."""
        ...

    async def renew(self) -> bool:
        """Forget what the service has just refused, and tell whether there may be better."""
        ...


class BlockingCredentials(Protocol):
    """The same for a client that waits in its thread."""

    def headers_now(self) -> Mapping[str, str]:
        """Return the headers of a request. Raises ``ClientError``."""
        ...

    def renew_now(self) -> bool:
        """Forget what the service has just refused, and tell whether there may be better."""
        ...


class ProjectName:
    """The name of a project alone, for a service that asks for no more."""

    def __init__(self, project: str) -> None:
        self._headers = {"X-Project-Id": project}

    async def headers(self) -> Mapping[str, str]:
        """Return the header with the project."""
        return self._headers

    async def renew(self) -> bool:
        """Tell that there is nothing else."""
        return False

    def headers_now(self) -> Mapping[str, str]:
        """Return the header with the project."""
        return self._headers

    def renew_now(self) -> bool:
        """Tell that there is nothing else."""
        return False


class ApiToken:
    """An API key, or a token that somebody got elsewhere. ``project`` is another one than the token's own."""

    def __init__(self, token: str, project: str | None = None) -> None:
        self._headers = {"X-Auth-Token": token} | ({"X-Project-Id": project} if project else {})

    async def headers(self) -> Mapping[str, str]:
        """Return the header with the token."""
        return self._headers

    async def renew(self) -> bool:
        """Tell that there is nothing else."""
        return False

    def headers_now(self) -> Mapping[str, str]:
        """Return the header with the token."""
        return self._headers

    def renew_now(self) -> bool:
        """Tell that there is nothing else."""
        return False


class KeystonePassword:
    """A user of Keystone, whose tokens are got and renewed as needed. Needs the extra ``keystone``.

    ``options`` are those of keystoneauth1's ``v3.Password``: ``auth_url``, ``username``, ``password``,
    ``project_name``, ``user_domain_name`` and so on.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        from keystoneauth1 import session
        from keystoneauth1.identity import v3

        self._plugin = v3.Password(**options)
        self._session = session.Session(auth=self._plugin)
        self._asking = threading.Lock()

    async def headers(self) -> Mapping[str, str]:
        """Return the header with a token that has not expired. Raises ``ClientError``."""
        return await asyncio.to_thread(self.headers_now)

    async def renew(self) -> bool:
        """Forget the token."""
        return await asyncio.to_thread(self.renew_now)

    def headers_now(self) -> Mapping[str, str]:
        """Return the header with a token that has not expired. Raises ``ClientError``."""
        from keystoneauth1 import exceptions

        with self._asking:
            try:
                token = self._session.get_token()
            except (exceptions.Unauthorized, exceptions.MissingAuthPlugin) as error:
                raise ClientError(f"Keystone refused the credentials: {error}") from error
            except exceptions.ClientException as error:
                raise Unreachable(f"Keystone gave no token: {error}") from error
        return {"X-Auth-Token": str(token)}

    def renew_now(self) -> bool:
        """Forget the token."""
        return bool(self._plugin.invalidate())
