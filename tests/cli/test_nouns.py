"""The nouns of the command line against a running service."""

import re

import httpx
import pytest
from tests.cli.conftest import Commands
from tests.cli.running import Terminal, environment, eventually
from tests.serving import ServerProcess

ID = r"[0-9a-f]{8}-[0-9a-f-]{27}"


def test_queues_are_made_listed_changed_and_deleted(run: Commands) -> None:
    assert run("queue", "create", "b", "--set", "_history=3600", "--set", "owner=ada") == ""
    run("queue", "create", "a")
    assert run("queue", "list") == "NAME\na\nb\n"
    assert run.json("queue", "list", "--name", "b") == [{"name": "b"}]
    shown = run.json("queue", "show", "b")
    assert (shown["_history"], shown["owner"]) == (3600, "ada")
    changed = run.json("queue", "set", "b", "_history=60", "--unset", "owner")
    assert changed["_history"] == 60
    assert "owner" not in changed
    run("queue", "delete", "a", "b")
    assert run.json("queue", "list") == []


def test_a_listing_with_metadata_has_them_in_one_column(run: Commands) -> None:
    run("queue", "create", "q", "--set", 'x={"y": "two words"}')
    head, line = run("queue", "list", "--detailed").splitlines()
    assert head.split() == ["NAME", "METADATA"]
    assert '"x": {"y": "two words"}' in line


def test_a_queue_is_counted_and_purged(run: Commands) -> None:
    run("message", "post", "q", "1")
    run("message", "post", "q", "2", "--delay", "60")
    assert run.json("queue", "stats", "q") == {"free": 2, "claimed": 0, "delayed": 1, "total": 2}
    assert run("queue", "stats", "q").splitlines()[1].split() == ["free", "2"]
    run("queue", "purge", "q", "messages")
    assert run.json("queue", "stats", "q")["total"] == 0


@pytest.mark.parametrize(
    ("given", "posted"), [(['{"n": 1}'], {"n": 1}), (["hello"], "hello"), (["17", "--text"], "17"), (["17"], 17)]
)
def test_a_body_is_json_or_else_text(given: list[str], posted: object, run: Commands) -> None:
    id_ = run("message", "post", "q", *given).strip()
    assert re.fullmatch(ID, id_)
    [message] = run.json("message", "list", "q")
    assert message == {"id": id_, "age": message["age"], "ttl": 3600, "claim_count": 0, "body": posted}
    assert run.json("message", "get", "q", id_)["body"] == posted


def test_the_same_key_posts_once(run: Commands) -> None:
    first = run("message", "post", "q", "x", "--key", "k", "--ttl", "60")
    assert run("message", "post", "q", "x", "--key", "k", "--ttl", "60") == first
    assert [message["ttl"] for message in run.json("message", "list", "q")] == [60]


def test_messages_are_limited_popped_and_deleted(run: Commands) -> None:
    for number in range(25):
        run("message", "post", "q", str(number))
    assert [each["body"] for each in run.json("message", "list", "q", "--limit", "22")] == list(range(22))
    assert [each["body"] for each in run.json("message", "pop", "q", "--limit", "2")] == [0, 1]
    ids = [each["id"] for each in run.json("message", "list", "q", "--limit", "21")]
    run("message", "delete", "q", *ids)
    assert [each["body"] for each in run.json("message", "list", "q")] == [23, 24]


def test_a_table_shows_nothing_that_a_terminal_would_obey(run: Commands) -> None:
    run("message", "post", "q", "one\x1b[31m\ntwo\x9b2J", "--text")
    line = run("message", "list", "q").splitlines()[1]
    assert line.endswith("one\\x1b[31m\\ntwo\\x9b2J")


def test_a_script_claims_renews_and_acknowledges(run: Commands) -> None:
    run("message", "post", "q", "work")
    [held] = run.json("claim", "create", "q", "--ttl", "60")
    assert (held["body"], held["claim_count"]) == ("work", 1)
    assert run.json("claim", "create", "q") == []
    run("claim", "renew", "q", held["claim_id"], "--ttl", "600")
    assert [(each["id"], each["ttl"]) for each in run.json("claim", "list", "q")] == [(held["claim_id"], 600)]
    run("message", "delete", "q", held["id"], "--claim", held["claim_id"])
    assert run.json("queue", "stats", "q")["total"] == 0


