"""The links between pages: how they are written, and that following them shows everything once."""

import re
from typing import Any

import pytest

from tests.api.calling import OTHER_CLIENT, Service

MESSAGES = "/v2/queues/q/messages"


def link(service: Service, path: str) -> str:
    """Return where the one link of a page leads, without the value of a marker, which is the service's own affair."""
    (next_page,) = service.get(path).json()["links"]
    assert next_page["rel"] == "next"
    return re.sub(r"(messages\?.*marker=)[^&]+", r"\1*", str(next_page["href"]))


def walk(service: Service, path: str, what: str) -> list[list[Any]]:
    """Return what the pages show, page by page, to the one without a link."""
    pages: list[list[Any]] = []
    while len(pages) < 100:
        document = service.get(path).json()
        pages.append(document[what])
        if not document["links"]:
            return pages
        path = document["links"][0]["href"]
    raise AssertionError("the pages do not end")


@pytest.mark.parametrize(
    ("asked", "repeated"),
    [
        ("echo=true", "echo=true"),
        ("echo=true&limit=1", "limit=1&echo=true"),
        ("echo=True&limit=1", "limit=1&echo=true"),
        ("include_claimed=1&echo=yes&limit=2", "limit=2&echo=true&include_claimed=true"),
        (
            "include_delayed=on&include_claimed=t&echo=y",
            "echo=true&include_claimed=true&include_delayed=true",
        ),
        ("echo=true&include_claimed=false", "echo=true&include_claimed=false"),
        ("echo=true&unknown=1&limit=", "echo=true"),
    ],
)
def test_a_link_repeats_what_was_asked_for_in_a_fixed_order(service: Service, asked: str, repeated: str) -> None:
    service.post_bodies(0, 1, 2)
    assert link(service, f"{MESSAGES}?{asked}") == f"{MESSAGES}?{repeated}&marker=*"


@pytest.mark.parametrize(
    ("asked", "repeated"),
    [
        ("", "marker=a"),
        ("limit=1", "limit=1&marker=a"),
        ("detailed=True&limit=1", "limit=1&detailed=true&marker=a"),
        ("with_count=true&name=a&detailed=false&limit=1", "limit=1&detailed=false&name=a&with_count=true&marker=a"),
        ("name=a", "name=a&marker=a"),
    ],
)
def test_a_link_between_queues_repeats_what_was_asked_for(service: Service, asked: str, repeated: str) -> None:
    service.put("/v2/queues/a")
    assert link(service, f"/v2/queues?{asked}") == f"/v2/queues?{repeated}"


def test_a_walk_by_the_id_of_the_last_message_sees_everything_once(service: Service) -> None:
    service.post_bodies(*range(7))
    found: list[Any] = []
    path = f"{MESSAGES}?echo=true&limit=2"
    while messages := service.get(path).json()["messages"]:
        found += [each["body"] for each in messages]
        path = f"{MESSAGES}?echo=true&limit=2&marker={messages[-1]['id']}"
    assert found == list(range(7))


@pytest.mark.parametrize("limit", [1, 3, 20])
def test_a_deep_queue_of_others_and_ones_own_messages_is_seen_once(service: Service, limit: int) -> None:
    for number in range(30):
        client = {"client": OTHER_CLIENT} if number % 5 == 0 else {}
        message = {"messages": [{"body": number, "delay": number % 3}]}
        assert service.post(MESSAGES, json=message, **client).status_code == 201
    service.pass_s(3)
    assert service.claim("?limit=6")[1]
    foreign = [message["body"] for page in walk(service, f"{MESSAGES}?limit={limit}", "messages") for message in page]
    unclaimed = service.bodies("?echo=true&limit=20")
    assert len(unclaimed) == len(set(unclaimed)) == 24
    assert foreign == [body for body in unclaimed if body % 5 == 0]
    everything = service.bodies(f"?echo=true&include_claimed=true&limit={limit}")
    assert everything == list(range(30))


def test_a_walk_that_hides_all_ends(service: Service) -> None:
    service.post_bodies(*range(25))
    pages = walk(service, f"{MESSAGES}?limit=1", "messages")
    assert [message for page in pages for message in page] == []
    assert service.get(f"{MESSAGES}?marker=").json()["messages"] == []


def test_what_is_posted_after_the_last_page_is_found_from_its_link(service: Service) -> None:
    service.post_bodies(0, 1)
    href = service.get(f"{MESSAGES}?echo=true&limit=2").json()["links"][0]["href"]
    assert service.get(href).json() == {"messages": [], "links": []}
    service.post_bodies(2)
    assert [each["body"] for each in service.get(href).json()["messages"]] == [2]


def test_a_filtered_walk_through_the_queues_keeps_its_filters(service: Service) -> None:
    for number in range(12):
        metadata = {"color": "red" if number % 3 == 0 else "blue"}
        service.put(f"/v2/queues/{'even' if number % 2 == 0 else 'odd'}-{number:02}", json=metadata)

    def names(query: str) -> list[str]:
        return [each["name"] for page in walk(service, f"/v2/queues?{query}", "queues") for each in page]

    assert names("limit=1&color=red") == ["even-00", "even-06", "odd-03", "odd-09"]
    assert names("limit=2&name=odd") == [f"odd-{number:02}" for number in (1, 3, 5, 7, 9, 11)]
    assert names("limit=1&name=odd&color=red") == ["odd-03", "odd-09"]
    assert names("limit=1&color=a%26b%3Dc") == []


def test_a_queue_that_comes_or_goes_between_pages_moves_no_other(service: Service) -> None:
    for name in ("b", "d", "f"):
        service.put(f"/v2/queues/{name}")
    href = service.get("/v2/queues?limit=2").json()["links"][0]["href"]
    service.delete("/v2/queues/d")
    for name in ("a", "c", "e"):
        service.put(f"/v2/queues/{name}")
    assert [each["name"] for each in service.get(href).json()["queues"]] == ["e", "f"]


def test_links_of_claims_are_followed_to_the_end(service: Service) -> None:
    service.post_bodies(*range(5))
    made = [service.claim("?limit=1")[0] for _ in range(5)]
    pages = walk(service, "/v2/queues/q/claims?limit=2", "claims")
    assert [each["href"] for page in pages for each in page] == made
    assert link(service, "/v2/queues/q/claims?limit=2").startswith("/v2/queues/q/claims?limit=2&marker=")


@pytest.mark.parametrize("place", ["/v1.1/queues", "/v2/topics"])
def test_links_stay_where_they_were_found(service: Service, place: str) -> None:
    for name in ("a", "b"):
        assert service.put(f"{place}/{name}").status_code == 201
        assert service.post(f"{place}/{name}/messages", json={"messages": [{"body": 0}] * 3}).status_code == 201
    assert link(service, f"{place}?limit=1") == f"{place}?limit=1&marker=a"
    assert len(walk(service, f"{place}?limit=1", place.rpartition("/")[2])) == 3
    assert link(service, f"{place}/a/messages?limit=2&echo=true") == f"{place}/a/messages?limit=2&echo=true&marker=*"
    pages = walk(service, f"{place}/a/messages?limit=2&echo=true", "messages")
    assert [len(page) for page in pages][:2] == [2, 1]
