"""Many requests at once: each message goes to one caller, and a repeated post is stored once."""

import asyncio
from typing import Any

import httpx

from tests.api.calling import PATCH_TYPE, Service


def at_once(service: Service, count: int, method: str, path: str, **more: Any) -> list[httpx.Response]:
    """Make the same request several times at once."""

    async def gathered() -> list[httpx.Response]:
        return await asyncio.gather(*(service.request(method, path, **more) for _ in range(count)))

    return service.run(gathered())


def bodies_of(responses: list[httpx.Response]) -> list[Any]:
    return [message["body"] for each in responses if each.content for message in each.json()["messages"]]


def test_concurrent_claims_share_the_messages(service: Service) -> None:
    service.post_bodies(*range(25))
    responses = at_once(service, 10, "POST", "/v2/queues/q/claims?limit=3")
    assert {each.status_code for each in responses} == {201, 204}
    assert sorted(bodies_of(responses)) == list(range(25))


def test_concurrent_pops_share_the_messages(service: Service) -> None:
    service.post_bodies(*range(25))
    responses = at_once(service, 10, "DELETE", "/v2/queues/q/messages?pop=3")
    assert {each.status_code for each in responses} == {200}
    assert sorted(bodies_of(responses)) == list(range(25))
    assert service.get("/v2/queues/q/stats").json()["messages"]["total"] == 0


def test_concurrent_posts_are_all_stored_whole_and_in_their_own_order(service: Service) -> None:
    messages = {"messages": [{"body": number} for number in range(5)]}
    responses = at_once(service, 8, "POST", "/v2/queues/q/messages", json=messages)
    assert {each.status_code for each in responses} == {201}
    for response in responses:
        paths = response.json()["resources"]
        assert [service.get(path).json()["body"] for path in paths] == list(range(5))
    assert sorted(service.bodies("?echo=true&limit=20")) == sorted([*range(5)] * 8)


def test_a_post_repeated_at_once_is_stored_once(service: Service) -> None:
    post: dict[str, Any] = {"json": {"messages": [{"body": "x"}]}, "headers": {"idempotency-key": "k"}}
    responses = at_once(service, 6, "POST", "/v2/queues/q/messages", **post)
    assert {each.status_code for each in responses} == {201}
    assert len({each.text for each in responses}) == 1
    assert sorted(each.headers.get("idempotency-replayed", "") for each in responses) == ["", *["true"] * 5]
    assert service.bodies() == ["x"]


def test_a_queue_created_by_many_at_once_is_created_once(service: Service) -> None:
    responses = at_once(service, 6, "PUT", "/v2/queues/q", json={"a": 1})
    assert sorted(each.status_code for each in responses) == [201, *[204] * 5]


def test_only_one_of_many_deletions_with_a_claim_races_a_release(service: Service) -> None:
    service.post_bodies(0)
    claim, (message,) = service.claim()

    async def race() -> list[httpx.Response]:
        return await asyncio.gather(
            service.request("DELETE", claim),
            *(service.request("DELETE", message["href"]) for _ in range(4)),
        )

    statuses = [each.status_code for each in service.run(race())]
    assert statuses[0] == 204
    assert set(statuses[1:]) <= {204, 400}
    # Deleted or released, never both or neither.
    left = service.bodies()
    assert left == ([] if 204 in statuses[1:] else [0])


def test_of_many_changes_at_once_none_is_confirmed_and_lost(service: Service) -> None:
    async def change(number: int) -> int:
        changes = [{"op": "add", "path": f"/metadata/k{number}", "value": number}]
        response = await service.request("PATCH", "/v2/queues/q", json=changes, headers={"content-type": PATCH_TYPE})
        return response.status_code

    async def change_all() -> list[int]:
        return await asyncio.gather(*(change(number) for number in range(64)))

    statuses = service.run(change_all())
    assert set(statuses) <= {200, 409}
    kept = {key for key in service.get("/v2/queues/q").json() if key.startswith("k")}
    assert kept == {f"k{number}" for number, status in enumerate(statuses) if status == 200}
