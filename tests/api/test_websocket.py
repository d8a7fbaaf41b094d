"""The actions over WebSocket: what they do and how their answers look."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sukkal.service.operations import OPERATIONS
from sukkal.transports.websocket.answering import ACTIONS
from sukkal.transports.websocket.handlers import HANDLERS
from tests.api.calling import CLIENT, OTHER_CLIENT, Service
from tests.api.sockets import Ended, Socket

MEMBERS = ["id", "claim_id", "ttl", "age", "body"]


@pytest.fixture(params=["text", "binary"])
def socket(service: Service, request: pytest.FixtureRequest) -> Iterator[Socket]:
    with Socket(service, binary=request.param == "binary") as socket:
        yield socket


def post(socket: Socket, *bodies: Any, queue: str = "q") -> list[str]:
    reply = socket.ask("message_post", {"queue_name": queue, "messages": [{"body": body} for body in bodies]})
    assert reply.status == 201, reply.body
    ids: list[str] = reply.body["message_ids"]
    return ids


def test_every_action_of_the_table_is_served_and_every_handler_is_in_the_table() -> None:
    assert ACTIONS.keys() == HANDLERS.keys()
    named = [action for each in OPERATIONS for action in (each.action, *each.other_actions) if action]
    assert len(named) == len(set(named)) == len(HANDLERS)
    without = {each.name for each in OPERATIONS if each.action is None}
    # Cloud subscriptions are asked for in other words there, and operators have no use for lasting connections.
    without = {name for name in without if not name.startswith(("cloud_subscriptions.", "pools.", "flavors."))}
    assert without == {"ping.head", "messages.post_raw", "messages.ingest", "messages.stream", "events.connect"}, (
        "everything else can be asked for over WebSocket too"
    )


def test_a_queue_is_created_once(socket: Socket) -> None:
    first = socket.ask("queue_create", {"queue_name": "q", "metadata": {"a": 1}})
    assert (first.status, first.body) == (201, "Queue q created.")
    second = socket.ask("queue_create", {"queue_name": "q"})
    assert (second.status, second.body) == (204, "Queue q created.")
    shown = socket.ask("queue_get", {"queue_name": "q"})
    assert (shown.status, shown.body) == (200, {"a": 1})


def test_a_queue_that_nobody_made_has_no_metadata(socket: Socket) -> None:
    shown = socket.ask("queue_get", {"queue_name": "q"})
    assert (shown.status, shown.body) == (200, {})


def test_queues_are_listed_by_name_with_their_metadata_if_asked_for(socket: Socket) -> None:
    for name in ("c", "a", "b"):
        socket.ask("queue_create", {"queue_name": name, "metadata": {"is": name}})
    assert socket.ask("queue_list").body == {"queues": [{"name": "a"}, {"name": "b"}, {"name": "c"}]}
    page = socket.ask("queue_list", {"limit": 1, "marker": "a", "detailed": True})
    assert page.body == {"queues": [{"name": "b", "metadata": {"is": "b"}}]}
    socket.ask("queue_list", {"limit": 21}).refused(400, "Limit must be at least 1 and no greater than 20.")


def test_the_metadata_of_a_queue_are_changed(socket: Socket) -> None:
    changes = [{"op": "add", "path": "/metadata/a", "value": 1}]
    changed = socket.ask("queue_update", {"queue_name": "q", "changes": changes})
    assert changed.status == 200
    assert changed.body["a"] == 1
    assert socket.ask("queue_get", {"queue_name": "q"}).body == {"a": 1}
    socket.ask("queue_update", {"queue_name": "q", "changes": {}}).refused(400, '"changes"')


def test_a_queue_is_deleted_whether_it_exists_or_not(socket: Socket) -> None:
    post(socket, 1)
    for _ in range(2):
        deleted = socket.ask("queue_delete", {"queue_name": "q"})
        assert (deleted.status, deleted.body) == (204, "Queue q removed.")
    assert socket.ask("queue_list").body == {"queues": []}


def test_the_messages_of_a_queue_are_counted(socket: Socket) -> None:
    socket.ask("queue_create", {"queue_name": "q"})
    empty = socket.ask("queue_get_stats", {"queue_name": "q"})
    assert (empty.status, empty.body) == (200, {"messages": {"claimed": 0, "free": 0, "delayed": 0, "total": 0}})
    first, last = post(socket, 1, 2)
    counts = socket.ask("queue_get_stats", {"queue_name": "q"}).body["messages"]
    assert (counts["free"], counts["total"]) == (2, 2)
    assert (counts["oldest"]["id"], counts["newest"]["id"]) == (first, last)
    assert "href" not in counts["oldest"]


def test_the_counts_of_a_queue_that_does_not_exist_are_zero_and_not_found(socket: Socket) -> None:
    missing = socket.ask("queue_get_stats", {"queue_name": "q"})
    assert (missing.status, missing.body["messages"]["total"]) == (404, 0)


def test_a_queue_is_purged(socket: Socket) -> None:
    post(socket, 1)
    purged = socket.ask("queue_purge", {"queue_name": "q", "resource_types": ["messages"]})
    assert (purged.status, purged.body) == (204, {})
    assert socket.ask("message_list", {"queue_name": "q", "echo": True}).body == {"messages": []}
    socket.ask("queue_purge", {"queue_name": "q", "resource_types": ["x"]}).refused(400, "Resource types")


def test_posted_messages_are_listed_to_others_and_to_the_poster_if_asked_for(socket: Socket) -> None:
    ids = post(socket, {"x": 0}, "text", [1.5, None, True])
    assert socket.ask("message_list", {"queue_name": "q"}).body == {"messages": []}
    mine = socket.ask("message_list", {"queue_name": "q", "echo": True, "limit": 2}).body["messages"]
    assert [list(message) for message in mine] == [MEMBERS] * 2
    assert mine[0] == {"id": ids[0], "claim_id": None, "ttl": 3600, "age": 0, "body": {"x": 0}}
    theirs = socket.ask("message_list", {"queue_name": "q", "marker": ids[1]}, Client_ID=OTHER_CLIENT).body
    assert [message["body"] for message in theirs["messages"]] == [[1.5, None, True]]


def test_a_page_shown_in_detail_says_where_the_next_one_begins(socket: Socket) -> None:
    post(socket, 1, 2)
    page = socket.ask("message_list", {"queue_name": "q", "echo": True, "limit": 1, "detailed": True}).body
    assert page["messages"][0]["claim_count"] == 0
    rest = socket.ask("message_list", {"queue_name": "q", "echo": True, "marker": page["marker"]}).body
    assert [message["body"] for message in rest["messages"]] == [2]


def test_a_listing_of_a_queue_that_does_not_exist_is_refused(socket: Socket) -> None:
    socket.ask("message_list", {"queue_name": "q", "echo": True}).refused(404, "Queue q does not exist for project p")


def test_one_message_and_several_are_got_by_id(socket: Socket) -> None:
    ids = post(socket, 1, 2)
    one = socket.ask("message_get", {"queue_name": "q", "message_id": ids[0]})
    assert one.status == 200
    assert list(one.body["messages"]) == MEMBERS
    many = socket.ask("message_get_many", {"queue_name": "q", "message_ids": [*ids, "x"]})
    assert [message["body"] for message in many.body["messages"]] == [1, 2]
    missing = socket.ask("message_get", {"queue_name": "q", "message_id": "zz"})
    missing.refused(404, "Message zz does not exist in queue q for project p")
    socket.ask("message_get_many", {"queue_name": "q"}).refused(400, "message_ids")


def test_messages_are_deleted_by_id_one_or_many(socket: Socket) -> None:
    ids = post(socket, 1, 2, 3)
    one = socket.ask("message_delete", {"queue_name": "q", "message_id": ids[0]})
    assert (one.status, one.body) == (204, {})
    many = socket.ask("message_delete_many", {"queue_name": "q", "message_ids": ids[:2]})
    assert (many.status, many.body) == (204, {})
    left = socket.ask("message_list", {"queue_name": "q", "echo": True}).body["messages"]
    assert [message["body"] for message in left] == [3]


def test_messages_are_popped(socket: Socket) -> None:
    ids = post(socket, "a", "b")
    popped = socket.ask("message_delete_many", {"queue_name": "q", "pop": 2})
    assert popped.status == 200
    assert [message["id"] for message in popped.body["messages"]] == ids
    assert {"id", "age", "ttl", "body", "claim_id", "claim_count"} == set(popped.body["messages"][0])
    assert socket.ask("message_delete_many", {"queue_name": "q", "pop": 1}).body == {"messages": []}


def test_a_deletion_of_many_takes_either_ids_or_a_number(socket: Socket) -> None:
    socket.ask("message_delete_many", {"queue_name": "q"}).refused(400, '"ids" or "pop"')
    both = socket.ask("message_delete_many", {"queue_name": "q", "pop": 1, "message_ids": ["x"]})
    both.refused(400, "cannot be present together")


def test_a_claim_is_made_shown_renewed_and_ended(socket: Socket) -> None:
    ids = post(socket, 1, 2, 3)
    made = socket.ask("claim_create", {"queue_name": "q", "ttl": 100, "grace": 100, "limit": 2})
    assert made.status == 201
    claim_id = made.body["claim_id"]
    assert [list(message) for message in made.body["messages"]] == [MEMBERS] * 2
    assert [(message["id"], message["claim_id"]) for message in made.body["messages"]] == [
        (ids[0], claim_id),
        (ids[1], claim_id),
    ]
    shown = socket.ask("claim_get", {"queue_name": "q", "claim_id": claim_id})
    assert (shown.status, shown.body["age"], shown.body["ttl"]) == (200, 0, 100)
    assert shown.body["messages"] == made.body["messages"]
    renewed = socket.ask("claim_update", {"queue_name": "q", "claim_id": claim_id, "ttl": 200})
    assert (renewed.status, renewed.body) == (204, f"Claim {claim_id} updated.")
    assert socket.ask("claim_list", {"queue_name": "q"}).body == {"claims": [{"id": claim_id, "age": 0, "ttl": 200}]}
    ended = socket.ask("claim_delete", {"queue_name": "q", "claim_id": claim_id})
    assert (ended.status, ended.body) == (204, f"Claim {claim_id} deleted.")
    gone = socket.ask("claim_get", {"queue_name": "q", "claim_id": claim_id})
    gone.refused(404, f"Claim {claim_id} does not exist")


def test_a_claim_of_nothing_names_no_claim(socket: Socket) -> None:
    nothing = socket.ask("claim_create", {"queue_name": "q"})
    assert (nothing.status, nothing.body) == (204, {"claim_id": None, "messages": []})


def test_one_message_of_a_claim_is_released(socket: Socket) -> None:
    ids = post(socket, 1, 2)
    claim_id = socket.ask("claim_create", {"queue_name": "q"}).body["claim_id"]
    released = socket.ask("claim_release", {"queue_name": "q", "claim_id": claim_id, "message_id": ids[1]})
    assert (released.status, released.body) == (204, {})
    assert [message["id"] for message in socket.ask("claim_create", {"queue_name": "q"}).body["messages"]] == ids[1:]


def test_a_claimed_message_is_deleted_only_with_its_claim(socket: Socket) -> None:
    first, second = post(socket, 1, 2)
    claim_id = socket.ask("claim_create", {"queue_name": "q", "limit": 1}).body["claim_id"]
    without = socket.ask("message_delete", {"queue_name": "q", "message_id": first})
    without.refused(403, "This message is claimed; it cannot be deleted without a valid claim ID.")
    free = socket.ask("message_delete", {"queue_name": "q", "message_id": second, "claim_id": claim_id})
    free.refused(400, "A claim was specified, but the message is not currently claimed.")
    with_it = socket.ask("message_delete", {"queue_name": "q", "message_id": first, "claim_id": claim_id})
    assert (with_it.status, with_it.body) == (204, {})


def test_the_rules_are_those_of_http(service: Service, socket: Socket) -> None:
    socket.ask("queue_create", {"queue_name": "q", "metadata": {"_default_message_ttl": 120}})
    late = {"queue_name": "q", "messages": [{"body": "late", "delay": 60}, {"body": "now"}]}
    assert socket.ask("message_post", late).status == 201
    shown = socket.ask("message_list", {"queue_name": "q", "echo": True}).body["messages"]
    assert [(message["body"], message["ttl"]) for message in shown] == [("now", 120)]
    service.pass_s(60)
    assert service.bodies() == ["now", "late"]


@pytest.mark.parametrize(
    ("action", "body", "words"),
    [
        ("queue_create", {"queue_name": "bad name"}, "queue name"),
        ("queue_create", {}, "Schema validation failed."),
        ("queue_create", {"queue_name": 1}, "Schema validation failed."),
        ("queue_create", [], "Schema validation failed."),
        ("queue_create", {"queue_name": "q", "metadata": 1}, "metadata"),
        ("message_post", {"queue_name": "q"}, "No messages"),
        ("message_post", {"queue_name": "q", "messages": []}, "No messages to enqueu."),
        ("message_post", {"queue_name": "q", "messages": [1]}, "messages[0]"),
        ("message_post", {"queue_name": "q", "messages": [{"ttl": 100}]}, 'Missing "body" field.'),
        ("message_post", {"queue_name": "q", "messages": [{"ttl": 10, "body": 1}]}, "The TTL for a message"),
        ("message_list", {"queue_name": "q", "limit": 21}, "Limit must be at least 1 and may not be greater than 20."),
        ("message_list", {"queue_name": "q", "echo": "true"}, '"echo"'),
        ("message_get_many", {"queue_name": "q", "message_ids": [1]}, '"message_ids"'),
        ("message_list", {"queue_name": "q", "wait": 61}, '"wait"'),
        ("claim_create", {"queue_name": "q", "ttl": 10}, "The TTL for a claim"),
        ("claim_create", {"queue_name": "q", "ttl": True}, '"ttl"'),
        ("claim_create", {"queue_name": "q", "ttl": 2**63}, '"ttl"'),
        ("claim_update", {"queue_name": "q", "claim_id": "c", "ttl": "x"}, "Schema validation failed."),
        ("claim_update", {"queue_name": "q", "ttl": 60}, '"claim_id"'),
        ("subscription_create", {"queue_name": "q", "subscriber": 1}, "subscriber"),
        ("subscription_get", {"queue_name": "q"}, '"subscription_id"'),
        ("pool_list", {}, "pool_list is not a valid action"),
        ("nope", {}, "nope is not a valid action"),
    ],
)
def test_what_is_wrong_is_refused_in_words(socket: Socket, action: str, body: Any, words: str) -> None:
    socket.ask(action, body).refused(400, words)


def test_the_home_document_ping_and_health_are_answered(socket: Socket) -> None:
    assert "rel/queues" in socket.ask("get_home_doc").body["resources"]
    assert socket.ask("ping_node").status == 204
    socket.ask("check_node_health").refused(403, "not authorized")
    assert socket.ask("check_node_health", X_Roles="admin").body["storage_reachable"] is True


def test_what_a_project_keeps_is_shown_and_limited(socket: Socket) -> None:
    post(socket, 1)
    assert socket.ask("usage_get").body["usage"]["messages"] == 1
    socket.ask("limits_list").refused(403)
    socket.ask("limits_get", {"project_id": "p"}).refused(403)
    wanted = {"project_id": "p", "limits": {"messages": 1}}
    assert socket.ask("limits_update", wanted, X_Roles="admin").body["limits"]["messages"] == 1
    full = socket.ask("message_post", {"queue_name": "q", "messages": [{"body": 1}]})
    full.refused(429)
    assert full.headers["retry-after"] > 0
    assert socket.ask("limits_list", X_Roles="admin").body["limits"][0]["project"] == "p"
    assert socket.ask("limits_get", {"project_id": "p"}, X_Roles="admin").status == 200
    assert socket.ask("limits_delete", {"project_id": "p"}, X_Roles="admin").status == 204


def test_every_frame_names_its_client(service: Service) -> None:
    with Socket(service, client=None) as socket:
        socket.ask("queue_list").refused(400, "Client-Id")
        socket.ask("queue_list", Client_ID="x").refused(400, "UUID")
        assert socket.ask("queue_list", CLIENT_id=CLIENT).status == 200


def test_every_frame_names_its_project(service: Service) -> None:
    with Socket(service, project=None) as socket:
        socket.ask("queue_list").refused(400, "X-PROJECT-ID")
        assert socket.ask("queue_create", {"queue_name": "q"}, x_project_id="a").status == 201
        assert socket.ask("queue_list", X_Project_Id="b").body == {"queues": []}
        assert socket.ask("queue_list", X_PROJECT_ID="a").body == {"queues": [{"name": "q"}]}


def test_a_header_that_is_there_twice_counts_as_empty(service: Service) -> None:
    with Socket(service) as socket:
        socket.ask("queue_list", x_project_id="other").refused(400, "X-PROJECT-ID")


def test_a_post_with_a_key_can_be_repeated(service: Service) -> None:
    with Socket(service) as socket:
        body = {"queue_name": "q", "messages": [{"body": 1}]}
        first = socket.ask("message_post", body, Idempotency_Key="k")
        again = socket.ask("message_post", body, Idempotency_Key="k")
        assert first.body == again.body
        assert (first.headers, again.headers) == ({}, {"idempotency-replayed": "true"})


def test_who_waits_gets_what_comes(service: Service) -> None:
    with Socket(service) as socket:
        socket.begin("claim_create", {"queue_name": "q", "wait": 30})
        assert socket.silent()
        service.post_bodies("came")
        assert [message["body"] for message in socket.receive()["body"]["messages"]] == ["came"]


def test_who_goes_away_while_waiting_takes_nothing_along(service: Service) -> None:
    socket = Socket(service)
    socket.begin("claim_create", {"queue_name": "q", "wait": 30})
    assert socket.silent()
    socket.close()
    service.post_bodies("free")
    assert [message["body"] for message in service.claim()[1]] == ["free"]


def test_frames_are_answered_in_order_one_after_the_other(service: Service) -> None:
    with Socket(service) as socket:
        socket.begin("claim_create", {"queue_name": "q", "wait": 30})
        for name in ("a", "b", "c"):
            socket.begin("queue_create", {"queue_name": name})
        assert socket.silent()
        assert service.get("/v2/queues").json()["queues"] == []
        service.post_bodies(1)
        assert socket.receive()["request"]["action"] == "claim_create"
        assert [socket.receive()["body"] for _ in range(3)] == [f"Queue {name} created." for name in ("a", "b", "c")]


def test_connections_do_not_wait_for_each_other(service: Service) -> None:
    with Socket(service) as waiting, Socket(service) as socket:
        waiting.begin("claim_create", {"queue_name": "q", "wait": 30})
        post(socket, 1)
        assert waiting.receive()["headers"]["status"] == 201


def test_an_encrypted_queue_is_clear_over_websocket(start: Callable[..., Service]) -> None:
    service = start(encryption_keys="k1:" + "A" * 43 + "=")
    with Socket(service) as socket:
        socket.ask("queue_create", {"queue_name": "q", "metadata": {"_enable_encrypt_messages": True}})
        post(socket, {"secret": 1})
        assert socket.ask("message_delete_many", {"queue_name": "q", "pop": 1}).body["messages"][0]["body"] == {
            "secret": 1
        }


@pytest.mark.parametrize("path", ["/", "/v2", "/v2/"])
def test_connections_are_taken_at_the_root_and_at_the_version(service: Service, path: str) -> None:
    with Socket(service, path=path) as socket:
        assert socket.ask("queue_list").status == 200


def test_connections_are_refused_elsewhere(service: Service) -> None:
    with pytest.raises(Ended) as ended:
        Socket(service, path="/v2/queues")
    assert ended.value.code == 404


def test_connections_beyond_the_limit_are_refused(start: Callable[..., Service]) -> None:
    service = start(max_websocket_connections=1)
    with Socket(service):
        with pytest.raises(Ended) as ended:
            Socket(service)
        assert ended.value.code == 503
        assert "too many WebSocket connections" in ended.value.document["description"]
    with Socket(service) as socket:
        assert socket.ask("queue_list").status == 200


def test_what_is_done_is_measured(service: Service) -> None:
    with Socket(service) as socket:
        socket.ask("queue_list")
        socket.ask("nope")
        text = service.run(service.request("GET", "/metrics")).text
    assert 'sukkal_requests_total{operation="queues.list",outcome="ok"} 1.0' in text
    assert 'sukkal_requests_total{operation="frame",outcome="invalid_request"} 1.0' in text
    assert "sukkal_websocket_connections 1.0" in text


def test_a_stopping_service_finishes_the_frame_and_says_goodbye(service: Service) -> None:
    socket = Socket(service)
    idle = Socket(service)
    socket.begin("claim_create", {"queue_name": "q", "wait": 30})
    assert socket.silent()
    service.app.sockets.connections.stop()
    with pytest.raises(Ended) as ended:
        idle.receive()
    assert ended.value.code == 1001
    service.app.waiting.close()
    assert socket.receive()["headers"]["status"] == 204
    with pytest.raises(Ended) as ended:
        socket.receive()
    assert (ended.value.code, ended.value.reason) == (1001, "The service is stopping.")
    with pytest.raises(Ended) as ended:
        Socket(service)
    assert ended.value.code == 503
