"""Calls that come too late, and replies that cannot be sent."""

import re
from collections.abc import Iterator
from typing import Final

import pytest

from tests.clients.foreign import Script, script_runner
from tests.clients.oslo_script import ENVIRONMENT, LOOK, PRELUDE
from tests.serving import ServerProcess

LATE: Final = """
import logging
logging.disable(logging.CRITICAL)
from oslo_utils import timeutils
now, later_s = timeutils.now, [0]
timeutils.now = lambda: now() + later_s[0]
def given_up(**arguments):
    try:
        return client(timeout=1).call({}, "note", **arguments)
    except oslo_messaging.MessagingTimeout:
        later_s[0] += 5  # The server's second is over, too.
        return "given up"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('store')}") as server:
        yield server


@pytest.fixture
def oslo(request: pytest.FixtureRequest, server: ServerProcess) -> Script:
    """Return what runs a script in a project of its own."""
    project = re.sub(r"\W", "-", request.node.name)[-60:]
    return script_runner(ENVIRONMENT, PRELUDE + LOOK + LATE, f"sukkal+{server.url}/{project}")


def test_a_call_that_waited_for_a_thread_is_not_begun_when_its_caller_has_given_up(oslo: Script) -> None:
    found = oslo("""
    cfg.CONF.register_opts(oslo_messaging.server._pool_opts)
    cfg.CONF.set_override("executor_thread_pool_size", 1)
    noted, released = queue.Queue(), threading.Event()
    class Endpoint:
        def rest(self, context):
            noted.put("rest")
            released.wait()
        def note(self, context, text):
            noted.put(text)
    server = serve(Endpoint())
    client().cast({}, "rest")
    order = [noted.get(timeout=20)]
    second = given_up(text="second")
    client().cast({}, "note", text="third")
    released.set()
    order.append(noted.get(timeout=20))
    end(server)
    answer(second=second, order=order, more=noted.qsize(), total=counts("oslo1.topic.openstack.topic")["total"])
    """)
    assert found == {"second": "given up", "order": ["rest", "third"], "more": 0, "total": 0}


def test_a_call_that_waited_in_the_listener_is_not_told_when_its_caller_has_given_up(oslo: Script) -> None:
    found = oslo("""
    def waiting(listener):
        while not listener._incoming.qsize():
            listener._takers[0]._stopping.wait(0.01)
    listener = rpc_transport()._driver.listen(Target(exchange="openstack", topic="topic", server="one"), 1, None)
    listener = listener._poll_style_listener
    client().cast({}, "note", text="first")
    [first] = listener.poll(timeout=20)
    first.reply()
    second = given_up(text="second")
    waiting(listener)
    client().cast({}, "note", text="third")
    [third] = listener.poll(timeout=20)
    third.reply()
    listener.stop()
    more = listener.poll()
    listener.cleanup()
    end()
    answer(second=second, polled=[each.message["args"]["text"] for each in (first, third, *more)],
           total=counts("oslo1.topic.openstack.topic")["total"])
    """)
    assert found == {"second": "given up", "polled": ["first", "third"], "total": 0}


def test_a_caller_is_told_when_the_reply_to_it_cannot_be_sent(oslo: Script) -> None:
    found = oslo("""
    endless = []
    endless.append(endless)
    class Endpoint:
        def much(self, context, chars):
            return "x" * chars
        def odd(self, context):
            return endless
        def fail(self, context):
            raise ValueError("x" * 300_000)
    server = serve(Endpoint())
    def outcome(method, **arguments):
        try:
            return client(timeout=60).call({}, method, **arguments)
        except oslo_messaging.RemoteError as error:
            return str(error)
    outcomes = [outcome("much", chars=300_000), outcome("much", chars=20_000_000), outcome("odd"), outcome("fail")]
    end(server)
    answer(outcomes=outcomes, total=counts("oslo1.topic.openstack.topic")["total"])
    """)
    assert found["total"] == 0
    for outcome, why in zip(found["outcomes"], ("too large", "too large", "Circular", "too large"), strict=True):
        assert re.search(rf"MessageDeliveryFailure The reply to this call could not be sent: .*{why}", outcome)
