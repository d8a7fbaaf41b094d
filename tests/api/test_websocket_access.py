"""Who may send frames: tokens, signed URLs, policy, origins, and the audit log."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal.cli import main
from sukkal.identity.keys import KeyFile
from tests.api.calling import Service
from tests.api.sockets import Ended, Socket
from tests.unit.making_keys import make

START: Final = 1_700_000_000


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def create(keys_file: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return a function that creates an API key and returns its text."""

    def create_key(project: str, *more: str) -> str:
        assert main(["key", "create", "--keys-file", str(keys_file), "--project", project, *more]) == 0
        return capsys.readouterr().out.strip()

    return create_key


@pytest.fixture
def key(create: Callable[..., str]) -> str:
    return create("p")


@pytest.fixture
def guarded(start: Callable[..., Service], key: str, keys_file: Path) -> Service:
    return start(auth="keys", keys_file=str(keys_file), signed_url_keys="k" * 16)


def refused_at_the_door(service: Service, **options: Any) -> Ended:
    with pytest.raises(Ended) as ended:
        Socket(service, **options)
    return ended.value


def test_nothing_is_done_before_the_connection_is_authenticated(guarded: Service, key: str) -> None:
    with Socket(guarded) as socket:
        for action in ("queue_create", "queue_list", "get_home_doc"):
            refused = socket.ask(action, {"queue_name": "q"})
            assert (refused.status, refused.body["error"]) == (403, "Not authentified.")
        admitted = socket.ask("authenticate", X_Auth_Token=key)
        assert (admitted.status, admitted.body) == (200, {"message": "Authentified."})
        assert socket.ask("queue_create", {"queue_name": "q"}).status == 201


def test_no_answer_repeats_a_secret(guarded: Service, key: str) -> None:
    with Socket(guarded) as socket:
        echo = socket.ask("authenticate", x_AUTH_token=key).request
        assert echo["headers"]["x-AUTH-token"] == ""
        assert echo["headers"]["X-Project-ID"] == "p"
        assert key not in json.dumps(socket.ask("queue_list", Authorization=f"Bearer {key}").request)
        assert "s3cret" not in json.dumps(socket.ask("queue_list", URL_Signature="s3cret").request)


@pytest.mark.parametrize("token", ["", "x", "sukkal_x_y"])
def test_a_wrong_token_authenticates_nobody(guarded: Service, token: str) -> None:
    with Socket(guarded) as socket:
        refused = socket.ask("authenticate", X_Auth_Token=token)
        assert (refused.status, refused.body["error"]) == (401, "Authentication failed.")
        assert socket.ask("queue_list").status == 403


def test_the_project_must_be_that_of_the_token(guarded: Service, key: str) -> None:
    with Socket(guarded, project="other") as socket:
        refused = socket.ask("authenticate", X_Auth_Token=key)
        assert (refused.status, refused.body["error"]) == (403, "Authentication failed.")
    with Socket(guarded, project=None) as socket:
        assert socket.ask("authenticate", X_Auth_Token=key).status == 200
        assert socket.ask("queue_create", {"queue_name": "q"}).status == 201
        socket.ask("queue_list", X_Project_ID="other").refused(403, "X-Project-ID")


def test_a_connection_stays_with_its_project(guarded: Service, key: str, create: Callable[..., str]) -> None:
    other, again = create("other"), create("p")
    guarded.app.reloading.look()
    with Socket(guarded, project=None) as socket:
        assert socket.ask("authenticate", X_Auth_Token=key).status == 200
        assert socket.ask("authenticate", X_Auth_Token=other).status == 403
        assert socket.ask("authenticate", X_Auth_Token=again).status == 200
        assert socket.ask("queue_list").status == 200


@pytest.mark.parametrize("header", ["X-Auth-Token", "Authorization"])
def test_the_request_for_the_connection_may_bring_the_token(guarded: Service, key: str, header: str) -> None:
    headers = {header: f"Bearer {key}" if header == "Authorization" else key}
    with Socket(guarded, headers=headers) as socket:
        assert socket.ask("queue_list").status == 200
    ended = refused_at_the_door(guarded, headers={header: headers[header] + "x"})
    assert ended.code == 401
    assert ended.document["title"] == "Unauthorized"


