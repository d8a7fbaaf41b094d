"""Queues over HTTP."""

from typing import Any

import pytest

from tests.api.calling import PATCH_TYPE, Service, refused

DEFAULTS = {
    "_max_messages_post_size": 262144,
    "_default_message_ttl": 3600,
    "_default_message_delay": 0,
    "_dead_letter_queue": None,
    "_dead_letter_queue_messages_ttl": None,
    "_max_claim_count": None,
    "_enable_encrypt_messages": False,
}


def patch(service: Service, changes: Any, queue: str = "q") -> Any:
    return service.patch(f"/v2/queues/{queue}", json=changes, headers={"content-type": PATCH_TYPE})


def change(op: str, path: str, *value: Any) -> dict[str, Any]:
    return {"op": op, "path": path, **({"value": value[0]} if value else {})}


def test_a_queue_is_created_once_and_keeps_its_first_metadata(service: Service) -> None:
    created = service.put("/v2/queues/q", json={"a": 1})
    assert (created.status_code, created.headers["location"], created.content) == (201, "/v2/queues/q", b"")
    again = service.put("/v2/queues/q", json={"a": 2})
    assert (again.status_code, again.headers["location"]) == (204, "/v2/queues/q")
    assert service.get("/v2/queues/q").json() == {"a": 1} | DEFAULTS
    assert service.put("/v2/queues/empty").status_code == 201


def test_a_queue_that_nobody_made_has_the_defaults(service: Service) -> None:
    response = service.get("/v2/queues/none")
    assert (response.status_code, response.json()) == (200, DEFAULTS)
    assert service.get("/v2/queues").json() == {"queues": [], "links": []}


def test_attributes_that_say_nothing_show_what_applies(service: Service) -> None:
    service.put(
        "/v2/queues/q",
        json={"_default_message_ttl": 60, "_default_message_delay": 0, "_max_claim_count": 0, "_other": 1},
    )
    shown = service.get("/v2/queues/q").json()
    assert shown == DEFAULTS | {"_default_message_ttl": 60, "_other": 1}


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"_default_message_ttl": 59}, ("_default_message_ttl can not exceed 1209600 seconds", "60")),
        ({"_default_message_ttl": 1209601}, ("_default_message_ttl can not exceed 1209600 seconds",)),
        ({"_default_message_ttl": "x"}, ("_default_message_ttl must be integer.",)),
        ({"_default_message_ttl": True}, ("_default_message_ttl must be integer.",)),
        ({"_default_message_ttl": 60.5}, ("_default_message_ttl must be integer.",)),
        ({"_max_messages_post_size": 262145}, ("_max_messages_post_size can not exceed 262144",)),
        ({"_max_messages_post_size": 0}, ("_max_messages_post_size", "greater than 0")),
        ({"_default_message_delay": 901}, ("900", "_default_message_delay")),
        ({"_default_message_delay": -1}, ("900", "_default_message_delay")),
        ({"_dead_letter_queue_messages_ttl": 10}, ("1209600", "_dead_letter_queue_messages_ttl")),
        ({"_max_claim_count": "x"}, ("_max_claim_count must be integer.",)),
        ({"_max_claim_count": -1}, ("_max_claim_count",)),
        ({"_dead_letter_queue": 7}, ("_dead_letter_queue",)),
        ({"_dead_letter_queue": "not a name"}, ("_dead_letter_queue",)),
        ({"_dead_letter_queue": "q"}, ("_dead_letter_queue", "another")),
        ({"_enable_encrypt_messages": "x"}, ("_enable_encrypt_messages must be boolean.",)),
        ({"_enable_encrypt_messages": True}, ("_enable_encrypt_messages", "key")),
        ({"_retry_policy": "x"}, ("retry_policy must be a dict.",)),
        ({"_retry_policy": {"minimum_delay": "a"}}, ("minimum_delay must be a integer",)),
        ({"_retry_policy": {"retry_backoff_function": "bogus"}}, ("invalid retry_backoff_function.",)),
        (
            {"_retry_policy": {"minimum_delay": 20, "maximum_delay": 10}},
            ("minimum_delay must less than maximum_delay.",),
        ),
        ({"_retry_policy": {"minimum_delay": 5, "maximum_delay": 10}}, ("invalid minimum_delay and maximum_delay.",)),
        ({"x": "y" * 65_536}, ("Queue metadata is too large. Max size: 65536",)),
    ],
)
def test_attributes_that_cannot_be_honoured_are_refused(
    service: Service, metadata: dict[str, Any], words: tuple[str, ...]
) -> None:
    refused(service.put("/v2/queues/q", json=metadata), 400, *words, title="Invalid API request")
    if "x" not in metadata:
        changes = [change("add", f"/metadata/{name}", value) for name, value in metadata.items()]
        refused(patch(service, changes), 400, *words, title="Invalid request body")
    assert service.get("/v2/queues").json()["queues"] == []


