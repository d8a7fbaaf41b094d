"""The forwarder's file: YAML, read whole before anything begins, with errors that name the field."""

import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
import yaml

from sukkal import limits
from sukkal.errors import SettingsError
from sukkal.forwarder.tenants import DEFAULT_PATHS
from sukkal.options import options_of
from sukkal.project_credentials import Access

__all__ = [
    "Configuration",
    "DeadLetterQueue",
    "MaskRule",
    "PublisherSection",
    "Replacement",
    "SourceSection",
    "TenantRules",
    "read",
]

_VARIABLE: Final = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,40}")

_Text = Annotated[str, msgspec.Meta(min_length=1)]
_Patterns = Annotated[tuple[_Text, ...], msgspec.Meta(min_length=1)]


class Replacement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Texts at ``path`` have what ``pattern`` finds in them replaced by ``by``."""

    path: _Text
    pattern: _Text
    by: str = "***"


class MaskRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is taken out of events of some types."""

    types: _Patterns = ("*",)
    drop: tuple[_Text, ...] = ()
    mask: tuple[_Text, ...] = ()
    replace: tuple[Replacement, ...] = ()


class TenantRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where in a notification its project stands."""

    paths: tuple[_Text, ...] = DEFAULT_PATHS
    by_type: dict[str, tuple[_Text, ...]] = {}
    default: str = ""


class DeadLetterQueue(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The queue for what nobody takes."""

    url: Annotated[str, msgspec.Meta(pattern="^https?://")]
    project: _Text
    queue: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    access: Access = Access()


class SourceSection(msgspec.Struct, frozen=True, kw_only=True):
    """A source: its kind, and the options of this kind."""

    kind: _Text
    options: dict[str, Any]


class PublisherSection(msgspec.Struct, frozen=True, kw_only=True):
    """A publisher: its kind, what it gets from where, and the options of this kind."""

    kind: _Text
    sources: _Patterns = msgspec.field(name="from")
    types: _Patterns = ("*",)
    but: tuple[_Text, ...] = ()
    audience: Literal["tenant", "operator"] = "tenant"
    options: dict[str, Any] = {}


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All that the file says."""

    sources: Annotated[dict[str, SourceSection], msgspec.Meta(min_length=1)]
    publishers: Annotated[dict[str, PublisherSection], msgspec.Meta(min_length=1)]
    tenant: TenantRules = TenantRules()
    masks: tuple[MaskRule, ...] = ()
    admin_fields: Literal["drop", "keep"] = "drop"
    dead_letters: DeadLetterQueue | None = None
    attempts: Annotated[int, msgspec.Meta(ge=1, le=100)] = limits.FORWARDER_ATTEMPTS
    timeout_s: Annotated[float, msgspec.Meta(gt=0, le=300)] = limits.FORWARDER_TIMEOUT_S
    longest_pause_s: Annotated[float, msgspec.Meta(gt=0, le=3_600)] = limits.FORWARDER_PAUSE_S_MAX
    report_s: Annotated[float, msgspec.Meta(gt=0, le=3_600)] = limits.FORWARDER_REPORT_S
    metrics_listen: Annotated[str, msgspec.Meta(pattern=r"^(\[[0-9a-fA-F:.]+\]|[^:\[\]]+):[0-9]{1,5}$")] | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"


_SOURCE_FIELDS: Final = frozenset(["kind"])
_PUBLISHER_FIELDS: Final = frozenset(["kind", "from", "types", "but", "audience"])


def read(text: str, environment: Mapping[str, str] = os.environ) -> Configuration:
    """Return what a file says. ``${NAME}`` in a text is a variable of the environment. Raises ``SettingsError``."""
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(f"It is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(document, dict):
        raise SettingsError("It must be a table with sources and publishers.")
    document = _filled(document, environment)
    for section, fields in (("sources", _SOURCE_FIELDS), ("publishers", _PUBLISHER_FIELDS)):
        if isinstance(given := document.get(section), dict):
            document[section] = {name: _split(f"{section}.{name}", each, fields) for name, each in given.items()}
    found = options_of(Configuration, document)
    for name, publisher in found.publishers.items():
        if unknown := [source for source in publisher.sources if source not in found.sources]:
            raise SettingsError(
                f"publishers.{name}.from: there is no source {unknown[0]!r}; there are {', '.join(found.sources)}."
            )
    return found


def _split(place: str, section: Any, fields: frozenset[str]) -> Any:
    """Return a section with what its kind alone knows in ``options``."""
    if not _NAME.fullmatch(str(place.partition(".")[2])):
        raise SettingsError(f"{place}: a name has letters, digits, _ and -, 40 at most.")
    if not isinstance(section, dict):
        raise SettingsError(f"{place}: it must be a table with a kind.")
    common = {name: value for name, value in section.items() if name in fields}
    return {**common, "options": {name: value for name, value in section.items() if name not in fields}}


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(each, environment) for name, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, environment) for each in value]
    return _VARIABLE.sub(lambda found: _variable(found[1], environment), value) if isinstance(value, str) else value


def _variable(name: str, environment: Mapping[str, str]) -> str:
    if name not in environment:
        raise SettingsError(f"${{{name}}}: there is no such variable in the environment.")
    return environment[name]
