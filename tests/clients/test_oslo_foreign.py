"""What the driver does with messages that are none of oslo.messaging's: it goes on, and they are put aside."""

import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.clients.foreign import Script, script_runner
from tests.clients.oslo_script import ENVIRONMENT, LOOK, PRELUDE
from tests.serving import ServerProcess

FOREIGN: Final = """
foreign = [
    {"oslo.version": 2, "oslo.message": "{}"},
    {"oslo.version": "2.0", "oslo.message": 5},
    {"oslo.version": "2.0", "oslo.message": '{"_waits": "x", "_msg_id": "1"}'},
    {"oslo.version": "2.0", "oslo.message": '{"_msg_id": 1}'},
]
import logging
logging.disable(logging.CRITICAL)
class Echo:
    def echo(self, context, text):
        return text
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('store')}") as server:
        yield server


@pytest.fixture
def oslo(request: pytest.FixtureRequest, server: ServerProcess) -> Script:
    """Return what runs a script in a project of its own."""
    project = re.sub(r"\W", "-", request.node.name)[-60:]
    return script_runner(ENVIRONMENT, PRELUDE + LOOK + FOREIGN, f"sukkal+{server.url}/{project}")


def test_a_server_goes_on_after_such_messages_in_its_topic(oslo: Script) -> None:
    found = oslo("""
    server = serve(Echo())
    for body in foreign:
        post("oslo1.topic.openstack.topic", body)
    after = [client().call({}, "echo", text="after") for _ in range(2)]
    takers = [name for name in left() if name.startswith("sukkal-take-oslo1.topic")]
    end(server)
    answer(after=after, takers=len(takers), total=counts("oslo1.topic.openstack.topic")["total"])
    """)
    assert found == {"after": ["after"] * 2, "takers": 2, "total": 0}


def test_a_server_goes_on_after_such_a_message_in_its_fanout(oslo: Script) -> None:
    found = oslo("""
    heard = queue.Queue()
    class Endpoint:
        def tell(self, context, text):
            heard.put(text)
    server = serve(Endpoint())
    for body in foreign:
        post("oslo1.fanout.openstack.topic", body)
    client().prepare(fanout=True).cast({}, "tell", text="after")
    after = heard.get(timeout=20)
    end(server)
    answer(after=after)
    """)
    assert found == {"after": "after"}


def test_a_caller_goes_on_after_such_a_message_among_its_replies(oslo: Script) -> None:
    found = oslo("""
    server, caller = serve(Echo()), client()
    before = caller.call({}, "echo", text="before")
    [name] = [each for each in left() if each.startswith("sukkal-watch-oslo1.reply")]
    for body in foreign:
        post(name.removeprefix("sukkal-watch-"), body)
    after = caller.call({}, "echo", text="after")
    end(server)
    answer(before=before, after=after)
    """)
    assert found == {"before": "before", "after": "after"}


def test_a_listener_goes_on_after_such_a_message_among_its_notifications(oslo: Script) -> None:
    found = oslo("""
    endpoint = Heard()
    for body in foreign:
        post("oslo1.notify.openstack.notes_2einfo", body)
    notifier().info({}, "event", "after")
    listener = hear(endpoint)
    after = endpoint.events.get(timeout=20)[1]
    end(listener)
    answer(after=after, total=counts("oslo1.notify.openstack.notes_2einfo")["total"])
    """)
    assert found == {"after": "after", "total": 0}


def test_such_a_message_goes_to_the_dead_letter_queue_if_there_is_one(oslo: Script) -> None:
    found = oslo("""
    ask("PUT", "/v2/queues/oslo1.topic.openstack.topic", {"_dead_letter_queue": "strange"})
    server = serve(Echo())
    post("oslo1.topic.openstack.topic", {"what": "is this"})
    post("oslo1.topic.openstack.topic", {"oslo.version": "2.0", "oslo.message": 5})
    after = client().call({}, "echo", text="after")
    end(server)
    bodies = [each["body"] for each in ask("GET", "/v2/queues/strange/messages", query={"echo": "true"})["messages"]]
    answer(after=after, bodies=bodies, total=counts("oslo1.topic.openstack.topic")["total"])
    """)
    assert found == {"after": "after", "bodies": [{"oslo.version": "2.0", "oslo.message": 5}], "total": 0}


def test_the_log_tells_which_message_was_deleted_why_and_how_it_began(oslo: Script) -> None:
    found = oslo("""
    logging.disable(logging.NOTSET)
    told = queue.Queue()
    class Handler(logging.Handler):
        def emit(self, record):
            told.put(record.getMessage())
    logging.getLogger("sukkal").addHandler(Handler())
    server = serve(Echo())
    id_ = post("oslo1.topic.openstack.topic", "x" * 1_000)
    line = told.get(timeout=20)
    end(server)
    answer(id=id_, line=line)
    """)
    assert found["line"] == (
        f"Message {found['id']} of /v2/queues/oslo1.topic.openstack.topic is not understood and was deleted. "
        f'It is no object. It begins with "{"x" * 199}'
    )


MALFORMED: Final = """
import math
from sukkal.oslo.wire import unpack_reply, unpack_request
def refused(unpack, *bodies):
    passed = []
    for body in bodies:
        try:
            unpack(body)
        except ValueError:
            continue
        passed.append(repr(body)[:60])
    return passed
def deep(depth):
    return {"oslo.version": "2.0", "oslo.message": "[" * depth + "]" * depth}
"""


def test_what_is_no_message_is_told_as_a_value_error_whatever_is_wrong_with_it() -> None:
    found = script_runner(ENVIRONMENT, MALFORMED)("""
    both = [None, 5, "x", [], deep(100_000), {"oslo.version": None, "oslo.message": "{}"}, {"_msg_id": 1},
            {"oslo.version": "x", "oslo.message": "{}"}, {"oslo.version": "3.0", "oslo.message": "{}"},
            {"oslo.version": "2.0", "oslo.message": None}, {"oslo.version": "2.0", "oslo.message": "{"},
            {"oslo.version": "2.0", "oslo.message": "[]"}]
    numbers = ["1", True, [], -1, math.nan, math.inf, 10**400]
    requests = [*({name: value} for name in ("_waits", "_timeout") for value in numbers),
                *({"_reply_q": name} for name in (1, "", "a/b", "a b", "ä", "x" * 65))]
    replies = [{}, {"_msg_id": None}, {"_msg_id": "x", "failure": 1}]
    answer(requests=refused(unpack_request, *both, *requests), replies=refused(unpack_reply, *both, *replies))
    """)
    assert found == {"requests": [], "replies": []}
