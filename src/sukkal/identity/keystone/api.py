"""The calls of Keystone's API that are needed here. They block, and run in threads."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar
from urllib.parse import quote

from sukkal import limits
from sukkal.errors import Forbidden, Unauthenticated
from sukkal.identity.keystone.failures import CannotAsk, ServiceUserRefused
from sukkal.identity.keystone.service_user import Answer, ServiceUser
from sukkal.identity.keystone.tokens import Grant, TrustToken, read_error_code, read_grant, read_trust_id

__all__ = ["KeystoneApi"]

T = TypeVar("T")

_OK: Final = 200
_CREATED: Final = 201
_NO_CONTENT: Final = 204
_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRUSTS: Final = "/OS-TRUST/trusts"


class KeystoneApi:
    """What is asked of a Keystone. Every method raises ``CannotAsk`` when there is no answer that can be used."""

    def __init__(self, user: ServiceUser) -> None:
        self._user = user

    def validate(self, token: str) -> Grant | None:
        """Return what a token grants; none if Keystone does not know it, or no more."""
        answer = self._user.get("/auth/tokens?nocatalog", {"X-Subject-Token": token})
        if answer.status_code == _FORBIDDEN:
            raise self._user.refused(answer.status_code)
        return None if _missing(answer) else _read(answer, _OK, read_grant)

    def create_trust(self, token: str, grant: Grant, expires_ms: int | None) -> str:
        """Let the service user act as the owner of a token in its project, with its roles; return the trust's id."""
        trust: dict[str, Any] = {
            "trustor_user_id": grant.user.id,
            "trustee_user_id": self._user.id(),
            "project_id": None if grant.project is None else grant.project.id,
            "roles": [{"id": role.id} for role in grant.roles],
            "impersonation": True,
        }
        answer = self._post_trust(token, trust, expires_ms)
        for later_ms in range(1, limits.KEYSTONE_TRUST_TRIES_MAX):
            # No two trusts of the same users for the same project may end at the same moment, even if one is deleted.
            if answer.status_code != _CONFLICT or expires_ms is None:
                break
            answer = self._post_trust(token, trust, expires_ms + later_ms)
        if answer.status_code == _UNAUTHORIZED:
            raise Unauthenticated("Keystone does not accept the token any more; get a new one.")
        if answer.status_code in (_BAD_REQUEST, _FORBIDDEN):
            raise Forbidden(
                "Keystone does not let this token make a trust. Tokens of trusts and of restricted application "
                "credentials may not, and a trust must end later than now."
            )
        return _read(answer, _CREATED, read_trust_id)

    def _post_trust(self, token: str, trust: Mapping[str, Any], expires_ms: int | None) -> Answer:
        ends = {} if expires_ms is None else {"expires_at": _moment(expires_ms)}
        return self._user.send_as(token, "POST", _TRUSTS, body={"trust": {**trust, **ends}})

    def trust_token(self, trust_id: str) -> TrustToken | None:
        """Return a new token of a trust; none if it has ended, or its giver no longer has what was given."""
        found = self._user.trusted(trust_id)
        if not isinstance(found, int):
            return found
        # A wrong password and a trust that is gone are refused alike.
        if found == _UNAUTHORIZED and self.trust_exists(trust_id):
            raise ServiceUserRefused("its password is refused for a trust")
        return None

    def trust_exists(self, trust_id: str) -> bool:
        """Tell whether there still is a trust, be it one that was given to somebody else."""
        answer = self._user.get(_trust_path(trust_id), {})
        if answer.status_code == _FORBIDDEN:
            return True
        return not _missing(answer) and bool(_read(answer, _OK, read_trust_id))

    def delete_trust(self, trust_id: str, token: str) -> bool:
        """End a trust with a token of the one who gave it, or of the trust itself; tell whether that was allowed."""
        answer = self._user.send_as(token, "DELETE", _trust_path(trust_id))
        if answer.status_code in (_UNAUTHORIZED, _FORBIDDEN):
            return False
        if answer.status_code != _NO_CONTENT and not _missing(answer):
            raise _unexpected(answer)
        return True

    def close(self) -> None:
        """Close the connections."""
        self._user.close()


def _moment(at_ms: int) -> str:
    return (_EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _trust_path(trust_id: str) -> str:
    return f"{_TRUSTS}/{quote(trust_id, safe='')}"


def _missing(answer: Answer) -> bool:
    # A proxy or another service may be what stands at the address: only Keystone's own word counts.
    return answer.status_code == _NOT_FOUND and read_error_code(answer.content) == _NOT_FOUND


def _read(answer: Answer, status: int, reader: Callable[[bytes], T]) -> T:
    if answer.status_code != status:
        raise _unexpected(answer)
    try:
        return reader(answer.content)
    except ValueError:
        raise CannotAsk("what it answers cannot be read") from None


def _unexpected(answer: Answer) -> CannotAsk:
    return CannotAsk(f"it answers with status {answer.status_code}")