def test_metadata_must_be_an_object(service: Service) -> None:
    refused(service.put("/v2/queues/q", json=[1]), 400, "Document type not supported.", title="Invalid request body")
    refused(service.put("/v2/queues/q", json="s"), 400, "could not be parsed", title="Invalid request body")
    refused(service.put("/v2/queues/q", content=b"{"), 400, "could not be parsed", title="Invalid request body")
    refused(service.put("/v2/queues/q", content=b'{"a": 9223372036854775808}'), 400, "too large")
    assert service.put("/v2/queues/q", content=b'{"a": 9223372036854775807}').status_code == 201


def test_metadata_are_changed_one_after_another_or_not_at_all(service: Service) -> None:
    service.put("/v2/queues/q", json={"a": 1})
    changed = patch(
        service,
        [
            change("add", "/metadata/k", {"x": [1]}),
            change("replace", "/metadata/a", 2),
            change("replace", "/metadata/_default_message_ttl", 100),
            change("add", "/metadata/t~1i~0l", 5),
        ],
    )
    expected = DEFAULTS | {"a": 2, "k": {"x": [1]}, "_default_message_ttl": 100, "t/i~l": 5}
    assert (changed.status_code, changed.json()) == (200, expected)
    refused(patch(service, [change("add", "/metadata/b", 1), change("replace", "/metadata/zz", 1)]), 409)
    assert service.get("/v2/queues/q").json() == expected
    removed = patch(
        service, [change("remove", f"/metadata/{key}") for key in ("a", "k", "_default_message_ttl", "t~1i~0l")]
    )
    assert removed.json() == DEFAULTS
    assert patch(service, []).json() == DEFAULTS


def test_removing_a_reserved_attribute_that_is_not_set_is_no_error(service: Service) -> None:
    assert patch(service, [change("remove", f"/metadata/{name}") for name in DEFAULTS]).status_code == 200


def test_changing_a_queue_that_nobody_made_creates_it(service: Service) -> None:
    assert patch(service, [change("add", "/metadata/a", 1)]).json() == DEFAULTS | {"a": 1}
    assert [each["name"] for each in service.get("/v2/queues").json()["queues"]] == ["q"]


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ([change("replace", "/metadata/zz", 1)], 409, ("Can't replace non-existent object zz.",)),
        ([change("remove", "/metadata/zz")], 409, ("Can't remove non-existent object zz.",)),
        ([change("add", "/k", 1)], 400, ("Invalid JSON pointer for this resource",)),
        ([change("add", "/metadata/a/b", 1)], 400, ("Invalid JSON pointer for this resource",)),
        ([change("add", "/foo/k", 1)], 400, ("The root of path must be metadata",)),
        ([change("remove", "/foo/k")], 400, ("The root of path must be metadata",)),
        ([change("move", "/metadata/k")], 400, ("Invalid operation: `move`", "add, remove, replace")),
        ([{"path": "/metadata/k"}], 400, ("Unable to find `op`",)),
        ([{"op": "add", "value": 1}], 400, ("path",)),
        ([change("add", "/metadata/k")], 400, ('Operation "add" requires a member named "value".',)),
        ([5], 400, ("op", "path")),
        ({}, 400, ("array",)),
        ("x", 400, ("array",)),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    service: Service, changes: Any, status: int, words: tuple[str, ...]
) -> None:
    service.put("/v2/queues/q")
    refused(patch(service, changes), status, *words)
    assert service.get("/v2/queues/q").json() == DEFAULTS


