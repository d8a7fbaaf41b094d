"""Whose a notification is."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

from sukkal import limits
from sukkal.format import Event
from sukkal.forwarder.paths import Path, parse, values

__all__ = ["DEFAULT_PATHS", "SeveralTenants", "Tenants", "matches"]

# What Neutron and others wrap what they tell of into, also as a list with an "s". Any other member may be a table that
# a user fills.
_WRAPPERS: Final = (
    *("address_group", "address_scope", "firewall_group", "floatingip", "healthmonitor", "instance", "listener"),
    *("instance_properties", "l7policy", "loadbalancer", "log", "member", "metering_label", "network", "policy"),
    *("pool", "port", "rbac_policy", "router", "security_group", "security_group_rule", "segment", "subnet"),
    *("subnetpool", "trunk", "vpnservice"),
)

DEFAULT_PATHS: Final = (
    "/payload/*_object.data/tenant_id",
    "/payload/*_object.data/project_id",
    "/payload/*_object.data/owner",
    "/payload/tenant_id",
    "/payload/project_id",
    "/payload/owner",
    *(f"/payload/{name}{more}/tenant_id" for name in _WRAPPERS for more in ("", "s")),
    *(f"/payload/{name}{more}/project_id" for name in _WRAPPERS for more in ("", "s")),
    "/osprojectid",
    "/data/tenant_id",
    "/data/project_id",
    "/_context_project_id",
    "/_context_tenant",
    "/ctxt/project_id",
    "/ctxt/tenant",
)
"""Where services say whose a thing is; after these, who asked for it, who may be an administrator."""

_PROJECT: Final = re.compile(r"[^\x00-\x20\x7f]+")


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Tell whether the type of an event is one of the patterns, in which ``*`` stands for any characters."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


class SeveralTenants(Exception):
    """It is about things of several projects, so none of them may have it."""


class Tenants:
    """Decides which project a notification belongs to.

    The first of ``paths`` that leads to a name in the document counts; it may lead to one only. ``by_type`` has other
    paths for types of events; of these the first pattern counts. After the paths comes what the event says, and then
    ``default``.
    """

    def __init__(
        self,
        paths: Sequence[str] = DEFAULT_PATHS,
        by_type: Mapping[str, Sequence[str]] | None = None,
        default: str = "",
    ) -> None:
        self._paths = [parse(path) for path in paths]
        self._by_type = {pattern: [parse(path) for path in found] for pattern, found in (by_type or {}).items()}
        self._default = default or None

    def of(self, event: Event, document: Any) -> str | None:
        """Return the project, or ``None`` if there is none. Raises ``SeveralTenants``."""
        for path in self._of_type(event.type):
            found = {value for value in values(document, path) if _is_project(value)}
            if len(found) > 1:
                raise SeveralTenants(f"It is about things of several projects: {', '.join(sorted(found))}.")
            if found:
                return str(found.pop())
        said = event.extensions.get("osprojectid")
        return said if isinstance(said, str) and _is_project(said) else self._default

    def _of_type(self, event_type: str) -> list[Path]:
        return next(
            (paths for pattern, paths in self._by_type.items() if fnmatchcase(event_type, pattern)), self._paths
        )


def _is_project(text: Any) -> bool:
    return isinstance(text, str) and len(text) <= limits.PROJECT_CHARS_MAX and _PROJECT.fullmatch(text) is not None