def test_a_revoked_token_ends_the_connection_at_its_next_frame(guarded: Service, key: str, keys_file: Path) -> None:
    with Socket(guarded) as socket:
        socket.ask("authenticate", X_Auth_Token=key)
        main(["key", "revoke", "--keys-file", str(keys_file), key.split("_")[1]])
        guarded.app.reloading.look()
        assert socket.ask("queue_list").status == 401
        with pytest.raises(Ended) as ended:
            socket.receive()
        assert (ended.value.code, ended.value.reason) == (4003, "Authentication expired.")


def test_an_expired_token_ends_the_connection_without_a_frame(start: Callable[..., Service], keys_file: Path) -> None:
    key, text = make(expires_ms=START * 1_000 + 50)
    KeyFile(keys_file).change(lambda keys: keys.update({key.id: key}), create=True)
    guarded = start(auth="keys", keys_file=str(keys_file))
    with Socket(guarded) as socket:
        assert socket.ask("authenticate", X_Auth_Token=text).status == 200
        guarded.clock.advance(51)
        with pytest.raises(Ended) as ended:
            socket.receive()
        assert (ended.value.code, ended.value.reason) == (4003, "Authentication expired.")


def test_who_says_nothing_is_sent_away(start: Callable[..., Service], key: str, keys_file: Path) -> None:
    service = start(auth="keys", keys_file=str(keys_file), websocket_authenticate_timeout_s=1)
    with Socket(service) as socket, Socket(service, headers={"X-Auth-Token": key}) as known:
        with pytest.raises(Ended) as ended:
            socket.receive()
        assert (ended.value.code, ended.value.reason) == (1008, "Not authenticated within 1 seconds.")
        assert known.ask("queue_list").status == 200


def test_where_everybody_is_believed_authenticating_is_no_fault(service: Service) -> None:
    with Socket(service) as socket:
        assert socket.ask("authenticate", X_Auth_Token="whatever").body == {"message": "Authentified."}
        assert socket.ask("queue_list").status == 200


# -- signed URLs


def shared(service: Service, key: str, queue: str = "a", **document: Any) -> dict[str, Any]:
    with Socket(service, headers={"X-Auth-Token": key}) as socket:
        reply = socket.ask("signed_url_create", {"queue_name": queue, **document})
        assert reply.status == 200, reply.body
        return dict(reply.body)


def signed(of: dict[str, Any], *, lists: bool = True) -> dict[str, Any]:
    headers = {"URL_Signature": of["signature"], "URL_Expires": of["expires"], "X_Project_ID": of["project"]}
    methods, paths = of["methods"], of["paths"]
    return headers | (
        {"URL_Methods": methods, "URL_Paths": paths}
        if lists
        else {"URL_Methods": ",".join(methods), "URL_Paths": ",".join(paths)}
    )


@pytest.mark.parametrize("lists", [True, False], ids=["lists", "commas"])
def test_a_signed_url_opens_the_messages_of_its_queue_and_nothing_else(guarded: Service, key: str, lists: bool) -> None:
    headers = signed(shared(guarded, key, methods=["GET", "POST"]), lists=lists)
    with Socket(guarded, client=None, project=None) as socket:
        message = {"messages": [{"body": 1}]}
        posted = socket.ask("message_post", {"queue_name": "a", **message}, **headers)
        assert posted.status == 201, posted.body
        id_ = posted.body["message_ids"][0]
        for action, more in {"message_get": {"message_id": id_}, "message_get_many": {"message_ids": [id_]}}.items():
            assert socket.ask(action, {"queue_name": "a", **more}, **headers).status == 200
        for action, more in {
            "message_delete": {"message_id": id_},
            "message_delete_many": {"pop": 1},
            "claim_create": {},
            "queue_get": {},
            "queue_delete": {},
            "signed_url_create": {},
        }.items():
            assert socket.ask(action, {"queue_name": "a", **more}, **headers).status == 404, action
        for queue in ("b", "a/messages/../../b", "a/messages", "../queues/a", "a%2Fmessages"):
            reply = socket.ask("message_post", {"queue_name": queue, **message}, **headers)
            assert reply.status in (400, 404), queue
        assert socket.ask("message_get", {"queue_name": "b", "message_id": "../../a/messages"}, **headers).status == 404
        assert socket.ask("message_post", {"queue_name": "a", **message}).status == 403