def test_changes_have_a_media_type_of_their_own(service: Service) -> None:
    response = service.patch("/v2/queues/q", json=[])
    refused(response, 415, PATCH_TYPE, title="415 Unsupported Media Type")
    refused(service.patch("/v2/queues/q", headers={"content-type": PATCH_TYPE}), 400, "can not be empty")


def test_concurrent_changes_all_take_effect(service: Service) -> None:
    async def change_all() -> None:
        import asyncio

        answers = await asyncio.gather(
            *(
                service.request(
                    "PATCH",
                    "/v2/queues/q",
                    json=[change("add", f"/metadata/k{number}", number)],
                    headers={"content-type": PATCH_TYPE},
                )
                for number in range(8)
            )
        )
        assert {answer.status_code for answer in answers} == {200}

    service.run(change_all())
    assert {f"k{number}" for number in range(8)} <= set(service.get("/v2/queues/q").json())


def test_a_deleted_queue_is_gone_with_all_that_was_in_it(service: Service) -> None:
    service.put("/v2/queues/q", json={"a": 1})
    (id_,) = service.post_bodies(1)
    claim, _ = service.claim()
    for _ in range(2):
        assert service.delete("/v2/queues/q").status_code == 204
    assert service.get("/v2/queues/q").json() == DEFAULTS
    refused(service.get(f"/v2/queues/q/messages/{id_}"), 404, "Queue q does not exist for project p")
    refused(service.get(claim), 404)
    assert service.get("/v2/queues").json()["queues"] == []


def test_queues_are_listed_page_by_page(service: Service) -> None:
    names = [f"q{number:02}" for number in range(25)]
    for name in reversed(names):
        service.put(f"/v2/queues/{name}", json={"n": name})
    first = service.get("/v2/queues").json()
    assert first["queues"][0] == {"name": "q00", "href": "/v2/queues/q00"}
    assert len(first["queues"]) == 10
    assert first["links"] == [{"rel": "next", "href": "/v2/queues?marker=q09"}]
    second = service.get("/v2/queues?limit=20&detailed=true&with_count=true").json()
    assert second["queues"][1]["metadata"] == DEFAULTS | {"n": "q01"}
    assert second["count"] == 25
    assert second["links"][0]["href"] == "/v2/queues?limit=20&detailed=true&with_count=true&marker=q19"
    found, path = [], "/v2/queues?limit=7"
    while True:
        page = service.get(path).json()
        found += [each["name"] for each in page["queues"]]
        if not page["links"]:
            break
        path = page["links"][0]["href"]
    assert found == names


def test_a_listing_can_be_filtered_by_name_and_metadata(service: Service) -> None:
    for name, color in (("red-1", "red"), ("red-2", "red"), ("blue-1", "blue")):
        service.put(f"/v2/queues/{name}", json={"color": color, "size": 1})

    def listed(query: str) -> list[str]:
        return [each["name"] for each in service.get(f"/v2/queues?{query}").json()["queues"]]

    assert listed("name=red") == ["red-1", "red-2"]
    assert listed("name=1&color=red") == ["red-1"]
    assert listed("size=1") == ["blue-1", "red-1", "red-2"]
    assert listed("color=green") == []
    assert listed("color=red&limit=1") == ["red-1"]


@pytest.mark.parametrize("limit", ["0", "21", "-1"])
def test_a_page_of_queues_has_a_limit(service: Service, limit: str) -> None:
    refused(service.get(f"/v2/queues?limit={limit}"), 400, "Limit must be at least 1 and no greater than 20.")


@pytest.mark.parametrize("query", ["limit=abc", "limit=1.5", "limit=99999999999999999999"])
def test_a_limit_is_a_number(service: Service, query: str) -> None:
    refused(service.get(f"/v2/queues?{query}"), 400, '"limit"', "must be an integer", title="Invalid parameter")


