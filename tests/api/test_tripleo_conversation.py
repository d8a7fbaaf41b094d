"""The conversation of TripleO, frame by frame: its client waits for a deployment, its workflows drain the log.

The frames are those that the programs really send. What comes back is read as the programs read it.
"""

import json
from typing import Any, Final

import pytest

from tests.api.calling import OTHER_CLIENT, Service
from tests.api.sockets import Socket
from tests.api.test_recorded_frames import VECTORS

PROJECT: Final = "proj1"
FRAMES: Final = (VECTORS / "real-client-websocket-frames.jsonl").read_text("utf-8").splitlines()
TRIPLEO, COLLECTOR = FRAMES[:3], FRAMES[3:]
GOOD: Final = (200, 201, 204)
"""The statuses that the client goes on with."""


class Client:
    """Reads frames as the programs do: the next frame is the answer, and after the conversation each is a message."""

    def __init__(self, socket: Socket, frames: list[str]) -> None:
        self._socket = socket
        self.answers = [self.ask(frame) for frame in frames]

    def ask(self, frame: str) -> Any:
        """Send a frame and return the answer, which has to be a good one."""
        self._socket.send(frame)
        answer = self._socket.receive()
        assert answer["headers"]["status"] in GOOD, answer
        assert answer["request"]["action"] == json.loads(frame)["action"]
        return answer

    def payload(self) -> Any:
        """Return what the next message of a workflow has to say."""
        return self._socket.receive()["body"]["payload"]

    def wait_for(self, execution: str) -> list[Any]:
        """Return what is told of an execution until it runs no more, as ``wait_for_messages`` does."""
        found: list[Any] = []
        while not found or found[-1]["status"] == "RUNNING":
            payload = self.payload()
            if payload.get("execution_id", payload.get("execution", {}).get("id")) == execution:
                found.append(payload)
        return found


def tell(service: Service, kind: str, **payload: Any) -> None:
    """Post what a workflow posts, without a life of its own."""
    document = {"messages": [{"body": {"type": kind, "payload": payload}}]}
    response = service.post("/v2/queues/tripleo/messages", json=document, project=PROJECT, client=OTHER_CLIENT)
    assert response.status_code == 201


@pytest.fixture
def socket(service: Service) -> Any:
    with Socket(service) as socket:
        yield socket


def test_the_client_hears_of_a_deployment_until_it_ends(service: Service, socket: Socket) -> None:
    client = Client(socket, TRIPLEO)
    kind = "tripleo.deployment.v1.deploy_plan"
    tell(service, kind, status="RUNNING", execution_id="e-1", message="1 of 2")
    tell(service, "tripleo.plan.v1.create", status="SUCCESS", execution_id="e-2")
    tell(service, "tripleo.ansible-playbook.deploy.yaml", status="RUNNING", execution={"id": "e-1"}, message="ok")
    tell(service, kind, status="SUCCESS", execution_id="e-1", message="done")
    told = client.wait_for("e-1")
    assert [each["message"] for each in told] == ["1 of 2", "ok", "done"]
    assert socket.silent()


def test_the_client_hears_what_many_workflows_say_in_the_order_of_their_posts(service: Service, socket: Socket) -> None:
    client = Client(socket, TRIPLEO)
    for number in range(50):
        tell(service, "w", status="RUNNING", execution_id="e", number=number)
    assert [client.payload()["number"] for _ in range(50)] == list(range(50))


def test_a_second_client_hears_all_of_it_too(service: Service, socket: Socket) -> None:
    first = Client(socket, TRIPLEO)
    with Socket(service) as other:
        second = Client(other, TRIPLEO)
        tell(service, "w", status="SUCCESS", execution_id="e")
        assert first.wait_for("e") == second.wait_for("e") == [{"status": "SUCCESS", "execution_id": "e"}]


def test_a_queue_that_is_there_is_as_good_as_a_new_one(service: Service, socket: Socket) -> None:
    statuses = [answer["headers"]["status"] for answer in Client(socket, [*TRIPLEO, *TRIPLEO[1:]]).answers]
    assert statuses == [200, 201, 201, 204, 201]


def test_the_collector_pops_what_waits_and_is_told_what_comes(service: Service, socket: Socket) -> None:
    path = "/v2/queues/srv-meta-q/messages"
    service.post(path, json={"messages": [{"body": {"deployments": [1]}}]}, project=PROJECT)
    [*_, popped] = Client(socket, COLLECTOR).answers
    assert [each["body"] for each in popped["body"]["messages"]] == [{"deployments": [1]}]
    service.post(path, json={"messages": [{"body": {"deployments": [2]}}]}, project=PROJECT)
    assert socket.receive()["body"] == {"deployments": [2]}


@pytest.mark.parametrize("lines", [0, 1, 20, 53])
def test_the_log_is_drained_by_claims_and_bulk_deletes_until_nothing_is_left(
    service: Service, socket: Socket, lines: int
) -> None:
    headers = {"Client-ID": OTHER_CLIENT, "X-Project-ID": PROJECT}
    client = Client(socket, [TRIPLEO[0]])
    # The user interface keeps its lines until it has been let in, and posts them one by one.
    for number in range(lines):
        line = {"body": {"message": f"line {number}", "level": "info", "timestamp": number}, "ttl": 3_600}
        body = {"queue_name": "tripleo-ui-logging", "messages": [line]}
        client.ask(json.dumps({"action": "message_post", "headers": headers, "body": body}))
    path, drained = "/v2/queues/tripleo-ui-logging", []
    while True:
        claimed = service.post(f"{path}/claims", json={"ttl": 60, "grace": 60}, project=PROJECT)
        if claimed.status_code == 204:
            break
        messages = claimed.json()["messages"]
        drained += [each["body"]["message"] for each in messages]
        ids = ",".join(each["id"] for each in messages)
        assert service.delete(f"{path}/messages?ids={ids}", project=PROJECT).status_code == 204
    assert drained == [f"line {number}" for number in range(lines)]
    assert service.get(f"{path}/messages?echo=true&include_claimed=true", project=PROJECT).json()["messages"] == []
