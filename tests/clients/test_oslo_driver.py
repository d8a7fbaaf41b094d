"""What oslo.messaging's tests leave out: pools, requeueing, monitored calls, retries, TLS, and a clean end."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import trustme

from tests.clients.foreign import Script, script_runner
from tests.clients.oslo_script import ENVIRONMENT, PRELUDE
from tests.serving import ServerProcess

ROOT: Final = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('store')}") as server:
        yield server


@pytest.fixture(params=["threading", "eventlet"])
def oslo(request: pytest.FixtureRequest, server: ServerProcess) -> Script:
    """Return what runs a script with an executor and a project of its own."""
    project = request.node.name.partition("[")[0][:40] + request.param
    return script_runner(ENVIRONMENT, PRELUDE, f"sukkal+{server.url}/{project}", request.param)


def test_every_pool_gets_a_copy_and_its_members_share_it(oslo: Script) -> None:
    found = oslo("""
    first, second, third = Heard(), Heard(), Heard()
    listeners = [hear(first, "a"), hear(second, "a"), hear(third, "b")]
    for number in range(6):
        notifier().info({}, "event", number)
    other = [third.events.get(timeout=20)[1] for _ in range(6)]
    shared = []
    while len(shared) < 6:
        for each in (first, second):
            try:
                shared.append(each.events.get(timeout=0.05)[1])
            except queue.Empty:
                pass
    end(*listeners)
    answer(shared=sorted(shared), other=sorted(other))
    """)
    assert found == {"shared": list(range(6)), "other": list(range(6))}


def test_a_notification_that_is_requeued_comes_again_and_then_no_more(oslo: Script) -> None:
    found = oslo("""
    endpoint = Heard([oslo_messaging.NotificationResult.REQUEUE])
    listener = hear(endpoint)
    notifier().info({}, "event", "again")
    heard = [endpoint.events.get(timeout=20), endpoint.events.get(timeout=20)]
    end(listener)
    answer(heard=heard, more=endpoint.events.qsize(), threads=left())
    """)
    assert found == {"heard": [["event", "again"]] * 2, "more": 0, "threads": []}


def test_what_is_sent_before_anybody_listens_waits(oslo: Script) -> None:
    found = oslo("""
    notifier().info({}, "event", "early")
    client().cast({}, "do", text="early")
    done, endpoint = queue.Queue(), Heard()
    class Endpoint:
        def do(self, context, text):
            done.put(text)
    listener, server = hear(endpoint), serve(Endpoint())
    answer_ = [endpoint.events.get(timeout=20)[1], done.get(timeout=20)]
    end(listener, server)
    answer(found=answer_)
    """)
    assert found == {"found": ["early", "early"]}


def test_a_monitored_call_lasts_as_long_as_its_server_works_on_it(oslo: Script) -> None:
    found = oslo("""
    released = threading.Event()
    class Endpoint:
        def work(self, context):
            released.wait(20)
            return "done"
    server = serve(Endpoint())
    threading.Timer(4, released.set).start()
    begun = time.monotonic()
    result = client(timeout=60, call_monitor_timeout=2).call({}, "work")
    lasted = time.monotonic() - begun
    released.clear()
    end(server)
    answer(result=result, long=lasted > 3)
    """)
    assert found == {"result": "done", "long": True}


def test_a_monitored_call_that_nobody_works_on_ends_early(oslo: Script) -> None:
    found = oslo("""
    begun = time.monotonic()
    try:
        client(timeout=60, call_monitor_timeout=1).call({}, "work")
        outcome = "none"
    except oslo_messaging.MessagingTimeout:
        outcome = "timeout"
    end()
    answer(outcome=outcome, early=time.monotonic() - begun < 20)
    """)
    assert found == {"outcome": "timeout", "early": True}


def test_a_call_whose_caller_has_given_up_is_not_done_any_more(oslo: Script) -> None:
    found = oslo("""
    done = queue.Queue()
    class Endpoint:
        def do(self, context, text):
            done.put(text)
    try:
        client(timeout=0.5).call({}, "do", text="given up")
    except oslo_messaging.MessagingTimeout:
        pass
    from urllib.parse import urlsplit
    from sukkal.client import BlockingConnection, ProjectName
    parts = urlsplit(URL.removeprefix("sukkal+"))
    look = BlockingConnection(f"http://{parts.netloc}", ProjectName(parts.path[1:]), client_id=CLIENT_ID)
    def waits():
        path = "/v2/queues/oslo1.topic.openstack.topic/messages"
        return look.request("GET", path, query={"echo": "true"}).document["messages"][0]["age"]
    while waits() < 1:
        pass
    client().cast({}, "do", text="next")
    server = serve(Endpoint())
    first = done.get(timeout=20)
    end(server)
    answer(first=first, more=done.qsize())
    """)
    assert found == {"first": "next", "more": 0}


def test_a_fanout_reaches_all_servers_that_listen(oslo: Script) -> None:
    found = oslo("""
    done = queue.Queue()
    class Endpoint:
        def __init__(self, name):
            self.name = name
        def do(self, context):
            done.put(self.name)
    servers = [serve(Endpoint(name), name=name) for name in "abc"]
    client().prepare(fanout=True).cast({}, "do")
    names = sorted(done.get(timeout=20) for _ in servers)
    end(*servers)
    answer(names=names, more=done.qsize(), threads=left())
    """)
    assert found == {"names": ["a", "b", "c"], "more": 0, "threads": []}


def test_what_a_server_raises_is_raised_at_the_caller(oslo: Script) -> None:
    found = oslo("""
    import logging
    logging.disable()
    class Endpoint:
        def fail(self, context):
            raise ValueError("no such thing")
    server = serve(Endpoint())
    try:
        client().call({}, "fail")
        outcome = ""
    except ValueError as error:
        outcome = str(error)
    end(server)
    answer(outcome=outcome)
    """)
    assert "no such thing" in found["outcome"]


def test_without_a_service_as_often_is_tried_as_was_asked_for(server: ServerProcess) -> None:
    oslo = script_runner(ENVIRONMENT, PRELUDE, "sukkal+http://127.0.0.1:1/p")
    found = oslo("""
    outcomes = []
    for retry in (0, 2):
        try:
            client(retry=retry).cast({}, "do")
        except oslo_messaging.MessageDeliveryFailure as error:
            outcomes.append("Connection refused" in str(error))
    begun = time.monotonic()
    try:
        client(timeout=1).call({}, "do")
    except oslo_messaging.MessagingTimeout:
        outcomes.append(time.monotonic() - begun < 5)
    end()
    answer(outcomes=outcomes, threads=left())
    """)
    assert found == {"outcomes": [True, True, True], "threads": []}


@pytest.mark.parametrize("executor", ["threading", "eventlet"])
def test_the_service_is_known_by_its_certificate(tmp_path: Path, executor: str) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    for name, blob in {"cert": certificate.cert_chain_pems[0], "key": certificate.private_key_pem}.items():
        (tmp_path / f"{name}.pem").write_bytes(blob.bytes())
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    flags = ("--tls-cert-file", str(tmp_path / "cert.pem"), "--tls-key-file", str(tmp_path / "key.pem"))
    with ServerProcess(f"sqlite:///{tmp_path}/store", *flags) as server:
        oslo = script_runner(ENVIRONMENT, PRELUDE, f"sukkal+{server.url}/p", executor)
        found = oslo(f"""
        import sukkal.oslo.options as options
        cfg.CONF.register_opts(options.OPTIONS, group=options.GROUP)
        class Endpoint:
            def add(self, context, a, b):
                return a + b
        try:
            client(retry=0).cast({{}}, "add", a=1, b=1)
            outcome = "sent"
        except oslo_messaging.MessageDeliveryFailure as error:
            outcome = "CERTIFICATE_VERIFY_FAILED" in str(error)
        cfg.CONF.set_override("ca_file", {str(tmp_path / "ca.pem")!r}, group=options.GROUP)
        server = serve(Endpoint())
        added = client().call({{}}, "add", a=1, b=2)
        end(server)
        answer(outcome=outcome, added=added, threads=left())
        """)
    assert found == {"outcome": True, "added": 3, "threads": []}


CUSTODY: Final = """
import queue, sys
from sukkal.oslo.custody import Custody
asked = queue.Queue()
class Service:
    def request(self, method, path, document=None, *, patience, query=None):
        asked.put([method, path, (query or {}).get("claim_ids")])
