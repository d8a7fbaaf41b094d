"""Who a program is in each of many projects."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec

from sukkal import limits
from sukkal.client import ApiToken, Credentials, KeystonePassword, ProjectName
from sukkal.errors import SettingsError
from sukkal.extras import needs_extra

__all__ = ["Access", "Nobody", "ProjectCredentials"]

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_SCOPE: Final = ("project_id", "project_name", "project_domain_id", "project_domain_name")


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How a service lets a program into projects: one of the two, or by the name of the project alone.

    ``keystone`` are the options of a user who has a role in every project, apart from the project. ``keys`` has an API
    key for each project.
    """

    keystone: dict[str, str] | None = None
    keys: dict[_Text, _Text] | None = None


class ProjectCredentials:
    """Makes the credentials for each project, and keeps those that are in use. Raises ``SettingsError``."""

    def __init__(self, access: Access, *, timeout_s: float = limits.FORWARDER_TIMEOUT_S) -> None:
        if access.keystone is not None and access.keys is not None:
            raise SettingsError("access: give keystone or keys, not both.")
        if access.keystone is not None:
            if wrong := [name for name in _SCOPE if name in access.keystone]:
                raise SettingsError(
                    f"access.keystone.{wrong[0]}: the project is not among them, it is named elsewhere."
                )
            with needs_extra("keystone", "To ask Keystone for tokens"):
                import keystoneauth1  # noqa: F401 - is it there?
        self._access = access
        self._timeout_s = timeout_s
        self._made: OrderedDict[str, Credentials] = OrderedDict()

    def of(self, project: str) -> Credentials | None:
        """Return who the program is in a project, ``None`` if it is nobody there."""
        if project in self._made:
            self._made.move_to_end(project)
            return self._made[project]
        if (made := self._make(project)) is None:
            return None
        self._made[project] = made
        if len(self._made) > limits.FORWARDER_CREDENTIALS_MAX:
            self._made.popitem(last=False)
        return made

    def _make(self, project: str) -> Credentials | None:
        if self._access.keystone is not None:
            options: Mapping[str, Any] = {**self._access.keystone, "project_id": project}
            return KeystonePassword(options, timeout_s=self._timeout_s)
        if self._access.keys is not None:
            key = self._access.keys.get(project)
            return ApiToken(key) if key is not None else None
        return ProjectName(project)


class Nobody:
    """The credentials of a connection whose every request brings its own."""

    async def headers(self) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    async def renew(self) -> bool:
        """Tell that there is nothing else."""
        return False
