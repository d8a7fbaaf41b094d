"""Log lines say for which request and which project they were written."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sukkal.log_fields import log_fields
from sukkal.sink import Delivery, Outcome
from tests.api.calling import Service
from tests.api.sockets import Socket
from tests.api.test_deliveries import Obedient

Lines = list[tuple[str, dict[str, str]]]


class Memory(logging.Handler):
    """Remembers lines with what they are about, which a formatter finds out at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: Lines = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append((record.getMessage(), dict(log_fields())))


@pytest.fixture
def lines() -> Iterator[Lines]:
    memory = Memory()
    logging.getLogger("sukkal").addHandler(memory)
    yield memory.lines
    logging.getLogger("sukkal").removeHandler(memory)


def broken(*given: Any, **more: Any) -> Any:
    raise ZeroDivisionError


async def broken_later(*given: Any, **more: Any) -> Any:
    await asyncio.sleep(0)
    raise ZeroDivisionError


@pytest.mark.parametrize("defect", [broken, broken_later])
def test_a_line_of_a_request_names_it_and_its_project(
    service: Service, lines: Lines, monkeypatch: pytest.MonkeyPatch, defect: Callable[..., Any]
) -> None:
    monkeypatch.setattr(service.app.services.queues, "list", defect)
    answers = [service.run(service.request("GET", "/v2/queues", project=project)) for project in ("p", "other")]
    assert [fields for _, fields in lines] == [
        {"request_id": answer.headers["x-openstack-request-id"], "project": project}
        for answer, project in zip(answers, ("p", "other"), strict=True)
    ]
    assert log_fields() == {}


def test_a_line_of_a_request_that_proves_nobody_has_no_project_of_the_one_before(
    service: Service, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.post_bodies(1)
    monkeypatch.setattr(service.app.front, "_caller", broken_later)
    answer = service.run(service.request("GET", "/v2/queues", headers={"X-Auth-Token": "broken"}))
    assert [fields for _, fields in lines] == [{"request_id": answer.headers["x-openstack-request-id"]}]


def test_a_line_of_a_frame_names_it_and_its_project(
    service: Service, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.app.services.queues, "create", broken_later)
    with Socket(service, project="p") as socket:
        answer = socket.ask("queue_create", {"queue_name": "q"})
    [(line, fields)] = lines
    assert fields["project"] == "p"
    assert fields["request_id"] in line
    assert fields["request_id"] in answer.body["error"]


def test_a_line_about_a_delivery_names_it_and_not_the_request_that_set_it_off(
    start: Callable[..., Service], lines: Lines
) -> None:
    class Defective(Obedient):
        async def attempt(self, delivery: Delivery) -> Outcome:
            raise ZeroDivisionError

    service = start(sink=Defective())
    document = {"subscriber": "test://one", "ttl": 10**6}
    subscription = service.post("/v2/queues/q/subscriptions", json=document).json()["subscription_id"]
    [message] = service.post_bodies(1)
    service.deliver()
    assert lines == [
        (
            "the sink for test failed",
            {"project": "p", "subscription": subscription, "queue": "q", "message": message},
        )
    ]
