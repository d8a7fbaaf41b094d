"""Changes of metadata in the manner of JSON Patch."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sukkal.errors import InvalidBody, MetadataConflict
from sukkal.service.attributes import RESERVED

__all__ = ["apply_changes"]

_OPERATIONS: Final = ("add", "remove", "replace")


def apply_changes(metadata: Mapping[str, Any], changes: Sequence[Any]) -> dict[str, Any]:
    """Return the metadata after the changes, one after another, all or none.

    A reserved attribute is always there, so replacing one that was not set sets it, and removing it is no error.
    Raises ``InvalidBody``, ``MetadataConflict``.
    """
    changed = dict(metadata)
    for change in changes:
        _apply(changed, change)
    return changed


def _apply(metadata: dict[str, Any], change: Any) -> None:
    if not isinstance(change, dict):
        raise InvalidBody("Each change must be an object with the members op and path.")
    operation = _operation_of(change)
    key = _key_of(change)
    if operation == "remove":
        if key in metadata:
            del metadata[key]
        elif key not in RESERVED:
            raise MetadataConflict(f"Can't remove non-existent object {key}.")
        return
    if "value" not in change:
        raise InvalidBody(f'Operation "{operation}" requires a member named "value".')
    if operation == "replace" and key not in metadata and key not in RESERVED:
        raise MetadataConflict(f"Can't replace non-existent object {key}.")
    metadata[key] = change["value"]


def _operation_of(change: Mapping[str, Any]) -> str:
    allowed = ", ".join(_OPERATIONS)
    if "op" not in change:
        raise InvalidBody(f"Unable to find `op` in JSON Schema change. It must be one of the following: {allowed}.")
    operation = change["op"]
    if operation not in _OPERATIONS:
        raise InvalidBody(f"Invalid operation: `{operation}`. It must be one of the following: {allowed}.")
    return str(operation)


def _key_of(change: Mapping[str, Any]) -> str:
    path = change.get("path")
    if not isinstance(path, str):
        raise InvalidBody('Each change needs a member named "path", e.g /metadata/key.')
    if not path.startswith("/"):
        raise InvalidBody(f"Invalid JSON pointer: {path}. It must begin with a slash, e.g /metadata/key.")
    parts = [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    if len(parts) != 2 or not parts[1]:
        raise InvalidBody(f"Invalid JSON pointer for this resource: '{path}, e.g /metadata/key'")
    root, key = parts
    if root != "metadata":
        raise InvalidBody("The root of path must be metadata, e.g /metadata/key.")
    return key