def test_a_signed_url_ends(guarded: Service, key: str) -> None:
    ends = datetime.fromtimestamp(START + 60, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    headers = signed(shared(guarded, key, expires=ends))
    with Socket(guarded, project=None) as socket:
        assert socket.ask("message_get_many", {"queue_name": "a", "message_ids": ["x"]}, **headers).body["code"] == (
            "message_not_found"
        )
        guarded.pass_s(61)
        assert socket.ask("message_get_many", {"queue_name": "a", "message_ids": ["x"]}, **headers).body["code"] == (
            "route_not_found"
        )


def test_a_signed_url_of_another_project_or_an_incomplete_one_opens_nothing(guarded: Service, key: str) -> None:
    headers = signed(shared(guarded, key, methods=["GET", "POST"]))
    body = {"queue_name": "a", "messages": [{"body": 1}]}
    with Socket(guarded, project=None) as socket:
        for change in ({"X_Project_ID": "other"}, {"URL_Expires": None}, {"URL_Paths": ["/v2/queues"]}):
            assert socket.ask("message_post", body, **headers | change).status == 404


def test_signed_urls_are_listed_and_revoked(guarded: Service, key: str) -> None:
    headers = signed(of := shared(guarded, key, methods=["POST"]))
    with Socket(guarded, headers={"X-Auth-Token": key}) as socket:
        listed = socket.ask("signed_url_list", {"queue_name": "a"}).body["signed_urls"]
        assert [each["id"] for each in listed] == [of["id"]]
        assert socket.ask("signed_url_delete", {"queue_name": "a", "signed_url_id": of["id"]}).status == 204
    with Socket(guarded, project=None) as socket:
        assert socket.ask("message_post", {"queue_name": "a", "messages": [{"body": 1}]}, **headers).status == 404


# -- the rest


def test_the_policy_holds(start: Callable[..., Service], tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text('"queues:create": "role:maker"\n')
    with Socket(start(policy_file=str(policy))) as socket:
        socket.ask("queue_create", {"queue_name": "q"}).refused(403, "not authorized")
        assert socket.ask("queue_create", {"queue_name": "q"}, X_Roles="maker").status == 201


def test_the_rate_of_a_project_is_limited(service: Service) -> None:
    limit = {"requests_per_s": 1}
    with Socket(service) as socket:
        set_ = socket.ask("limits_update", {"project_id": "p", "limits": limit}, X_Roles="admin")
        assert set_.status == 200, set_.body
        statuses = {socket.ask("queue_list").status for _ in range(5)}
        assert statuses == {200, 429}


def test_frames_are_audited(start: Callable[..., Service], tmp_path: Path) -> None:
    file = tmp_path / "audit.jsonl"
    service = start(audit_log=str(file))
    with Socket(service) as socket:
        socket.ask("queue_create", {"queue_name": "q"}, X_Roles="member")
        socket.ask("check_node_health")
        socket.ask("authenticate", X_Auth_Token="t")
    service.app.reloading.reload()  # which also writes what waits
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    found = [(line["action"], line["outcome"], line["initiator"]["host"]) for line in lines]
    assert found == [
        ("update/queues.create", "success", {"address": "192.0.2.1"}),
        ("read/health.get", "failure", {"address": "192.0.2.1"}),
        ("create/authenticate", "success", {"address": "192.0.2.1"}),
    ]
    assert lines[0]["target"]["id"] == "/v2/queues/q"


def test_pages_of_other_origins_are_let_in_only_if_that_is_wanted_or_tokens_are(
    start: Callable[..., Service], guarded: Service
) -> None:
    foreign = {"Host": "localhost:8888", "Origin": "https://elsewhere.example"}
    same = {"Host": "localhost:8888", "Origin": "http://localhost:8888"}
    ended = refused_at_the_door(start(), headers=foreign)
    assert ended.code == 403
    assert "cors_origins" in ended.document["description"]
    Socket(start(), headers=same).close()
    Socket(start(cors_origins="https://elsewhere.example"), headers=foreign).close()
    Socket(guarded, headers=foreign).close()
