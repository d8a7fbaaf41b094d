"""Whole stories as they were recorded from Zaqar: each answer is the recorded one but for what is listed here."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import pytest

from tests.api.calling import CLIENT, OTHER_CLIENT, Service
from tests.api.recording import Exchange, Replay, Scenario, differences, lines_of, pages_of

DELAYED: Final = ("+messages.delayed", "the number of delayed messages is shown")
COUNTED: Final = ("messages.oldest.claim_count", "claims are counted with and without a dead-letter rule")
NAMED: Final = ("messages.oldest.href", "while a claim lives every href names it")
REPEATED: Final = ("links.href", "a next link repeats what was asked for and adds nothing")
AS_THEY_COME: Final = "messages whose claim ended stand where it ended, behind those that were free before"

# By scenario and request: where our answer differs, and why. An entry that no longer differs fails the test.
ON_PURPOSE: Final[Mapping[str, Mapping[str, Mapping[str, str]]]] = {
    "claims": {
        "T2 GET /v2/queues/q517d4a77/stats": dict([DELAYED, COUNTED, NAMED]),
        "after 63 s GET /v2/queues/q517d4a77/stats": {"503 -> 200": "counting works after a claim ended"},
        "after 63 s GET /v2/queues/q517d4a77/claims/*": {"503 -> 404": "a claim that ended is not there"},
        'after 63 s PATCH /v2/queues/q517d4a77/claims/* {"ttl": 60}': {"503 -> 404": "a claim that ended is not there"},
        "after 63 s DELETE /v2/queues/q517d4a77/messages/*?claim_id=*": {"description": "the claim is what is wrong"},
        "after 63 s DELETE /v2/queues/q517d4a77/claims/*": {"503 -> 204": "releasing is idempotent"},
        "after 63 s GET /v2/queues/q517d4a77/messages?echo=true": dict(
            [REPEATED, *((f"messages.{member}", AS_THEY_COME) for member in ("id", "href", "body.n"))]
        ),
        "after 63 s GET /v2/queues/qd0183423/claims/*": {"#messages": "a claim keeps its messages alive"},
        "after 63 s GET /v2/queues/qd0183423/messages/*": {"404 -> 200": "a claim keeps its messages alive"},
        "after 63 s GET /v2/queues/qbfefdc13/stats": {"503 -> 200": "counting works when all has expired"},
    },
    "messages": {
        'A POST /v2/queues/qcb0a6f50/claims?limit=4 {"ttl": 300, "grace": 60}': {
            "#messages": "what a live claim holds is not claimed"
        },
        "A GET /v2/queues/qcb0a6f50/stats": {
            **dict([DELAYED, COUNTED, NAMED]),
            "messages.newest.claim_count": COUNTED[1],
            "messages.newest.href": NAMED[1],
            "messages.newest.claim_id": "what a live claim holds is not claimed",
            "messages.claimed": "what a live claim holds is not claimed",
            "messages.free": "what a live claim holds is not claimed",
        },
        "B GET /v2/queues/q5d163119/messages?echo=true&limit=1": dict([REPEATED]),
        "B GET /v2/queues/q5d163119/messages?limit=1&echo=true&include_delayed=true&marker=*": {
            "links.href": "the marker stands at the end of a link, on the first page and on every other",
            "messages.id": "a page begins after its marker",
            "messages.href": "a page begins after its marker",
            "messages.body.n": "a page begins after its marker",
        },
        "C GET /v2/queues/q9e8ec9d3/messages": {
            "#messages": "the caller's own messages do not fill a page that hides them",
            "#links": "there is a link as long as there may be more",
        },
        "C GET /v2/queues/q9e8ec9d3/messages?limit=20": dict([REPEATED]),
        "C GET /v2/queues/q9e8ec9d3/messages?echo=true&limit=1&marker=nonexistent": {
            "200 -> 400": "starting again without a word would give messages twice"
        },
        "F GET /v2/queues/q9d81c491/claims": {"405 -> 200": "live claims are listed"},
        "G GET /v2/queues/qb1f6fdf4/messages?echo=true": {
            "#messages": "dead letters are free at once",
            "#links": "dead letters are free at once",
        },
        "G GET /v2/queues/qb1f6fdf4/stats": {
            **dict([DELAYED]),
            **{f"messages.{end}.claim_id": "dead letters are free at once" for end in ("oldest", "newest")},
            **{f"messages.{end}.claim_count": "claims are counted anew" for end in ("oldest", "newest")},
        },
        "G GET /v2/queues/q0decba55/stats": dict([DELAYED]),
        "H GET /v2/queues/q47d1d652/stats": dict([DELAYED]),
        'H POST /v2/queues/q47d1d652/claims {"ttl": 60, "grace": 60}': {"#messages": "a delay is honoured"},
        'H POST /v2/queues/qefb7ddec/claims {"ttl": 60, "grace": 60}': {"201 -> 204": "a delay is honoured"},
    },
    "checksums": {
        "checksum GET /v2/queues/cq3ff5c/messages?echo=true": dict([REPEATED]),
        "checksum DELETE /v2/queues/cq3ff5c/messages?ids=*&claim_ids=*": {"503 -> 403": "a wrong claim is no accident"},
    },
    "smoke": {
        "GET /v2/flavors": {"404 -> 200": "flavors are always served"},
        "GET /v2/pools": {"404 -> 403": "pools are always served, to admins"},
        "GET /v2/queues?detailed=true&with_count=true": {"count": "a count is a number"},
        "GET /v2/queues/q1/messages": {"#links": "there is a link as long as there may be more"},
        "GET /v2/queues/q1/messages?echo=true&limit=2": dict([REPEATED]),
        "GET /v2/queues/q1/messages?echo=true&include_claimed=true": {"503 -> 200": "it works"},
        "GET /v2/queues/q1/messages?echo=true": dict([REPEATED]),
        "GET /v2/queues/q1/stats": dict([DELAYED, COUNTED, NAMED]),
        "DELETE /v2/queues/q1/messages?pop=5": {"messages.claim_count": COUNTED[1]},
        "GET /v2/topics": {"503 -> 200": "topics work"},
        "PUT /v2/topics/t1": {"204 -> 201": "topics work"},
    },
}


def replayed(replay: Replay, exchanges: Iterable[Exchange], scenario: Scenario) -> dict[str, frozenset[str]]:
    """Replay a scenario and return by request where answers differed."""
    differing: dict[str, frozenset[str]] = {}
    number = -1
    for number, exchange in enumerate(exchanges):
        if number in scenario.before:
            scenario.before[number](replay)
        if differs := replay.differs(exchange, scenario.clients.get(number, CLIENT)):
            name = f"{scenario.title} {exchange.name}".strip()
            differing[name] = differing.get(name, frozenset()) | differs
    assert number >= 0
    return differing


def expected(story: str) -> dict[str, frozenset[str]]:
    """Return by request where answers differ on purpose."""
    return {name: frozenset(places) for name, places in ON_PURPOSE[story].items()}


def replayed_sections(replay: Replay, file: str, *scenarios: Scenario) -> dict[str, frozenset[str]]:
    """Replay sections of a file one after another."""
    differing: dict[str, frozenset[str]] = {}
    for scenario in scenarios:
        differing |= replayed(replay, lines_of(file, scenario.title), scenario)
    return differing


def test_claims_begin_are_renewed_and_end(service: Service) -> None:
    def fill(replay: Replay) -> None:
        replay.fill("q517d4a77", 300, 300, 300)
        for queue, ttls in (("qd0183423", [60]), ("qbd1ec307", [60]), ("qbfefdc13", [60, 60])):
            replay.fill(queue, *ttls)

    differing = replayed_sections(
        Replay(service, "probe"),
        "probe1.txt",
        Scenario("T1", {0: fill}),
        Scenario("T2"),
        Scenario("after 63 s", {0: lambda replay: replay.service.pass_s(63)}),
    )
    assert differing == expected("claims")


def test_messages_are_posted_listed_claimed_delayed_and_buried(service: Service) -> None:
    def before_messages(replay: Replay) -> None:
        ids = ("d6f7ef47-e064-4885-ae3b-59c12a29c4b9", "f0455ee4-e7bc-45f0-9349-5d778512c666")
        replay.fill("q0e68eac4", 300, 300, ids=ids)
        # The recording deleted it between two sections.
        assert (
            replay.service.delete(f"/v2/queues/q0e68eac4/messages/{replay.ours(ids[0])}", project="probe").status_code
            == 204
        )

    def before_claims(replay: Replay) -> None:
        replay.fill("q9d81c491", 300, 300, 300)
        ids = (
            "43ce1aba-a59a-4b95-a2ec-7340ae0218bd",
            "d5ae6a26-9ac9-418f-a6e4-f87a0c0c509d",
            "97b55f47-b085-4823-904c-160803216831",
        )
        replay.fill("q7dd9c3f9", 300, 300, 300, ids=ids)

    differing = replayed_sections(
        Replay(service, "probe"),
        "probe2.txt",
        Scenario("A", {0: lambda replay: replay.fill("qcb0a6f50", *[300] * 4)}),
        Scenario("B", {0: lambda replay: replay.fill("q5d163119", *[300] * 3)}),
        Scenario("C", {0: lambda replay: replay.fill("q9e8ec9d3", *[300] * 12)}, clients={0: OTHER_CLIENT}),
        Scenario("E", {0: before_messages}),
        # The recorded extensions came a moment after their messages.
        Scenario("F", {0: before_claims, 18: lambda replay: replay.service.pass_s(0.01)}),
        Scenario("G", {2: lambda replay: replay.fill("q0decba55", 300, 300), 3: Replay.release, 4: Replay.release}),
        Scenario("H", {1: lambda replay: replay.fill("q47d1d652", 300)}),
    )
    assert differing == expected("messages")


def test_bodies_have_checksums_and_deletions_need_claims(start: Callable[..., Service]) -> None:
    service = start(enable_checksum=True, message_delete_with_claim_id=True)
    differing = replayed_sections(Replay(service, "probe"), "probe5.txt", Scenario("checksum"))
    assert differing == expected("checksums")


def test_a_walk_through_the_api_has_the_recorded_headers(service: Service) -> None:
    later = ("/share", "/subscriptions")
    exchanges = [each for each in pages_of("smoke.txt") if not each.path.endswith(later)]
    assert len(exchanges) == 40
    assert replayed(Replay(service, "p1"), exchanges, Scenario("")) == expected("smoke")


@pytest.mark.parametrize(
    ("theirs", "ours", "places"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, ["a"]),
        ({"a": 1}, {"b": 1}, ["+b", "-a"]),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, ["a.b"]),
        ({"a": [1]}, {"a": []}, ["#a"]),
        ({"description": "It is wrong."}, {"description": "It is wrong. Do this."}, []),
        ({"description": "It is wrong."}, {"description": "Wrong."}, ["description"]),
        ({"links": [{"href": "/q?marker=a&b=1"}]}, {"links": [{"href": "/q?marker=c&b=1"}]}, []),
        ({"links": [{"href": "/q?marker=a&b=1"}]}, {"links": [{"href": "/q?b=1&marker=c"}]}, ["links.href"]),
        ({"created": "2026-11-21T04:04:44Z"}, {"created": "2023-11-14T22:13:20Z"}, []),
        ({"created": "2026-11-21T04:04:44Z"}, {"created": "2023-11-14 22:13:20"}, ["created"]),
    ],
)
def test_the_comparison_sees_a_difference(theirs: object, ours: object, places: list[str]) -> None:
    assert sorted(differences(theirs, ours)) == places