def test_a_claim_that_is_ended_frees_what_it_held(run: Commands) -> None:
    run("message", "post", "q", "work")
    [held] = run.json("claim", "create", "q")
    run("claim", "end", "q", held["claim_id"])
    assert run.json("queue", "stats", "q")["claimed"] == 0


def test_a_claim_waits_for_longer_than_an_answer_may_take(run: Commands) -> None:
    assert run.json("claim", "create", "q", "--wait", "2", "--timeout", "1") == []


def test_subscriptions_are_made_changed_and_ended(run: Commands) -> None:
    id_ = run("subscription", "create", "q", "queue:other", "--ttl", "600", "--option", "note=x").strip()
    shown = run.json("subscription", "show", "q", id_)
    assert (shown["subscriber"], shown["ttl"], shown["options"]) == ("queue:other", 600, {"note": "x"})
    run("subscription", "update", "q", id_, "--ttl", "900")
    assert [(each["id"], each["ttl"]) for each in run.json("subscription", "list", "q")] == [(id_, 900)]
    assert run.json("subscription", "deliveries", "q", id_) == []
    run("subscription", "delete", "q", id_)
    assert run.json("subscription", "list", "q") == []


def test_events_are_posted_found_and_told_by_type(run: Commands) -> None:
    run("queue", "create", "q", "--set", "_search=true")
    post = ["event", "post", "q", "--type", "order.paid", "--source", "//shop", "--id", "1", "--data", '{"sum": 5}']
    id_ = run(*post).strip()
    assert run(*post).strip() == id_
    [event] = eventually(lambda: run.json("event", "search", "--type", "order.*"))  # The index follows the post.
    assert (event["type"], event["queue"], event["message_id"]) == ("order.paid", "q", id_)
    assert [each["type"] for each in run.json("event", "types")] == ["order.paid"]
    run("event", "save", "paid", "alerts", "--type", "order.paid")
    assert run.json("event", "saved") == [{"name": "paid", "queue": "alerts", "type": "order.paid"}]
    run("event", "forget", "paid")
    assert run.json("event", "saved") == []


def test_a_signed_url_opens_the_queue_until_it_is_revoked(run: Commands) -> None:
    run("message", "post", "q", "hello")
    made = run.json("url", "create", "q")
    path = f"{run.url}/v2/queues/q/messages?{made['query']}"
    headers = {"Client-ID": "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52"}
    assert httpx.get(path, headers=headers, trust_env=False).json()["messages"][0]["body"] == "hello"
    assert [each["id"] for each in run.json("url", "list", "q")] == [made["id"]]
    run("url", "revoke", "q", made["id"])
    assert httpx.get(path, headers=headers, trust_env=False).status_code == 404


def test_yaml_says_the_same_as_json(run: Commands) -> None:
    import yaml

    run("message", "post", "q", '{"a": ["ä", 1, null]}')
    id_ = run.json("message", "list", "q")[0]["id"]
    printed = run("message", "get", "q", id_, "--output", "yaml")
    assert yaml.safe_load(printed) | {"age": 0} == run.json("message", "get", "q", id_) | {"age": 0}
    assert "ä" in printed


def test_what_is_no_data_goes_to_standard_error_unless_it_is_to_be_quiet(run: Commands) -> None:
    told = run.ran("queue", "create", "q")
    assert (told.out, told.err) == ("", "Queue q was made.\n")
    assert run.ran("queue", "create", "q", "--quiet") == (0, "", "")


def test_a_line_that_is_too_long_for_the_terminal_is_cut_off_and_nowhere_else(
    run: Commands, server: ServerProcess, project: str
) -> None:
    run("message", "post", "q", "a" * 300, "--text")
    with Terminal(["message", "list", "q"], environment(server.url, project), columns=70) as terminal:
        lines = terminal.rest().splitlines()
        assert terminal.wait() == 0
    assert [len(line) for line in lines] == [len(lines[0]), 70]
    assert lines[1].endswith("aaa…")
    assert "a" * 300 in run("message", "list", "q")


def test_a_body_that_only_looks_like_json_goes_as_text_and_that_is_told(run: Commands) -> None:
    assert "is none: it goes as text" in run.ran("message", "post", "q", '{"a": 1').err
    assert run.ran("message", "post", "q", '{"a": 1', "--text").err == ""
    assert run.ran("message", "post", "q", '{"a": 1}').err == ""
    assert run.ran("message", "post", "q", '"{"').err == ""
    assert [each["body"] for each in run.json("message", "list", "q")] == ['{"a": 1', '{"a": 1', {"a": 1}, "{"]
