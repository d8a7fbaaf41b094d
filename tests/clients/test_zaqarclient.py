"""The real python-zaqarclient drives a running service from an environment of its own."""

from collections.abc import Iterator

import pytest

from tests.clients.foreign import Script, script_runner
from tests.serving import ServerProcess

PRELUDE = """
import sys
from zaqarclient.queues import client as clients
from zaqarclient.transport import errors

def connect(project="clients", **conf):
    options = {"auth_opts": {"backend": "noauth", "options": {"os_project_id": project}}} | conf
    return clients.Client(sys.argv[1], version=2, conf=options)

client = connect()

def bodies(messages):
    return [message.body for message in messages]

def api():
    request, transport = client._request_and_transport()
    return transport, request
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with ServerProcess(f"sqlite:///{tmp_path_factory.mktemp('data')}") as server:
        yield server


@pytest.fixture
def zaqar(server: ServerProcess) -> Script:
    return script_runner("zaqarclient", PRELUDE, server.url)


def test_it_is_the_release_that_we_mean_to_test(zaqar: Script) -> None:
    found = zaqar("""
        from importlib.metadata import version
        answer(version=version("python-zaqarclient"))
    """)
    assert found == {"version": "4.7.0"}


def test_it_finds_the_service_alive(zaqar: Script) -> None:
    found = zaqar("""
        home = client.homedoc()
        client = connect(client_uuid="3381af92-2b9e-11e3-b191-71861300734c")
        answer(ping=client.ping(), resources=sorted(home["resources"]))
    """)
    assert found["ping"] is True
    assert {"rel/queues", "rel/queue", "rel/messages", "rel/claim", "rel/ping"} <= set(found["resources"])


def test_it_is_told_that_detailed_health_is_for_administrators(zaqar: Script) -> None:
    found = zaqar("""
        try:
            client.health()
            answer(refused=None)
        except errors.ForbiddenError as error:
            answer(refused=str(error))
    """)
    assert "not authorized" in found["refused"].lower()


def test_it_creates_and_deletes_queues(zaqar: Script) -> None:
    found = zaqar("""
        queue = client.queue("made", force_create=True)
        twice = client.queue("made", force_create=True)
        before = [each.name for each in client.queues(limit=20)[0]]
        exists = queue.exists()
        queue.delete()
        queue.delete()
        answer(exists=exists, before=before, after=[each.name for each in client.queues(limit=20)[0]])
    """)
    assert found["exists"] is True
    assert "made" in found["before"]
    assert "made" not in found["after"]


def test_it_uses_a_queue_that_it_never_created(zaqar: Script) -> None:
    found = zaqar("""
        queue = client.queue("lazy")
        empty = queue.metadata()
        queue.post({"body": "first", "ttl": 60})
        answer(empty=empty, bodies=bodies(queue.messages(echo=True)), names=[q.name for q in client.queues()[0]])
    """)
    assert found["empty"]["_default_message_ttl"] == 3600
    assert found["bodies"] == ["first"]
    assert "lazy" in found["names"]


def test_it_sets_replaces_and_removes_metadata(zaqar: Script) -> None:
    found = zaqar("""
        queue = client.queue("described", force_create=True)
        first = queue.metadata(new_meta={"colour": "red", "size": 3})
        second = queue.metadata(new_meta={"colour": "blue", "_default_message_ttl": 120})
        again = client.queue("described").metadata(force_reload=True)
        answer(first=first, second=second, again=again)
    """)
    assert (found["first"]["colour"], found["first"]["size"]) == ("red", 3)
    assert found["second"]["colour"] == "blue"
    assert "size" not in found["second"]
    assert found["again"]["_default_message_ttl"] == 120
    assert found["again"] == found["second"]


def test_it_describes_a_queue_that_it_never_created(zaqar: Script) -> None:
    found = zaqar("""
        answer(metadata=client.queue("described-lazily").metadata(new_meta={"colour": "red"}))
    """)
    assert found["metadata"]["colour"] == "red"


def test_it_pages_through_more_queues_than_fit_a_page(zaqar: Script) -> None:
    found = zaqar("""
        client = connect("many")
        for number in range(47):
            client.queue(f"queue-{number:02}", force_create=True)
        streamed = [queue.name for queue in client.queues(limit=20)[0].stream()]
        page, count = client.queues(limit=5, marker="queue-19", detailed=True, with_count=True)
        page = list(page)
        answer(streamed=streamed, page=[q.name for q in page], count=count, metadata=page[0].metadata_dict,
               default=len(list(client.queues()[0])))
    """)
    assert found["streamed"] == [f"queue-{number:02}" for number in range(47)]
    assert found["page"] == [f"queue-{number:02}" for number in range(20, 25)]
    assert found["count"] == 47
    assert found["metadata"]["_max_messages_post_size"] == 262144
    assert found["default"] == 10


def test_it_sees_only_its_own_project(zaqar: Script) -> None:
    found = zaqar("""
        connect("theirs").queue("secret").post({"body": 1, "ttl": 60})
        ours = connect("ours")
        answer(names=[q.name for q in ours.queues()[0]], bodies=bodies(ours.queue("secret").messages(echo=True)))
    """)
    assert found == {"names": [], "bodies": []}


def test_it_posts_one_and_many_messages_and_reads_them_back(zaqar: Script) -> None:
    found = zaqar("""
        queue = client.queue("posted")
        one = queue.post({"body": {"n": 0}, "ttl": 60})["resources"]
        many = queue.post([{"body": {"n": n}, "ttl": 120} for n in range(1, 4)])["resources"]
        ids = [path.split("/")[-1] for path in one + many]
        message = queue.message(ids[2])
        answer(count=[len(one), len(many)], mine=bodies(queue.messages()), echoed=bodies(queue.messages(echo=True)),
               theirs=bodies(connect().queue("posted").messages()), by_ids=bodies(queue.messages(*ids[1:3])),
               one={"body": message.body, "ttl": message.ttl, "id": message.id == ids[2]})
    """)
    assert found["count"] == [1, 3]
    assert found["mine"] == []
    assert found["echoed"] == found["theirs"] == [{"n": n} for n in range(4)]
    assert found["by_ids"] == [{"n": 1}, {"n": 2}]
    assert found["one"] == {"body": {"n": 2}, "ttl": 120, "id": True}


def test_it_pages_through_55_messages_and_sees_each_once(zaqar: Script) -> None:
    found = zaqar("""
        queue = client.queue("long")
        for first in range(0, 55, 11):
            queue.post([{"body": n, "ttl": 300} for n in range(first, first + 11)])
        answer(small=bodies(queue.messages(echo=True, limit=1).stream()),
               large=bodies(queue.messages(echo=True, limit=20).stream()),
               default=bodies(queue.messages(echo=True)))
    """)
    assert found["small"] == list(range(55))
    assert found["large"] == list(range(55))
    assert found["default"] == list(range(10))


def test_it_deletes_one_several_and_unknown_messages(zaqar: Script) -> None:
    found = zaqar("""
        queue = client.queue("deleted")
        queue.post([{"body": n, "ttl": 60} for n in range(6)])
        messages = list(queue.messages(echo=True))
        messages[0].delete()
        queue.delete_messages(messages[2].id, messages[3].id, "does-not-exist")
        try:
            queue.message(messages[0].id)
            lost = None
        except errors.ResourceNotFound as error:
            lost = str(error)
        answer(left=bodies(queue.messages(echo=True)), lost=lost)
    """)
    assert found["left"] == [1, 4, 5]
    assert "does not exist" in found["lost"]


def test_it_pops_messages_in_order_until_none_is_left(zaqar: Script) -> None:
    found = zaqar("""
        queue = client.queue("popped")
        queue.post([{"body": n, "ttl": 60} for n in range(5)])
        answer(pops=[bodies(queue.pop()), bodies(queue.pop(3)), bodies(queue.pop(20)), bodies(queue.pop(20))],
               counts=[message.claim_count for message in queue.pop()])
    """)
    assert found["pops"] == [[0], [1, 2, 3], [4], []]


def test_it_claims_renews_and_settles_messages(zaqar: Script) -> None:
    found = zaqar("""
        queue = client.queue("claimed")
        queue.post([{"body": n, "ttl": 60} for n in range(5)])
        claim = queue.claim(ttl=300, grace=60, limit=3)
        held = list(claim)
        free = bodies(queue.messages(echo=True))
        all_ = bodies(queue.messages(echo=True, include_claimed=True))
        second = bodies(queue.claim(ttl=300, grace=60))
        claim.update(ttl=600, grace=90)
        seen = queue.claim(id=claim.id)
        ages = [seen.age, seen.ttl]
        held[0].delete()
        rest = bodies(queue.claim(id=claim.id))
        claim.delete()
        again = bodies(queue.messages(echo=True))
        answer(held=bodies(held), named=[m.claim_id == claim.id for m in held], free=free, all=all_, second=second,
               ages=ages, ttl=held[0].ttl, rest=rest, again=again)
    """)
    assert found["held"] == [0, 1, 2]
    assert found["named"] == [True] * 3
    assert found["ttl"] == 360
    assert found["free"] == found["second"] == [3, 4]
    assert found["all"] == list(range(5))
    assert found["ages"][1] == 600
    assert found["rest"] == found["again"] == [1, 2]


def test_it_finds_nothing_to_claim_in_an_empty_queue(zaqar: Script) -> None:
    found = zaqar("""
        claim = client.queue("nothing").claim(ttl=60, grace=60)
        answer(messages=bodies(claim), id=claim.id)
    """)
    assert found == {"messages": [], "id": None}


def test_it_is_refused_what_another_claim_holds(zaqar: Script) -> None:
    found = zaqar("""
        from zaqarclient.queues.v2 import core
        queue = client.queue("fenced")
        queue.post({"body": 1, "ttl": 60})
        claim = queue.claim(ttl=60, grace=60)
        (message,) = list(claim)
        refusals = []
        for id_ in (None, "000000000000"):
            try:
                core.message_delete(*api(), "fenced", message.id, claim_id=id_)
            except errors.ForbiddenError as error:
                refusals.append("forbidden")
            except errors.MalformedRequest as error:
                refusals.append("malformed")
        claim.delete()
        try:
            queue.claim(id=claim.id).age
        except errors.ResourceNotFound:
            refusals.append("not found")
        answer(refusals=refusals)
    """)
    assert found["refusals"] == ["forbidden", "malformed", "not found"]


def test_it_reads_dead_letters(zaqar: Script) -> None:
    found = zaqar("""
        from zaqarclient.queues.v2 import core
        # Not by Queue.metadata: to what has a default of null, that sends an addition and a removal.
        core.queue_create(*api(), "risky", metadata={"_max_claim_count": 1, "_dead_letter_queue": "dead"})
        queue = client.queue("risky")
        queue.post({"body": "poison", "ttl": 300})
        queue.claim(ttl=60, grace=60).delete()
        left = bodies(queue.claim(ttl=60, grace=60))
        answer(left=left, dead=bodies(client.queue("dead").messages(echo=True)),
               popped=bodies(client.queue("dead").pop()))
    """)
    assert found == {"left": [], "dead": ["poison"], "popped": ["poison"]}


def test_it_counts_and_purges(zaqar: Script) -> None:
    found = zaqar("""
        queue = client.queue("counted")
        before = queue.stats
        queue.post([{"body": n, "ttl": 60} for n in range(30)])
        queue.claim(ttl=60, grace=60, limit=4)
        counted = queue.stats
        queue.purge(resource_types=["messages"])
        answer(before=before, counted=counted, after=queue.stats)
    """)
    assert found["before"]["messages"]["total"] == 0
    counted = found["counted"]["messages"]
    assert (counted["claimed"], counted["free"], counted["total"]) == (4, 26, 30)
    assert {"age", "created", "href"} <= set(counted["oldest"])
    assert found["after"]["messages"]["total"] == 0


def test_it_is_told_what_is_wrong_with_a_request(zaqar: Script) -> None:
    found = zaqar("""
        texts = []
        for wrong in (
            lambda: client.queue("q").post({"body": 1, "ttl": 59}),
            lambda: client.queue("q").post([]),
            lambda: client.queue("q").messages(limit=21),
            lambda: client.queue("q").claim(ttl=59, grace=60),
            lambda: client.queue("x" * 65).post({"body": 1, "ttl": 60}),
        ):
            try:
                wrong()
                texts.append(None)
            except errors.MalformedRequest as error:
                texts.append(str(error))
        answer(texts=texts)
    """)
    short, none, page, claim, name = found["texts"]
    assert "1209600" in short
    assert "60 seconds" in short
    assert "No messages" in none
    assert "20" in page
    assert "43200" in claim
    assert "Invalid queue identification" in name
