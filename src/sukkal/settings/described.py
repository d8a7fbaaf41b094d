"""The settings as a list that describes each."""

from collections.abc import Mapping
from typing import Any, Final, get_type_hints

import msgspec

from sukkal.settings.fields import Settings

__all__ = ["FIELDS", "Field"]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One setting as people see it: ``wants`` says in words which values it takes; a ``secret`` is never shown."""

    name: str
    default: str | int | bool
    description: str
    wants: str
    example: str | int | bool
    switch: bool
    secret: bool
    type: Any


def _wants(kind: msgspec.inspect.Type, extra: Mapping[str, Any]) -> str:
    match kind:
        case msgspec.inspect.IntType(ge=low, le=high):
            unit = f" of {extra['unit']}" if extra["unit"] else ""
            return f"a whole number{unit} from {low} to {high}"
        case msgspec.inspect.LiteralType(values=values):
            return "one of: " + ", ".join(str(value) for value in values)
        case msgspec.inspect.BoolType():
            return "true or false"
        case _:
            return str(extra["wants"])


def _fields() -> tuple[Field, ...]:
    info = msgspec.inspect.type_info(Settings)
    assert isinstance(info, msgspec.inspect.StructType)  # noqa: S101 - narrows the type, cannot fail
    annotations = get_type_hints(Settings, include_extras=True)
    fields = []
    # Those of deliveries, which are inherited, stand last.
    for field in sorted(info.fields, key=lambda field: field.name not in Settings.__annotations__):
        assert isinstance(field.type, msgspec.inspect.Metadata), field.name  # noqa: S101 - every setting is described
        extra = field.type.extra or {}
        fields.append(
            Field(
                name=field.name,
                default=field.default,
                description=(field.type.extra_json_schema or {})["description"],
                wants=_wants(field.type.type, extra),
                example=extra.get("example", field.default),
                switch=isinstance(field.type.type, msgspec.inspect.BoolType),
                secret=bool(extra.get("secret")),
                type=annotations[field.name],
            )
        )
    return tuple(fields)


FIELDS: Final = _fields()