"""


def test_a_message_that_comes_again_while_it_is_held_is_done_once_under_its_new_claim() -> None:
    found = script_runner(ENVIRONMENT, CUSTODY)("""
    custody = Custody(Service(), room=2, claim_ttl_s=60)
    custody.reserve("/q", 2)
    held = custody.take("/q", "m", "one")
    again = custody.take("/q", "m", "two")
    custody.finish(held)
    custody.finish(held)
    custody.close()
    answer(again=again, asked=[asked.get() for _ in range(asked.qsize())])
    """)
    assert found == {"again": None, "asked": [["DELETE", "/q/messages", "two"]]}


def test_a_message_that_comes_again_after_it_is_done_is_only_deleted() -> None:
    found = script_runner(ENVIRONMENT, CUSTODY)("""
    custody = Custody(Service(), room=2, claim_ttl_s=60)
    custody.reserve("/q", 1)
    custody.finish(custody.take("/q", "m", "one"))
    first = asked.get(timeout=20)
    custody.reserve("/q", 1)
    again = custody.take("/q", "m", "two")
    room = custody.reserve("/q", 9)
    custody.close()
    answer(again=again, room=room, asked=[first, asked.get()])
    """)
    deleted = [["DELETE", "/q/messages", "one"], ["DELETE", "/q/messages", "two"]]
    assert found == {"again": None, "room": 2, "asked": deleted}


def test_what_is_held_is_renewed_and_in_the_end_given_back() -> None:
    found = script_runner(ENVIRONMENT, CUSTODY)("""
    custody = Custody(Service(), room=1, claim_ttl_s=0.03)
    custody.reserve("/q", 1)
    custody.take("/q", "m", "one")
    renewed = [asked.get(timeout=20), asked.get(timeout=20)]
    custody.close()
    rest = [asked.get() for _ in range(asked.qsize())]
    answer(renewed=renewed, released=[each for each in rest if each not in renewed], none=custody.reserve("/q", 1))
    """)
    assert found == {
        "renewed": [["PATCH", "/q/claims/one", None]] * 2,
        "released": [["PATCH", "/q/claims/one/messages/m", None]],
        "none": 0,
    }


def test_what_is_held_is_renewed_while_what_is_done_cannot_be_deleted() -> None:
    found = script_runner(ENVIRONMENT, CUSTODY)("""
    import threading
    deleting, released = threading.Event(), threading.Event()
    class Slow(Service):
        def request(self, method, path, document=None, *, patience, query=None):
            if method == "DELETE":
                deleting.set()
                released.wait(20)
            super().request(method, path, document, patience=patience, query=query)
    custody = Custody(Slow(), room=2, claim_ttl_s=0.03)
    custody.reserve("/q", 2)
    done, _ = custody.take("/q", "m", "one"), custody.take("/q", "n", "two")
    custody.finish(done)
    deleting.wait(20)
    while not asked.empty():
        asked.get()
    renewed = [asked.get(timeout=20), asked.get(timeout=20)]
    released.set()
    custody.close()
    answer(renewed=renewed)
    """)
    assert found == {"renewed": [["PATCH", "/q/claims/two", None]] * 2}


BROKEN: Final = """
import logging, queue
logging.disable(logging.CRITICAL)
from sukkal.client import Answer, Event, Unreachable
class Connection:
    url = "http://a"
    def __init__(self, steps, asked):
        self._steps, self._asked = steps, asked
    def request(self, method, path, document=None, **more):
        self._asked.put([method, path])
        return Answer(200, {}, self._steps.get(timeout=20) if method == "POST" else None)
    def events(self, path, since):
        self._asked.put(["events", since])
        for event in self._steps.get(timeout=20):
            if event is None:
                raise Unreachable("gone")
            yield event
    def end(self):
        self._steps.put({"messages": []} if self._steps is claims else [])
    def close(self):
        pass
