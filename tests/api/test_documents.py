"""The documents by which clients find their way: what they say is what is served."""

import json
from pathlib import Path
from typing import Any, Final

import pytest

from tests.api.calling import Service

VECTORS: Final = Path(__file__).parents[1] / "vectors"
JSON_HINTS: Final[dict[str, Any]] = {"formats": {"application/json": {}}}

# Where our home document of v1.1 is not the recorded one. An entry that no longer differs fails the test.
V1_1_DIFFERENCES: Final = {
    "rel/pools": "there are no pools",
    "rel/pool": "there are no pools",
    "rel/flavors": "there are no flavors",
    "rel/flavor": "there are no flavors",
    "rel/queue": "a queue's GET is shown too",
    "rel/ping": "a path without variables is no template",
    "rel/patch_claim": "accept-post is a hint for POST alone",
    "rel/message_get": "one message can be got",
    "rel/messages": "include_delayed is named, though v1.1 does not know it",
}


def recorded_home() -> dict[str, Any]:
    text = (VECTORS / "probe_v1.1.txt").read_text("utf-8")
    document: dict[str, Any] = json.loads(text.rpartition("GET /  -> 200 ")[2])
    return document


def test_the_home_of_v1_1_is_the_recorded_one_but_for_what_is_listed(service: Service) -> None:
    theirs, ours = recorded_home()["resources"], service.get("/v1.1/").json()["resources"]
    differing = {name for name in theirs.keys() | ours.keys() if theirs.get(name) != ours.get(name)}
    assert differing == set(V1_1_DIFFERENCES)


def test_the_home_of_v2_has_the_shape_of_json_home(service: Service) -> None:
    resources = service.get("/v2/").json()["resources"]
    assert {
        "rel/queues",
        "rel/queue",
        "rel/queue_stats",
        "rel/queue_purge",
        "rel/messages",
        "rel/post_messages",
        "rel/messages_delete",
        "rel/message_delete",
        "rel/message_get",
        "rel/claim",
        "rel/post_claim",
        "rel/patch_claim",
        "rel/delete_claim",
        "rel/ping",
    } <= set(resources)
    assert resources["rel/queues"] == {
        "href-template": "/v2/queues{?marker,limit,detailed}",
        "href-vars": {"marker": "param/marker", "limit": "param/queue_limit", "detailed": "param/detailed"},
        "hints": {"allow": ["GET"], **JSON_HINTS},
    }
    for name, resource in resources.items():
        assert ("href" in resource) != ("href-template" in resource), name
        assert ("href-vars" in resource) == ("href-template" in resource), name
        assert resource["hints"]["formats"] == JSON_HINTS["formats"], name


@pytest.mark.parametrize("version", ["v2", "v1.1"])
def test_every_resource_of_the_home_document_is_served_with_its_methods(service: Service, version: str) -> None:
    for name, resource in service.get(f"/{version}/").json()["resources"].items():
        template = resource.get("href") or resource["href-template"].partition("{?")[0]
        path = template.format(
            queue_name="q",
            message_id="m",
            claim_id="c",
            signed_url_id="s",
            project_id="p",
            subscription_id="u",
            listener_id="l",
            search_name="s",
            pool_name="p",
            flavor_name="f",
        )
        allowed = set(service.call("OPTIONS", path).headers["allow"].split(", "))
        assert set(resource["hints"]["allow"]) <= allowed, name


def test_every_operation_of_the_openapi_document_is_served(service: Service) -> None:
    document = service.get("/openapi.json", client=None, project=None).json()
    assert document["openapi"].startswith("3.1")
    for template, item in document["paths"].items():
        path = template.format(
            queue_name="q",
            message_id="m",
            claim_id="c",
            signed_url_id="s",
            project_id="p",
            subscription_id="u",
            listener_id="l",
            search_name="s",
            pool_name="p",
            flavor_name="f",
        )
        assert set(service.call("OPTIONS", path).headers["allow"].split(", ")) == {method.upper() for method in item}
        for method, operation in item.items():
            assert {"400", "404", "405", "406"} <= set(operation["responses"]), (method, template)
            names = {(each["name"], each["in"]) for each in operation["parameters"]}
            assert {("Client-ID", "header"), ("X-Project-Id", "header")} <= names


def test_the_openapi_document_tells_versions_apart(service: Service) -> None:
    paths = service.get("/openapi.json", client=None, project=None).json()["paths"]
    assert {path.split("/")[1] for path in paths} == {"v2", "v1.1"}
    assert "patch" in paths["/v2/queues/{queue_name}"]
    assert "patch" not in paths["/v1.1/queues/{queue_name}"]
    assert "/v2/topics/{queue_name}/messages" in paths
    assert "/v2/topics/{queue_name}/claims" not in paths
    for path, item in paths.items():
        assert all(operation.get("deprecated", False) == path.startswith("/v1.1") for operation in item.values())


def test_versions_say_what_clients_look_for(service: Service) -> None:
    document = service.get("/", client=None, project=None).json()
    first, second = document["versions"]
    assert document.keys() == {"versions"}
    assert second == {
        "id": "2",
        "status": "CURRENT",
        "updated": "2014-9-24T04:06:47Z",
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.messaging-v2+json"}],
        "links": [{"href": "/v2/", "rel": "self"}],
    }
    assert first == {
        "id": "1.1",
        "status": "DEPRECATED",
        "updated": "2016-7-29T02:22:47Z",
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.messaging-v1_1+json"}],
        "links": [{"href": "/v1.1/", "rel": "self"}],
    }
