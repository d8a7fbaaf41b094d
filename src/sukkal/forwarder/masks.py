"""What tenants must not see of notifications, taken out of them."""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from sukkal.format import Event
from sukkal.formats.members import path_of
from sukkal.forwarder.paths import DEEP, REMOVED, Path, change, parse
from sukkal.forwarder.tenants import matches

__all__ = ["ADMIN_FIELDS", "HIDDEN", "TENANTS_OWN", "Masks", "Rule", "without_host"]

HIDDEN: Final = "***"
"""What stands where something is masked."""

ADMIN_FIELDS: Final = (
    "/**/admin_pass",
    "/**/adminPass",
    "/**/attached_host",
    "/**/auth_token",
    "/**/binding:host_id",
    "/**/binding:profile",
    "/**/binding:vif_details",
    "/**/compute_host",
    "/**/connection_info",
    "/**/connector",
    "/**/dest_compute",
    "/**/dest_host",
    "/**/dest_node",
    "/**/driver_info",
    "/**/driver_internal_info",
    "/**/force_hosts",
    "/**/force_nodes",
    "/**/host",
    "/**/host_name",
    "/**/hosts",
    "/**/hypervisor_hostname",
    "/**/launched_host",
    "/**/launched_on",
    "/**/node",
    "/**/os-vol-host-attr:host",
    "/**/os-vol-mig-status-attr:migstat",
    "/**/os-vol-mig-status-attr:name_id",
    "/**/OS-EXT-SRV-ATTR:*",
    "/**/password",
    "/**/provider:network_type",
    "/**/provider:physical_network",
    "/**/provider:segmentation_id",
    "/**/provider_location",
    "/**/replication_driver_data",
    "/**/root_password",
    "/**/source_compute",
    "/**/source_host",
    "/**/source_node",
    "/**/src_host",
    "/**/traceback",
)
"""Members of payloads that Nova, Neutron, Cinder, Ironic and others show to administrators only, and secrets."""

TENANTS_OWN: Final = ("metadata", "properties", "tags")
"""Members in which services keep what tenants have named and written themselves."""

_Changed = Callable[[Any], Any]


class Rule(NamedTuple):
    """What happens to some members of the data of events of some types.

    Members at ``drop`` are removed, values at ``mask`` hidden. In the texts at ``replace`` all that is found by
    a regular expression is put into other words; the table has both for each path. Paths of two members, the first of
    which is ``**``, do not lead into members that ``spare`` names.
    """

    types: Sequence[str] = ("*",)
    drop: Sequence[str] = ()
    mask: Sequence[str] = ()
    replace: Mapping[str, tuple[str, str]] = {}
    spare: Sequence[str] = ()


class Masks:
    """Takes out of events what the rules say, in their order. Raises ``ValueError`` for a rule that cannot be kept."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(rule.types, _Compiled(rule)) for rule in rules]

    def of(self, event: Event) -> Event:
        """Return the event without what the rules hide."""
        data = event.data
        for types, rule in self._rules:
            if matches(event.type, types):
                data = rule.of(data)
        return event if data is event.data else replace(event, data=data)


def without_host(event: Event) -> Event:
    """Return the event of a service of OpenStack without the name of the host that the service ran on."""
    publisher = event.extensions.get("ospublisherid")
    if not isinstance(publisher, str):
        return event
    # Nova writes SERVICE:HOST, all others SERVICE.HOST.
    service = re.split(r"[.:]", publisher, maxsplit=1)[0] or "openstack"
    source = path_of(service) if event.source == path_of(publisher) else event.source
    return replace(event, source=source, extensions={**event.extensions, "ospublisherid": service})


class _Compiled:
    """A rule whose members at any depth are found in one walk."""

    def __init__(self, rule: Rule) -> None:
        self._names: dict[str, _Changed] = {}
        self._patterns: list[tuple[str, _Changed]] = []
        self._spared = frozenset(rule.spare)
        self._paths: list[tuple[Path, _Changed]] = []
        for text in rule.drop:
            self._add(parse(text), lambda value: REMOVED)
        for text in rule.mask:
            self._add(parse(text), lambda value: HIDDEN)
        for text, (pattern, words) in rule.replace.items():
            self._add(parse(text), _replacing(pattern, words))

    def of(self, data: Any) -> Any:
        if self._names or self._patterns:
            data = self._walked(data)
        for path, changed in self._paths:
            data = change(data, path, changed)
        return data

    def _add(self, path: Path, changed: _Changed) -> None:
        if len(path) != 2 or path[0] != DEEP or path[1] in self._names:
            self._paths.append((path, changed))
        elif "*" in path[1]:
            self._patterns.append((path[1], changed))
        else:
            self._names[path[1]] = changed

    def _changed(self, name: str, value: Any) -> Any:
        if name in self._names:
            value = self._names[name](value)
        for pattern, changed in self._patterns:
            if value is not REMOVED and fnmatchcase(name, pattern):
                value = changed(value)
        return value

    def _walked(self, value: Any) -> Any:
        if isinstance(value, list):
            made = [self._walked(each) if isinstance(each, dict | list) else each for each in value]
            return value if all(new is old for new, old in zip(made, value, strict=True)) else made
        if not isinstance(value, dict):
            return value
        members = {}
        same = True
        for name, old in value.items():
            new = self._changed(name, old)
            new = self._walked(new) if isinstance(new, dict | list) and name not in self._spared else new
            same = same and new is old
            if new is not REMOVED:
                members[name] = new
        return value if same else members


def _replacing(pattern: str, words: str) -> _Changed:
    try:
        found = re.compile(pattern)
        found.sub(words, "")
    except re.error as error:
        raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
    return lambda value: found.sub(words, value) if isinstance(value, str) else value
