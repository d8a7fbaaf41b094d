"""Speaking to Keystone as the service user, through keystoneauth1.

No text of a failure is taken from what Keystone answers: it may repeat a token.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

from keystoneauth1 import exceptions
from keystoneauth1.access import AccessInfo
from keystoneauth1.identity import v3
from keystoneauth1.session import Session

from sukkal import limits
from sukkal.errors import SettingsError
from sukkal.identity.keystone.failures import CannotAsk, ServiceUserRefused
from sukkal.identity.keystone.settings import KeystoneSettings
from sukkal.identity.keystone.tokens import TrustToken

__all__ = ["Answer", "ServiceUser"]

T = TypeVar("T")

_REFUSED_RETRY_MS: Final = limits.KEYSTONE_REFUSED_RETRY_S * limits.SECOND_MS
_UNAUTHORIZED: Final = 401


class Answer(Protocol):
    """The part of an HTTP response that matters here."""

    @property
    def status_code(self) -> int:
        """The status."""

    @property
    def content(self) -> bytes:
        """The whole body."""


class ServiceUser:
    """The service user, whose own token keystoneauth1 gets and renews.

    Every method blocks, may be called from any thread, and raises ``CannotAsk``. A user that was refused is not tried
    again for some seconds: Keystone may lock users whose password is wrong too often. Raises ``SettingsError`` if
    there is no file of certificates where the settings say.
    """

    def __init__(self, settings: KeystoneSettings, now_ms: Callable[[], int]) -> None:
        if settings.cafile and not Path(settings.cafile).is_file():
            raise SettingsError(f"keystone_ca_file: there is no file {settings.cafile}.")
        self._settings = settings
        self._now_ms = now_ms
        self._own = self._plugin(project_name=settings.project_name, project_domain_name=settings.project_domain_name)
        # Redirects are not followed: they would take tokens and the password elsewhere.
        self._session = Session(verify=settings.cafile or True, timeout=settings.timeout_s, redirect=False)
        self._refused_until_ms = 0

    def close(self) -> None:
        """Close the connections."""
        self._session.session.close()

    def id(self) -> str:
        """Return the user's id."""
        return str(self._as_itself(lambda: self._own.get_access(self._session).user_id))

    def get(self, path: str, headers: Mapping[str, str]) -> Answer:
        """Read something as the service user."""
        answer = self._as_itself(lambda: self._send("GET", path, headers=headers, auth=self._own))
        if answer.status_code == _UNAUTHORIZED:
            raise self.refused(answer.status_code)
        return answer

    def refused(self, status: int) -> ServiceUserRefused:
        """Return what to raise because Keystone refuses the user something that its work needs; pause."""
        self._refused_until_ms = self._now_ms() + _REFUSED_RETRY_MS
        return ServiceUserRefused(f"status {status}")

    def send_as(self, token: str, method: str, path: str, *, body: Mapping[str, Any] | None = None) -> Answer:
        """Do a call with the token of somebody."""
        headers = {"X-Auth-Token": token}
        try:
            return self._send(method, path, headers=headers, authenticated=False, json=body)
        except Exception as error:  # noqa: BLE001 - see _cannot_ask
            raise self._cannot_ask(error) from None

    def trusted(self, trust_id: str) -> TrustToken | int:
        """Return a new token of a trust given to the service user, or the status with which it is refused."""
        plugin = self._plugin(trust_id=trust_id)
        try:
            return _trust_token(plugin.get_access(self._session))
        except (exceptions.Unauthorized, exceptions.Forbidden) as error:
            return error.http_status
        except Exception as error:  # noqa: BLE001 - see _cannot_ask
            raise self._cannot_ask(error) from None

    def _plugin(self, **scope: Any) -> v3.Password:
        return v3.Password(
            self._settings.v3_url,
            username=self._settings.username,
            password=self._settings.password,
            user_domain_name=self._settings.user_domain_name,
            include_catalog=False,
            **scope,
        )

    def _send(self, method: str, path: str, **what: Any) -> Answer:
        return self._session.request(self._settings.v3_url + path, method, raise_exc=False, log=False, **what)

    def _as_itself(self, call: Callable[[], T]) -> T:
        if self._now_ms() < self._refused_until_ms:
            raise ServiceUserRefused("it was refused a moment ago")
        try:
            try:
                return call()
            except exceptions.ConnectFailure:
                # Keystone closes connections that have been idle, perhaps just as one is used. No timeout is of this
                # kind: those are not repeated.
                return call()
        except (exceptions.Unauthorized, exceptions.Forbidden) as error:
            # What the call itself is told does not come as an exception: this is the log-in.
            raise self.refused(error.http_status) from None
        except exceptions.ClientException as error:
            raise self._cannot_ask(error) from None
        except Exception as error:  # noqa: BLE001 - see _cannot_ask
            self._own.invalidate()  # keystoneauth1 has kept a token that it cannot use
            raise self._cannot_ask(error) from None

    def _cannot_ask(self, error: Exception) -> CannotAsk:
        # An answer that is not Keystone's makes the library fail with whatever comes first, a KeyError for example.
        match error:
            case exceptions.ConnectTimeout():
                return CannotAsk(f"no answer within {self._settings.timeout_s:g} s")
            case exceptions.ConnectionError():
                return CannotAsk(_system_error(error) or "the connection broke")
            case exceptions.HttpError():
                return CannotAsk(f"it answers with status {error.http_status}")
            case _:
                return CannotAsk(
                    _system_error(error) or f"it answers with something else than a token ({type(error).__name__})"
                )


def _trust_token(access: AccessInfo) -> TrustToken:
    if access.auth_token is None or access.expires is None:
        raise ValueError("no token")
    return TrustToken(access.auth_token, int(access.expires.timestamp() * limits.SECOND_MS))


def _system_error(error: BaseException | None) -> str | None:
    while error is not None:
        if isinstance(error, OSError) and error.strerror:
            return error.strerror
        error = error.__cause__ or error.__context__
    return None