@pytest.mark.parametrize("name", ["detailed", "with_count"])
def test_a_flag_is_true_or_false(service: Service, name: str) -> None:
    refused(service.get(f"/v2/queues?{name}=zzz"), 400, f'"{name}"', '"true" or "false"', title="Invalid parameter")
    for value in ("true", "t", "yes", "y", "1", "on", "True", "false", "f", "no", "n", "0", "off", "False", ""):
        assert service.get(f"/v2/queues?{name}={value}").status_code == 200


def test_projects_do_not_see_each_others_queues(service: Service) -> None:
    service.put("/v2/queues/q", json={"a": 1})
    (id_,) = service.post_bodies("secret")
    for path in ("/v2/queues", "/v2/queues/q/stats", "/v2/queues/q/messages?echo=true"):
        assert "q00" not in service.get(path, project="other").text
        assert "secret" not in service.get(path, project="other").text
    assert service.get("/v2/queues/q", project="other").json() == DEFAULTS
    assert service.get(f"/v2/queues/q/messages/{id_}", project="other").status_code == 404
    service.delete("/v2/queues/q", project="other")
    service.delete(f"/v2/queues/q/messages/{id_}", project="other")
    assert service.bodies() == ["secret"]


def test_stats_of_an_empty_or_missing_queue_are_zeros(service: Service) -> None:
    expected = {"messages": {"claimed": 0, "free": 0, "delayed": 0, "total": 0}}
    assert service.get("/v2/queues/q/stats").json() == expected
    service.put("/v2/queues/q")
    assert service.get("/v2/queues/q/stats").json() == expected


def test_stats_count_and_show_the_ends(service: Service) -> None:
    first, *_, last = service.post_bodies(0, 1, 2, ttl=300) + service.post_bodies("late", delay=60)
    claim, _ = service.claim("?limit=1", ttl=100, grace=60)
    service.pass_s(2)
    stats = service.get("/v2/queues/q/stats").json()["messages"]
    assert {name: stats[name] for name in ("claimed", "free", "delayed", "total")} == {
        "claimed": 1,
        "free": 3,
        "delayed": 1,
        "total": 4,
    }
    claim_id = claim.rpartition("/")[2]
    assert stats["oldest"] == {
        "age": 2,
        "ttl": 300,
        "body": 0,
        "claim_id": claim_id,
        "claim_count": 1,
        "created": "2023-11-14T22:13:20Z",
        "href": f"/v2/queues/q/messages/{first}?claim_id={claim_id}",
    }
    assert (stats["newest"]["href"], stats["newest"]["claim_id"]) == (f"/v2/queues/q/messages/{last}", None)


def test_a_purge_empties_the_queue_and_keeps_it(service: Service) -> None:
    for body in (None, {"resource_types": ["messages"]}, {"resource_types": ["messages", "subscriptions"]}):
        service.put("/v2/queues/q", json={"a": 1})
        service.post_bodies(1, 2, 3)
        service.post_bodies(4, delay=60)
        service.claim("?limit=1")
        response = service.post("/v2/queues/q/purge", **({"json": body} if body else {}))
        assert response.status_code == 204
        assert service.bodies("?echo=true&include_claimed=true&include_delayed=true") == []
        assert service.get("/v2/queues/q").json()["a"] == 1
    service.post_bodies(5)
    service.post("/v2/queues/q/purge", json={"resource_types": ["subscriptions"]})
    assert service.bodies() == [5]
    assert service.post("/v2/queues/none/purge").status_code == 204


def test_a_purge_of_something_else_is_refused(service: Service) -> None:
    refused(service.post("/v2/queues/q/purge", json={}), 400, "resource_types")
    for types in (["x"], "messages", [1], [["messages"]], None, {"messages": 1}):
        response = service.post("/v2/queues/q/purge", json={"resource_types": types})
        refused(response, 400, "Resource types must be a sub set of", "messages", "subscriptions")
