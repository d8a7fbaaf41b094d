"""The documents by which a client finds its way: versions, and the resources of a version."""

from collections.abc import Mapping
from functools import lru_cache
from string import Formatter
from typing import Any, Final

import msgspec

from sukkal.service.operations import OPERATIONS, Operation, Version

__all__ = ["home_document", "versions_document"]

_VERSIONS: Final[tuple[tuple[Version, str, str, str], ...]] = (
    ("v1.1", "DEPRECATED", "2016-7-29T02:22:47Z", "application/vnd.openstack.messaging-v1_1+json"),
    ("v2", "CURRENT", "2014-9-24T04:06:47Z", "application/vnd.openstack.messaging-v2+json"),
)

_RESOURCES: Final[tuple[tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]], ...]] = (
    ("queues", ("queues.list",), (("marker", "marker"), ("limit", "queue_limit"), ("detailed", "detailed"))),
    ("queue", ("queues.get", "queues.create", "queues.delete", "queues.update"), ()),
    ("queue_stats", ("queues.stats",), ()),
    ("queue_purge", ("queues.purge",), ()),
    (
        "messages",
        ("messages.list",),
        (
            ("marker", "marker"),
            ("limit", "messages_limit"),
            ("echo", "echo"),
            ("include_claimed", "include_claimed"),
            ("include_delayed", "include_delayed"),
        ),
    ),
    ("post_messages", ("messages.post",), ()),
    ("messages_delete", ("messages.delete_many",), (("ids", "ids"), ("pop", "pop"))),
    ("message_delete", ("messages.delete",), (("claim", "claim_id"),)),
    ("message_get", ("messages.get",), ()),
    ("claim", ("claims.get",), ()),
    ("claims", ("claims.list",), (("marker", "marker"), ("limit", "claim_limit"))),
    ("post_claim", ("claims.create",), (("limit", "claim_limit"),)),
    ("patch_claim", ("claims.update",), ()),
    ("delete_claim", ("claims.delete",), ()),
    ("ping", ("ping.get",), ()),
    ("health", ("health.get",), ()),
)
"""Each resource: the operations that it stands for, and its query parameters with the names of their meanings."""


@lru_cache
def versions_document(*, with_v1_1: bool) -> bytes:
    """Return the document that lists the versions of the API."""
    versions = [
        {
            "id": version.removeprefix("v"),
            "status": status,
            "updated": updated,
            "media-types": [{"base": "application/json", "type": media_type}],
            "links": [{"href": f"/{version}/", "rel": "self"}],
        }
        for version, status, updated, media_type in _VERSIONS
        if version != "v1.1" or with_v1_1
    ]
    return msgspec.json.encode({"versions": versions})


@lru_cache
def home_document(version: Version) -> bytes:
    """Return the json-home document of a version."""
    by_name = {operation.name: operation for operation in OPERATIONS if version in operation.versions}
    resources = {
        f"rel/{name}": _resource(version, [by_name[each] for each in operations if each in by_name], dict(query))
        for name, operations, query in _RESOURCES
        if any(each in by_name for each in operations)
    }
    return msgspec.json.format(msgspec.json.encode({"resources": resources}), indent=4)


def _resource(version: Version, operations: list[Operation], query: Mapping[str, str]) -> dict[str, Any]:
    path = f"/{version}{operations[0].path}"
    variables = {name: f"param/{name}" for _, name, _, _ in Formatter().parse(path) if name}
    variables |= {name: f"param/{meaning}" for name, meaning in query.items()}
    hints: dict[str, Any] = {
        "allow": [operation.method for operation in operations],
        "formats": {"application/json": {}},
    }
    if any(operation.method == "POST" for operation in operations):
        hints["accept-post"] = ["application/json"]
    if not variables:
        return {"href": path, "hints": hints}
    template = path + (f"{{?{','.join(query)}}}" if query else "")
    return {"href-template": template, "href-vars": variables, "hints": hints}
