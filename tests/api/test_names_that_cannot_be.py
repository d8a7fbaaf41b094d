"""A text with a NUL names nothing, and every engine says so in the same way."""

from collections.abc import Callable
from typing import Any, Final

import pytest

from sukkal.errors import InvalidHeader, InvalidName
from sukkal.service.names import client_id, project_id
from tests.api.calling import Service, refused
from tests.api.faces import Face, Http, Refusal

ADMIN: Final = {"x-roles": "admin"}
WORDS: Final = "must not have NUL characters"


def refused_by(face: Face, action: Callable[[], Any]) -> None:
    with pytest.raises(Refusal) as refusal:
        action()
    assert refusal.value.status == 400
    assert WORDS in refusal.value.text


@pytest.mark.parametrize(
    "path",
    [
        *("queues", "topics", "flavors", "pools", "subscriptions", "listeners", "searches"),
        *("queues/q/messages", "queues/q/subscriptions", "queues/q/claims", "queues/q/share"),
    ],
)
def test_a_marker_with_a_nul_is_refused(service: Service, path: str) -> None:
    refused(service.call("GET", f"/v2/{path}?marker=a%00", headers=ADMIN), 400, '"marker"', WORDS)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *((method, "queues/q/subscriptions/%00") for method in ("GET", "PATCH", "DELETE")),
        *((method, "queues/q/messages/%00") for method in ("GET", "DELETE")),
        *((method, "queues/q/claims/%00") for method in ("GET", "PATCH", "DELETE")),
        *((method, "flavors/%00") for method in ("GET", "DELETE")),
        *((method, "pools/%00") for method in ("GET", "DELETE")),
        *((method, "queues/q%00") for method in ("GET", "PUT", "DELETE")),
    ],
)
def test_a_path_with_a_nul_is_refused(service: Service, method: str, path: str) -> None:
    given = {"json": {"ttl": 60}} if method in ("PATCH", "PUT") else {}
    refused(service.call(method, f"/v2/{path}", headers=ADMIN, **given), 400, WORDS)


def test_ids_with_a_nul_are_refused_in_lists_too(service: Service) -> None:
    refused(service.call("GET", "/v2/queues/q/messages?ids=a,b%00"), 400, '"ids"', WORDS)
    refused(service.call("DELETE", "/v2/queues/q/messages?ids=b%00&ids=a"), 400, '"ids"', WORDS)


def test_a_flavor_with_a_nul_does_not_exist(service: Service) -> None:
    refused(service.call("PUT", "/v2/queues/new", json={"_flavor": "a\0"}), 400, "does not exist")


def test_both_faces_refuse_a_nul(face: Face) -> None:
    refused_by(face, lambda: face.queues(marker="a\0"))
    refused_by(face, lambda: face.listing("q", marker="a\0"))
    refused_by(face, lambda: face.delete_many("q", ["a", "b\0"]))
    in_path = "a%00" if isinstance(face, Http) else "a\0"
    refused_by(face, lambda: face.message("q", in_path))
    refused_by(face, lambda: face.end("q", in_path))
    refused_by(face, lambda: face.unsubscribe("q", in_path))


def test_no_project_and_no_client_has_a_nul() -> None:
    with pytest.raises(InvalidName, match="NUL"):
        project_id("a\0")
    with pytest.raises(InvalidHeader, match="NUL"):
        client_id("a" * 20 + "\0", uuid_only=False)
