"""How a client says who it is."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Protocol, TypeVar

from sukkal.client.errors import ClientError, CredentialsRefused, Unreachable

__all__ = ["ApiToken", "BlockingCredentials", "Credentials", "KeystonePassword", "ProjectName"]

_SCOPE: Final = (
    *("project_id", "project_name", "project_domain_id", "project_domain_name"),
    *("domain_id", "domain_name", "trust_id", "system_scope"),
)
_Told = TypeVar("_Told")

# A pool of our own: a Keystone that hangs keeps its threads, and no others.
_THREADS: Final = ThreadPoolExecutor(max_workers=8, thread_name_prefix="keystone")


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
    ``project_name``, ``user_domain_name`` and so on. Keystone has ``timeout_s`` for an answer.
    """

    def __init__(self, options: Mapping[str, Any], *, timeout_s: float = 30.0) -> None:
        from keystoneauth1 import session
        from keystoneauth1.identity import v3

        self._plugin = v3.Password(**options)
        self._user = {name: value for name, value in options.items() if name not in _SCOPE}
        self._session = session.Session(timeout=timeout_s)
        self._timeout_s = timeout_s
        self._asking = threading.Lock()

    async def headers(self) -> Mapping[str, str]:
        """Return the header with a token that has not expired. Raises as ``headers_now`` does."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return await _in_thread(self.headers_now)
        except TimeoutError:
            raise Unreachable("Keystone gave no token in time.") from None

    async def renew(self) -> bool:
        """Forget the token."""
        return await _in_thread(self.renew_now)

    def headers_now(self) -> Mapping[str, str]:
        """Return the header with a token that has not expired.

        Raises ``CredentialsRefused`` if Keystone does not know the user any more, ``Unreachable`` if it gives no
        answer, and ``ClientError`` if it does not let the user into the project.
        """
        from keystoneauth1 import exceptions

        try:
            with self._asking:
                return {"X-Auth-Token": self._token()}
        except (exceptions.Unauthorized, exceptions.MissingAuthPlugin) as error:
            raise ClientError(f"Keystone refused the credentials: {error}") from error
        except exceptions.ClientException as error:
            raise Unreachable(f"Keystone gave no token: {error}") from error

    def renew_now(self) -> bool:
        """Forget the token."""
        return bool(self._plugin.invalidate())

    def _token(self) -> str:
        from keystoneauth1 import exceptions
        from keystoneauth1.identity import v3

        try:
            return str(self._session.get_token(auth=self._plugin))
        except exceptions.Unauthorized:
            # Keystone says the same of a wrong password and of a project without a role.
            try:
                self._session.get_token(auth=v3.Password(**self._user, unscoped=True))
            except exceptions.Unauthorized as error:
                raise CredentialsRefused(f"Keystone refused the credentials: {error}") from error
            raise


async def _in_thread(ask: Callable[[], _Told]) -> _Told:
    return await asyncio.get_running_loop().run_in_executor(_THREADS, ask)