class Service:
    def __init__(self, steps):
        self.steps, self.asked = steps, queue.Queue()
    def connection(self):
        return Connection(self.steps, self.asked)
    def leave(self, connection):
        pass
    def request(self, method, path, document=None, *, patience, query=None):
        return Answer(200, {}, None)
claims, streams = queue.Queue(), queue.Queue()
"""


def test_a_queue_with_metadata_is_made_again_whenever_the_connection_was_broken() -> None:
    found = script_runner(ENVIRONMENT, BROKEN)("""
    from sukkal.oslo.watching import Watcher
    heard = queue.Queue()
    ready, first = Event("1.1", "ready", "{}"), Event("1.2", "", '{"body": "first"}')
    streams.put([ready, first, None])
    streams.put([Event("1.3", "", "["), Event("1.4", "", '{"body": "lost"}')])
    streams.put([Event("1.4", "", '{"body": "second"}')])
    service = Service(streams)
    watcher = Watcher(service, "q", heard.put, metadata={"_expires_after": 60})
    bodies = [heard.get(timeout=20) for _ in range(2)]
    watcher.stop()
    answer(bodies=bodies, asked=[service.asked.get() for _ in range(6)])
    """)
    made = ["PUT", "/v2/queues/q"]
    assert found["bodies"] == ["first", "second"]
    assert found["asked"] == [made, ["events", None], made, ["events", "1.2"], made, ["events", "1.3"]]


def test_a_taker_goes_on_after_an_answer_that_it_does_not_understand() -> None:
    found = script_runner(ENVIRONMENT, BROKEN)("""
    from sukkal.oslo.custody import Custody
    from sukkal.oslo.taking import Taker
    told = queue.Queue()
    message = {"id": "m", "href": "/q?claim_id=c", "age": 0, "body": "told"}
    for document in ([1], {"messages": [{}]}, {"messages": [message]}):
        claims.put(document)
    service = Service(claims)
    custody = Custody(service, room=1, claim_ttl_s=60)
    taker = Taker(service, "q", custody, lambda body, age_s, held: told.put(body), at_once=1, wait_s=1)
    taker.start()
    body = told.get(timeout=20)
    custody.stop_taking()
    taker.ask_to_stop()
    taker.join()
    custody.close()
    answer(body=body)
    """)
    assert found == {"body": "told"}


def test_every_option_is_documented_with_its_default_and_meaning(server: ServerProcess) -> None:
    oslo = script_runner(ENVIRONMENT, PRELUDE, f"sukkal+{server.url}/p")
    found = oslo("""
    from sukkal.oslo.options import list_opts
    [(group, options)] = list_opts()
    answer(group=group, rows=[[each.name, each.default, each.help] for each in options])
    """)
    page = (ROOT / "docs/reference/oslo-messaging.md").read_text(encoding="utf-8")
    assert f"`{found['group']}`" in page
    for name, default, meaning in found["rows"]:
        shown = "" if default is None else str(default).lower() if isinstance(default, bool) else str(default)
        assert re.search(rf"^\| `{name}` \| {shown} ?\| {re.escape(meaning[:-1])}[.,]", page, re.MULTILINE), name
