"""A queue and a project see nothing of another one, whatever they are called."""

import httpx
import pytest

from tests.api.calling import CLIENT, Service, refused


def test_a_claim_is_reached_through_its_own_queue_only(service: Service) -> None:
    service.post_bodies(0)
    service.put("/v2/queues/other")
    claim, (message,) = service.claim(ttl=100)
    elsewhere = claim.replace("/q/", "/other/")
    refused(service.get(elsewhere), 404)
    refused(service.patch(elsewhere, json={"ttl": 60}), 404)
    refused(service.patch(f"{elsewhere}/messages/{message['id']}"), 404)
    assert service.delete(elsewhere).status_code == 204
    assert service.delete(message["href"].replace("/q/", "/other/")).status_code == 204
    shown = service.get(claim).json()
    assert (shown["ttl"], len(shown["messages"])) == (100, 1)


def test_a_claim_is_reached_by_its_own_project_only(service: Service) -> None:
    service.post_bodies(0)
    claim, (message,) = service.claim(ttl=100)
    service.put("/v2/queues/q", project="other")
    refused(service.get(claim, project="other"), 404)
    refused(service.patch(claim, json={"ttl": 60}, project="other"), 404)
    refused(service.patch(f"{claim}/messages/{message['id']}", project="other"), 404)
    assert service.get("/v2/queues/q/claims", project="other").json()["claims"] == []
    assert service.delete(claim, project="other").status_code == 204
    assert service.delete(message["href"], project="other").status_code == 204
    assert len(service.get(claim).json()["messages"]) == 1


def test_a_claim_of_one_queue_does_not_delete_from_another(service: Service) -> None:
    service.post_bodies("mine", queue="a")
    (id_,) = service.post_bodies("yours", queue="b")
    claim, _ = service.claim(queue="a")
    service.claim(queue="b")
    claim_id = claim.rpartition("/")[2]
    refused(service.delete(f"/v2/queues/b/messages/{id_}?claim_id={claim_id}"), 400, "claim")
    assert service.bodies("?echo=true&include_claimed=true", queue="b") == ["yours"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("p", "x.y"), ("p.x", "y")),
        (("p", "q"), ("P", "q")),
        (("p", "q"), ("p", "Q")),
        (("p", "q_"), ("p_", "q")),
        (("p%", "q"), ("p_", "q")),
        (("p", "a-b"), ("p", "a_b")),
        (("1", "q"), ("01", "q")),
        (("a/b", "q"), ("a", "q")),
    ],
)
def test_names_that_look_alike_are_different(service: Service, first: tuple[str, str], second: tuple[str, str]) -> None:
    (project, queue), (other_project, other_queue) = first, second
    document = {"messages": [{"body": "secret"}]}
    (path,) = service.post(f"/v2/queues/{queue}/messages", json=document, project=project).json()["resources"]
    id_ = path.rpartition("/")[2]
    assert service.get(f"/v2/queues/{other_queue}/messages?echo=true", project=other_project).json()["messages"] == []
    assert service.post(f"/v2/queues/{other_queue}/claims", project=other_project).status_code == 204
    assert service.get(f"/v2/queues/{other_queue}/messages/{id_}", project=other_project).status_code == 404
    assert service.delete(f"/v2/queues/{other_queue}", project=other_project).status_code == 204
    assert service.get(path, project=project).json()["body"] == "secret"


@pytest.mark.parametrize("project", [b"\xc3\xa9", b"\xff", b"a\tb", b"p p", b"x" * 256])
def test_a_project_may_be_called_anything(service: Service, project: bytes) -> None:
    async def request(method: str, path: str, name: bytes) -> httpx.Response:
        headers = [(b"client-id", CLIENT.encode()), (b"x-project-id", name)]
        transport = httpx.ASGITransport(app=service.app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.request(method, path, headers=headers)

    assert service.run(request("PUT", "/v2/queues/q", project)).status_code == 201
    assert service.run(request("PUT", "/v2/queues/q", project)).status_code == 204
    assert service.run(request("PUT", "/v2/queues/q", b"p")).status_code == 201


def test_a_filter_by_name_takes_no_wildcards(service: Service) -> None:
    for name in ("a_b", "a-b", "axb"):
        service.put(f"/v2/queues/{name}")
    for query, found in (("a_b", ["a_b"]), ("%25", []), ("*", []), ("A", []), ("'", [])):
        listed = service.get(f"/v2/queues?name={query}").json()["queues"]
        assert [each["name"] for each in listed] == found


def test_an_idempotency_key_belongs_to_one_queue_of_one_project(service: Service) -> None:
    def post(queue: str, project: str) -> httpx.Response:
        return service.post(
            f"/v2/{queue}/messages",
            json={"messages": [{"body": 1}]},
            headers={"idempotency-key": "k"},
            project=project,
        )

    places = [("queues/q", "p"), ("queues/r", "p"), ("topics/q", "p"), ("queues/q", "other")]
    responses = [post(*place) for place in places]
    assert [each.headers.get("idempotency-replayed") for each in responses] == [None] * 4
    assert len({each.json()["resources"][0].rpartition("/")[2] for each in responses}) == 4
    assert [post(*place).headers.get("idempotency-replayed") for place in places] == ["true"] * 4
