"""The publisher to queues, with services that say no, or are none."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Final

import pytest
from msgspec.structs import replace
from tests.answering import Answering, Said

from sukkal.format import Event
from sukkal.publisher import ACCEPTED, Notification, PublisherContext, Verdict
from sukkal.publishers.queue import QueuePublisher
from sukkal.testing.peers import Peer, hangs

CONTEXT: Final = PublisherContext(
    name="p", client_id="3381af92-2b9e-11e3-b191-71861300734c", now_ms=lambda: 1_700_000_000_000, timeout_s=20
)
STORED: Final = Said(201, json.dumps({"resources": ["/v2/queues/q/messages/1"]}).encode())
Told = tuple[bool, bool, bool]
WAIT: Final[Told] = (False, True, False)
ITS_OWN: Final[Told] = (False, False, False)
FOR_GOOD: Final[Told] = (False, False, True)


def told(verdict: Verdict) -> Told:
    return verdict.accepted, verdict.everybody, verdict.permanent


def published(options: dict[str, Any], *projects: str) -> list[Verdict]:
    """Publish a notification of each project, one after the other."""

    async def steps() -> list[Verdict]:
        publisher = QueuePublisher({"queue": "q", **options}, CONTEXT)
        try:
            return [(await publisher.publish([notification(project)]))[0] for project in projects]
        finally:
            await publisher.close()

    return asyncio.run(steps())


def notification(project: str) -> Notification:
    return Notification(event=Event(id="1", source="/s", type="t"), project=project)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_waited_out_and_says_where_it_leads(status: int) -> None:
    headers = {"Location": "https://user:secret@elsewhere.example/v2?token=secret"}
    with Answering(lambda asked: Said(status, b"<html>", headers)) as service:
        [verdict] = published({"url": service.url}, "p-1")
    assert told(verdict) == WAIT
    assert "https://elsewhere.example/v2" in verdict.reason
    assert "secret" not in verdict.reason


@pytest.mark.parametrize(
    "said",
    [
        Said(200, b"<html>"),
        Said(200, STORED.body),
        Said(201, b'{"resources": 1}'),
        Said(201, b"[]"),
        Said(202),
        Said(204),
        Said(201, b"[" * 100_000),
    ],
    ids=range(7),
)
def test_an_answer_of_something_else_is_no_acceptance(said: Said) -> None:
    with Answering(lambda asked: said) as service:
        [verdict] = published({"url": service.url}, "p-1")
    assert told(verdict) == WAIT
    assert "not the service" in verdict.reason


@pytest.mark.parametrize("status", [404, 405, 421, 501, 500, 503, 408])
def test_what_is_not_about_the_notification_buries_none(status: int) -> None:
    with Answering(lambda asked: Said(status)) as service:
        assert [told(each) for each in published({"url": service.url}, "p-1")] == [WAIT]


@pytest.mark.parametrize("status", [400, 413, 422])
def test_what_is_about_the_notification_is_for_good(status: int) -> None:
    with Answering(lambda asked: Said(status)) as service:
        assert [told(each) for each in published({"url": service.url}, "p-1")] == [FOR_GOOD]


def test_attributes_are_set_again_if_something_else_took_them() -> None:
    answers = [Said(200, b"<html>"), Said(200, b"{}"), STORED, STORED]
    options = {"attributes": {"_default_message_ttl": 60}}
    with Answering(lambda asked: answers.pop(0)) as service:
        first, second, third = published({"url": service.url, **options}, "p-1", "p-1", "p-1")
        assert [each.method for each in service.asked] == ["PATCH", "PATCH", "POST", "POST"]
    assert (told(first), second, third) == (WAIT, ACCEPTED, ACCEPTED)


@pytest.mark.parametrize("status", [401, 403])
def test_one_project_that_lets_nobody_in_is_its_own_and_several_in_a_row_are_everybodys(status: int) -> None:
    with Answering(lambda asked: STORED if asked.headers["x-project-id"] == "good" else Said(status)) as service:
        projects = ["a", "a", "a", "b", "a", "good", "c", "b", "a", "a"]
        verdicts = published({"url": service.url}, *projects)
    assert [told(each) for each in verdicts[:5]] == [ITS_OWN] * 5
    assert verdicts[5] == ACCEPTED
    assert [told(each) for each in verdicts[6:]] == [ITS_OWN, ITS_OWN, WAIT, WAIT]
    assert "Several projects" in verdicts[-1].reason


def test_where_all_go_to_one_project_its_refusal_is_everybodys() -> None:
    with Answering(lambda asked: Said(403)) as service:
        assert [told(each) for each in published({"url": service.url, "project": "all"}, "p-1")] == [WAIT]


@pytest.mark.parametrize(("scoped", "unscoped", "expected"), [(401, 401, WAIT), (401, 201, ITS_OWN), (503, 201, WAIT)])
def test_a_password_that_has_ended_is_told_from_a_project_without_a_role(
    scoped: int, unscoped: int, expected: Told
) -> None:
    token = {"token": {"methods": ["password"], "expires_at": "2038-01-01T00:00:00.000000Z", "user": {}}}

    def judge(asked: Any) -> Said:
        named = asked.document["auth"].get("scope", "unscoped")
        status = unscoped if named == "unscoped" else scoped
        return Said(status, json.dumps(token).encode(), {"X-Subject-Token": "t", "Content-Type": "application/json"})

    with Answering(judge) as keystone:
        [verdict] = published({"url": "http://127.0.0.1:1", "access": access(keystone.port)}, "p-1")
    assert told(verdict) == expected
    assert "hunter2" not in verdict.reason


def test_a_keystone_that_never_answers_takes_no_longer_than_an_attempt_may() -> None:
    async def steps() -> Sequence[Verdict]:
        async with Peer(hangs) as peer, asyncio.timeout(10):
            options = {"url": "http://127.0.0.1:1", "queue": "q", "access": access(peer.port)}
            publisher = QueuePublisher(options, replace(CONTEXT, timeout_s=0.3))
            verdicts = await publisher.publish([notification("p-1")])
            await publisher.close()
            await peer.deserted.wait()
            return verdicts

    assert [told(each) for each in asyncio.run(steps())] == [WAIT]


def access(port: int) -> dict[str, Any]:
    user = {"username": "u", "password": "hunter2", "user_domain_name": "Default"}
    return {"keystone": {"auth_url": f"http://127.0.0.1:{port}/v3", **user}}


def test_a_password_in_the_url_is_not_in_the_reason() -> None:
    [verdict] = published({"url": "http://user:hunter2@127.0.0.1:1"}, "p-1")
    assert told(verdict) == WAIT
    assert "127.0.0.1:1" in verdict.reason
    assert "hunter2" not in verdict.reason


def test_a_queue_may_have_dots_in_its_name() -> None:
    with Answering(lambda asked: STORED) as service:
        assert published({"url": service.url, "queue": "a.b"}, "p-1") == [ACCEPTED]
        assert service.asked[0].path == "/v2/queues/a.b/events"
