"""Signed URLs: what opens, what does not, and how they are listed and revoked."""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import pytest

from tests.api.calling import Service, refused

KEY: Final = "a key of the operator"
OLD_KEY: Final = "the key before that"
PATH: Final = "/v2/queues/q/messages"


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    return start(signed_url_keys=f"{KEY},{OLD_KEY}")


def signed(*, key: str = KEY, **changes: str) -> dict[str, str]:
    """Return headers signed in the manner of Zaqar, by code that shares nothing with the service's."""
    given = {"paths": PATH, "methods": "DELETE,GET,POST", "project": "p", "expires": "2023-11-15T00:00:00"} | changes
    text = given["paths"] + "\\n" + given["methods"] + "\\n" + given["project"] + "\\n" + given["expires"]
    signature = hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
    return {
        "URL-Signature": signature,
        "URL-Expires": given["expires"],
        "URL-Methods": given["methods"],
        "URL-Paths": given["paths"],
        "X-Project-ID": given["project"],
    }


def share(service: Service, queue: str = "q", **document: Any) -> dict[str, Any]:
    response = service.post(f"/v2/queues/{queue}/share", json=document)
    assert response.status_code == 200, response.text
    return dict(response.json())


def headers_of(shared: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that a client makes of what was shared."""
    return {
        "URL-Signature": shared["signature"],
        "URL-Expires": shared["expires"],
        "URL-Methods": ",".join(shared["methods"]),
        "URL-Paths": ",".join(shared["paths"]),
        "X-Project-ID": shared["project"],
    }


def ask(service: Service, method: str, path: str, headers: Mapping[str, str], **more: Any) -> httpx.Response:
    """Send a request that names no project but in the headers given."""
    return service.call(method, path, project=None, headers=dict(headers), **more)


def closed(response: httpx.Response) -> None:
    """Assert that a request was answered as if there was nothing: no fault is told from another."""
    assert (response.status_code, response.json()) == (404, {"title": "404 Not Found"})


def test_what_is_shared_has_zaqars_members_and_signature(service: Service) -> None:
    shared = share(service, paths=["messages", "claims"], methods=["POST", "GET"], expires="2023-11-20T10:00:00")
    assert shared["paths"] == ["/v2/queues/q/claims", "/v2/queues/q/messages"]
    assert shared["methods"] == ["GET", "POST"]
    assert (shared["project"], shared["expires"]) == ("p", "2023-11-20T10:00:00")
    wanted = signed(paths="/v2/queues/q/claims,/v2/queues/q/messages", methods="GET,POST", expires=shared["expires"])
    assert shared["signature"] == wanted["URL-Signature"]


def test_sharing_without_wishes_gives_reading_for_a_day(service: Service) -> None:
    shared = service.post("/v2/queues/q/share").json()
    assert (shared["paths"], shared["methods"]) == ([PATH], ["GET"])
    assert ask(service, "GET", PATH, headers_of(shared)).status_code == 200
    service.pass_s(86_399)
    assert ask(service, "GET", PATH, headers_of(shared)).status_code == 200
    service.pass_s(1)
    closed(ask(service, "GET", PATH, headers_of(shared)))


def test_a_signature_made_elsewhere_with_the_key_opens(service: Service) -> None:
    service.post_bodies("kept")
    assert ask(service, "GET", f"{PATH}?echo=true", signed()).json()["messages"][0]["body"] == "kept"
    document = {"messages": [{"body": 1}]}
    posted = ask(service, "POST", PATH, signed(), json=document)
    assert posted.status_code == 201
    assert ask(service, "GET", posted.json()["resources"][0], signed()).json()["body"] == 1
    assert len(ask(service, "DELETE", f"{PATH}?pop=2", signed()).json()["messages"]) == 2


def test_the_order_of_paths_and_methods_does_not_matter(service: Service) -> None:
    headers = signed(paths="/v2/queues/q/claims,/v2/queues/q/messages", methods="GET,POST")
    headers |= {"URL-Paths": "/v2/queues/q/messages,/v2/queues/q/claims", "URL-Methods": "POST,GET"}
    assert ask(service, "POST", "/v2/queues/q/claims", headers).status_code == 204


def test_an_older_key_opens_and_the_first_one_signs(service: Service, start: Callable[..., Service]) -> None:
    assert ask(service, "GET", PATH, signed(key=OLD_KEY)).status_code == 200
    closed(ask(service, "GET", PATH, signed(key="a key that was removed")))
    assert (
        share(service, expires="2023-11-20T10:00:00")["signature"]
        == (signed(methods="GET", expires="2023-11-20T10:00:00")["URL-Signature"])
    )


TAMPERED: Final[Mapping[str, dict[str, str]]] = {
    "another path": {"URL-Paths": "/v2/queues/other/messages"},
    "one more path": {"URL-Paths": f"{PATH},/v2/queues/other/messages"},
    "a wider path": {"URL-Paths": "/v2/queues"},
    "another method": {"URL-Methods": "DELETE,GET,PATCH"},
    "one more method": {"URL-Methods": "DELETE,GET,POST,PUT"},
    "another project": {"X-Project-ID": "evil"},
    "no project": {"X-Project-ID": ""},
    "a later end": {"URL-Expires": "2033-11-15T00:00:00"},
    "an end in another form": {"URL-Expires": "2023-11-15 00:00:00"},
    "no end": {"URL-Expires": ""},
    "another signature": {"URL-Signature": "0" * 64},
    "no signature": {"URL-Signature": ""},
    "half a signature": {"URL-Signature": signed()["URL-Signature"][:32]},
    "a capital signature": {"URL-Signature": signed()["URL-Signature"].upper()},
    "a signature of other letters": {"URL-Signature": "\xe9" * 64},
}


@pytest.mark.parametrize("change", TAMPERED.values(), ids=TAMPERED)
@pytest.mark.parametrize("form", ["headers", "query"])
def test_a_tampered_one_opens_nothing(service: Service, change: dict[str, str], form: str) -> None:
    service.post_bodies("kept")
    service.post_bodies("kept", queue="other")
    given = signed() | change
    for path in (PATH, "/v2/queues/other/messages"):
        for method in ("GET", "POST", "DELETE", "PUT", "PATCH"):
            if form == "headers":
                raw = [(name, value.encode("latin-1")) for name, value in given.items()]
                response = service.call(method, f"{path}?pop=1", project=None, headers=raw)
            else:
                response = ask(service, method, path, {}, params=given | {"pop": "1"})
            assert response.status_code in (400, 404, 405), (method, path)
    assert service.bodies() == ["kept"]
    assert service.bodies(queue="other") == ["kept"]


@pytest.mark.parametrize("missing", ["URL-Expires", "URL-Methods", "URL-Paths", "X-Project-ID"])
def test_an_incomplete_one_opens_nothing(service: Service, missing: str) -> None:
    headers = {name: value for name, value in signed().items() if name != missing}
    closed(ask(service, "GET", PATH, headers))
    closed(ask(service, "GET", PATH, {}, params=headers))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/queues/q"),
        ("GET", "/v2/queues/q/stats"),
        ("GET", "/v2/queues/q/share"),
        ("POST", "/v2/queues/q/share"),
        ("POST", "/v2/queues/q/claims"),
        ("DELETE", "/v2/queues/q"),
        ("GET", "/v2/queues"),
        ("GET", "/v2/queues/other/messages"),
        ("GET", "/v2/queues/q/messages2"),
        ("GET", "/v2/topics/q/messages"),
        ("GET", "/v1.1/queues/q/messages"),
        ("GET", "/v2/ping"),
        ("GET", "/v2/health"),
        ("PUT", "/v2/limits/p"),
    ],
)
def test_it_opens_nothing_beside_its_paths(service: Service, method: str, path: str) -> None:
    response = ask(service, method, path, signed() | {"X-Roles": "admin"})
    assert response.status_code == 404


def test_it_opens_with_its_own_methods_only(service: Service) -> None:
    headers = signed(methods="POST")
    assert ask(service, "POST", PATH, headers, json={"messages": [{"body": 1}]}).status_code == 201
    closed(ask(service, "GET", PATH, headers))
    closed(ask(service, "DELETE", f"{PATH}?pop=1", headers))


def test_a_plain_url_carries_it_as_query_parameters(service: Service) -> None:
    shared = share(service, methods=["GET", "POST"])
    url = f"{PATH}?{shared['query']}"
    assert ask(service, "POST", url, {}, client=None, json={"messages": [{"body": 1}]}).status_code == 201
    assert ask(service, "GET", url + "&limit=5&echo=true", {}, client=None).json()["messages"][0]["body"] == 1
    lower = {name.lower(): value for name, value in headers_of(shared).items()}
    assert ask(service, "GET", PATH, {}, params=lower).status_code == 200


@pytest.mark.parametrize("extra", ["x=1", "x=", "x", "project=evil", "pop=1", "URL-Path=/v2/queues", "token=t"])
def test_a_parameter_that_the_operation_does_not_have_closes_it(service: Service, extra: str) -> None:
    shared = share(service)
    closed(ask(service, "GET", f"{PATH}?{shared['query']}&{extra}", {}))
    closed(ask(service, "GET", f"{PATH}?{extra}", headers_of(shared)))


def test_what_is_said_twice_closes_it(service: Service) -> None:
    shared = share(service)
    for name in ("URL-Paths", "URL-Methods", "URL-Expires", "URL-Signature", "X-Project-Id"):
        for value in (headers_of(shared)["X-Project-ID" if name == "X-Project-Id" else name], "evil"):
            closed(ask(service, "GET", f"{PATH}?{shared['query']}&{name}={value}", {}))
            twice = [*headers_of(shared).items(), (name, value)]
            closed(service.call("GET", PATH, project=None, headers=twice))
    closed(ask(service, "GET", f"{PATH}?{shared['query']}", headers_of(shared)))
    closed(ask(service, "GET", f"{PATH}?{shared['query']}", {"X-Project-Id": "evil"}))
    assert ask(service, "GET", f"{PATH}?{shared['query']}", {"X-Project-Id": "p"}).status_code == 200


def test_a_posting_url_takes_any_json_as_one_message(service: Service) -> None:
    url = share(service, methods=["POST"])["post_url"]
    bodies: list[Any] = [{"event": "WORKFLOW_FAILED", "id": 1}, [1, 2], "text", 5, None, True, {"messages": []}]
    for body in bodies:
        response = ask(service, "POST", url, {}, client=None, content=json.dumps(body))
        assert response.status_code == 201
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/cloudevents+json"):
        headers = {"content-type": content_type}
        assert ask(service, "POST", url, headers, client=None, content=b' {"a": 1}\n').status_code == 201
    assert service.bodies() == [*bodies, {"a": 1}, {"a": 1}, {"a": 1}]


def test_a_posting_url_may_say_how_long_and_when(service: Service) -> None:
    url = share(service, methods=["POST"])["post_url"]
    assert ask(service, "POST", f"{url}&ttl=60&delay=30", {}, json=1).status_code == 201
    assert service.bodies() == []
    service.pass_s(30)
    (message,) = service.get(f"{PATH}?echo=true").json()["messages"]
    assert (message["body"], message["ttl"]) == (1, 60)
    refused(ask(service, "POST", f"{url}&ttl=5", {}, json=1), 400, "60 seconds")


@pytest.mark.parametrize("content", [b"", b"  ", b"{", b"not json", b'{"a": 1} x', b'"\xff"'])
def test_a_posting_url_refuses_what_is_not_json(service: Service, content: bytes) -> None:
    url = share(service, methods=["POST"])["post_url"]
    refused(ask(service, "POST", url, {}, client=None, content=content), 400, title="Invalid request body")
    refused(service.post(f"{PATH}/raw", content=b"1" * 300_000), 400, "Max size")
    assert service.get("/v2/queues").json()["queues"] == []


def test_a_posting_url_is_there_only_for_who_may_post(service: Service) -> None:
    assert "post_url" not in share(service)
    assert "post_url" not in share(service, methods=["POST"], paths=["claims"])


def test_a_repeated_raw_post_is_stored_once(service: Service) -> None:
    for replayed in (None, "true"):
        response = service.post(f"{PATH}/raw", json={"a": 1}, headers={"idempotency-key": "k"})
        assert response.headers.get("idempotency-replayed") == replayed
    assert service.bodies() == [{"a": 1}]


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"path": ["messages"], "x": 1}, "Unknown keys: {'path', 'x'}"),
        ({"paths": ["stats"]}, "Invalid paths: {'stats'}"),
        ({"paths": "messages"}, "`paths` should be a list"),
        ({"methods": "GET"}, "`methods` should be a list"),
        ({"methods": ["BOGUS"]}, "Invalid methods: {'BOGUS'}"),
        ({"methods": [1]}, "`methods` should be a list"),
        ({"expires": 123}, "`expires` should be date format, for example 2016-01-01T00:00:00, not integer value: 123"),
        ({"expires": "garbage"}, "Unable to parse date string 'garbage'"),
        ({"expires": "2010-01-01T00:00:00"}, "`expires` is lower than the current time"),
        ({"expires": "9999-12-31T23:59:59-23:00"}, "Unable to parse"),
    ],
)
def test_a_wrong_wish_is_told(service: Service, document: dict[str, Any], words: str) -> None:
    refused(service.post("/v2/queues/q/share", json=document), 400, words)
    assert service.get("/v2/queues/q/share").json()["signed_urls"] == []


def test_an_end_may_have_a_zone(service: Service) -> None:
    assert share(service, expires="2023-11-20T10:00:00Z")["expires"] == "2023-11-20T10:00:00"
    assert share(service, expires="2023-11-20T10:00:00+02:00")["expires"] == "2023-11-20T08:00:00"


def test_without_a_key_nothing_is_signed_and_nothing_opens(start: Callable[..., Service]) -> None:
    service = start()
    refused(service.post("/v2/queues/q/share"), 400, "`signed_url_keys`")
    closed(ask(service, "GET", PATH, signed()))
    closed(ask(service, "GET", PATH, signed(key="")))


def test_a_project_with_a_backslash_cannot_sign_what_reads_like_another_ones(service: Service) -> None:
    # The text that is signed joins its parts by a backslash and the letter n.
    refused(service.post("/v2/queues/q/share", project="x\\nvictim"), 400, "backslash")
    headers = signed(methods="GET", project="x\\nvictim")
    closed(ask(service, "GET", PATH, headers))
    closed(ask(service, "GET", PATH, headers | {"URL-Methods": "GET\\nx", "X-Project-ID": "victim"}))


def test_they_are_listed_without_their_signatures(service: Service) -> None:
    made = [share(service, methods=[method]) for method in ("GET", "POST", "DELETE")]
    share(service, queue="q2")
    share(service, queue="q-")
    share(service, queue="q.")
    listed: list[dict[str, Any]] = []
    path: str | None = "/v2/queues/q/share?limit=2"
    while path:
        document = service.get(path).json()
        listed += document["signed_urls"]
        path = document["links"][0]["href"] if document["links"] else None
    assert sorted(each["id"] for each in listed) == sorted(each["id"] for each in made)
    assert not any(each["signature"] in str(listed) for each in made)
    assert service.get("/v2/queues/q/share", project="other").json()["signed_urls"] == []
    service.pass_s(86_400)
    assert service.get("/v2/queues/q/share").json()["signed_urls"] == []


def test_a_revoked_one_opens_nothing_and_the_others_still_do(service: Service) -> None:
    shared, other = share(service), share(service, methods=["GET", "POST"])
    refused(service.delete(f"/v2/queues/q/share/{shared['id']}", project="other"), 404, "signed URL")
    refused(service.delete(f"/v2/queues/r/share/{shared['id']}"), 404, "signed URL")
    for _ in range(2):
        assert service.delete(f"/v2/queues/q/share/{shared['id']}").status_code == 204
        closed(ask(service, "GET", PATH, headers_of(shared)))
        closed(ask(service, "GET", f"{PATH}?{shared['query']}", {}))
    assert ask(service, "GET", PATH, headers_of(other)).status_code == 200
    assert [each["id"] for each in service.get("/v2/queues/q/share").json()["signed_urls"]] == [other["id"]]
    service.sweep()
    closed(ask(service, "GET", PATH, headers_of(shared)))


def test_the_same_once_more_is_another_one_after_it_was_revoked(service: Service) -> None:
    first = share(service)
    assert share(service)["id"] == first["id"]
    service.delete(f"/v2/queues/q/share/{first['id']}")
    again = share(service)
    assert again["id"] != first["id"]
    assert ask(service, "GET", PATH, headers_of(again)).status_code == 200
    fixed = share(service, expires="2023-11-20T10:00:00")
    service.delete(f"/v2/queues/q/share/{fixed['id']}")
    refused(service.post("/v2/queues/q/share", json={"expires": "2023-11-20T10:00:00"}), 409, "revoked")


def test_messages_posted_through_one_are_nobodys_own(service: Service) -> None:
    url = share(service, methods=["POST", "GET"])
    ask(service, "POST", url["post_url"], {}, client=None, json=1)
    assert len(ask(service, "GET", f"{PATH}?{url['query']}", {}, client=None).json()["messages"]) == 1
    assert len(service.get(PATH).json()["messages"]) == 1
