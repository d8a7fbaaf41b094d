"""Queues of a real Zaqar come to a service with their metadata and subscriptions."""

from pathlib import Path

from tests.clients.bringing import Api, Import, counts
from tests.clients.zaqar import Zaqar
from tests.serving import ServerProcess


def test_metadata_come_along_and_defaults_do_not(source: Api, here: Api, bring: Import) -> None:
    given = {
        "colour": "red",
        "a/b~c": {"d": [1]},
        "_default_message_ttl": 600,
        "_max_claim_count": 3,
        "_dead_letter_queue": "dead",
        "_retry_policy": {"retries_with_no_delay": 1},
    }
    source("PUT", "/queues/described", given)
    source("PUT", "/queues/plain")
    report = bring.run()
    assert report["described"]["problems"] == report["described"]["remarks"] == []
    found = here("GET", "/queues/described")
    assert found == {**here("GET", "/queues/plain"), **given}


def test_what_of_the_metadata_is_not_taken_is_told_and_the_rest_comes(source: Api, here: Api, bring: Import) -> None:
    source("PUT", "/queues/odd", {"_dead_letter_queue": "no/name", "colour": "red", "_default_message_ttl": 600})
    source.post("odd", 1)
    report = bring.run(code=1)["odd"]
    assert [problem["what"] for problem in report["problems"]] == ["metadata _dead_letter_queue"]
    found = here("GET", "/queues/odd")
    assert (found["colour"], found["_default_message_ttl"], here.bodies("odd")) == ("red", 600, [1])


def test_metadata_that_were_changed_here_stay(source: Api, here: Api, bring: Import) -> None:
    source("PUT", "/queues/changed", {"_default_message_ttl": 600, "colour": "red"})
    here("PUT", "/queues/changed", {"_default_message_ttl": 700})
    assert "_default_message_ttl" in bring.run()["changed"]["remarks"][0]
    found = here("GET", "/queues/changed")
    assert (found["_default_message_ttl"], found["colour"]) == (700, "red")


def test_messages_of_an_encrypted_queue_do_not_come_where_they_would_not_be(
    source: Api, here: Api, bring: Import
) -> None:
    source("PUT", "/queues/secret", {"_enable_encrypt_messages": True})
    source.post("secret", "sesame")
    report = bring.run(code=1)["secret"]
    assert [problem["what"] for problem in report["problems"]] == ["metadata _enable_encrypt_messages", "messages"]
    assert here.bodies("secret") == []


def test_messages_of_an_encrypted_queue_are_readable_where_there_is_a_key(
    zaqar: Zaqar, source: Api, project: str, tmp_path: Path
) -> None:
    source("PUT", "/queues/secret", {"_enable_encrypt_messages": True})
    source.post("secret", "sesame")
    with ServerProcess("memory://", env={"SUKKAL_ENCRYPTION_KEYS": "one:" + "YWJj" * 10 + "YWI="}) as server:
        Import(zaqar.url, server.url, project, tmp_path).run()
        with Api(server.url, project) as here:
            assert here.bodies("secret") == ["sesame"]


def test_subscriptions_come_with_their_options_and_are_told_nothing_twice(
    source: Api, here: Api, bring: Import
) -> None:
    source.post("watched", "old news")
    wanted = {"subscriber": "http://127.0.0.1:9/hook", "ttl": 600, "options": {"post_data": '{"x": "$zaqar_message$"}'}}
    source("POST", "/queues/watched/subscriptions", wanted)
    for number in range(25):
        source("POST", "/queues/watched/subscriptions", {"subscriber": f"mailto:{number}@example.org"})
    assert counts(bring.run()["watched"], "messages", "subscriptions") == [1, 26]
    assert counts(bring.run()["watched"], "subscriptions", "present") == [0, 27]
    found = {each["subscriber"]: each for each in here.subscriptions("watched")}
    assert len(found) == 26
    assert found[wanted["subscriber"]]["options"] == wanted["options"]
    assert 500 < found[wanted["subscriber"]]["ttl"] <= 600
    assert (
        here("GET", f"/queues/watched/subscriptions/{found[wanted['subscriber']]['id']}/deliveries")["deliveries"] == []
    )


def test_a_confirmed_subscription_need_not_be_confirmed_again(source: Api, here: Api, bring: Import) -> None:
    wanted = {"subscriber": "http://127.0.0.1:9/hook", "ttl": 600}
    id_ = source("POST", "/queues/confirmed/subscriptions", wanted)["subscription_id"]
    source("PUT", f"/queues/confirmed/subscriptions/{id_}/confirm", {"confirmed": True})
    bring.run()
    [found] = here.subscriptions("confirmed")
    assert found["confirmed"] is True


def test_a_subscription_that_is_not_taken_is_told_of(source: Api, bring: Import) -> None:
    wanted = {"subscriber": "http://127.0.0.1:9/hook", "options": {"method": 7}}
    source("POST", "/queues/refused/subscriptions", wanted)
    [problem] = bring.run(code=1)["refused"]["problems"]
    assert problem["what"] == "subscription of http://127.0.0.1:9/hook"


def test_only_what_is_wanted_comes(source: Api, here: Api, bring: Import) -> None:
    for queue in ("orders-1", "orders-2", "mails"):
        source.post(queue, 1)
        source("POST", f"/queues/{queue}/subscriptions", {"subscriber": "mailto:a@example.org"})
    report = bring.run("--queues", "orders-*", "--skip", "subscriptions")
    assert sorted(report) == ["orders-1", "orders-2"]
    assert here.subscriptions("orders-1") == []
    assert sorted(bring.run("--queues", "mails", "--skip", "messages")) == ["mails"]
    assert (here.bodies("mails"), len(here.subscriptions("mails"))) == ([], 1)


def test_more_than_a_page_of_queues_comes(source: Api, here: Api, bring: Import) -> None:
    names = sorted(f"q.{number}" for number in range(45))
    for name in names:
        source.post(name, name)
    assert sorted(bring.run()) == names
    assert here.bodies("q.44") == ["q.44"]


def test_a_name_that_is_not_allowed_is_told_of_and_the_others_come(source: Api, here: Api, bring: Import) -> None:
    source.post("fine", 1)
    source("PUT", "/queues/odd%0A")
    report = bring.run(code=1)
    assert [problem["what"] for problem in report["odd\n"]["problems"]] == ["queue"]
    assert here.bodies("fine") == [1]


def test_several_projects_come_each_to_its_own(zaqar: Zaqar, sukkal: ServerProcess, tmp_path: Path) -> None:
    for project in ("one", "two"):
        with Api(zaqar.url, project) as source:
            source.post("shared-name", project)
    Import(zaqar.url, sukkal.url, "one", tmp_path).run("--project", "two")
    for project in ("one", "two"):
        with Api(sukkal.url, project) as here:
            assert here.bodies("shared-name") == [project]


def test_people_read_what_came_what_did_not_and_why(source: Api, project: str, bring: Import) -> None:
    source.post("fine", 1, 2)
    source("PUT", "/queues/odd%0A")
    source.post("claimed", *range(3))
    source.http.post("/queues/claimed/claims?limit=2", json={"ttl": 300, "grace": 60}).raise_for_status()
    head, *rows = bring.table(code=1).splitlines()
    assert head.split() == [
        "PROJECT",
        "QUEUE",
        "MESSAGES",
        "SUBSCRIPTIONS",
        "PRESENT",
        "HELD",
        "EXPIRED",
        "NOT",
        "BROUGHT",
    ]
    assert [row.split() for row in rows[:3]] == [
        [project, "claimed", "1", "0", "0", "2", "0", "0"],
        [project, "fine", "2", "0", "0", "0", "0", "0"],
        [project, r"'odd\n'", "0", "0", "0", "0", "0", "1"],
    ]
    assert rows[3].startswith(f"{project}/claimed: 2 messages are claimed or delayed")
    assert rows[4].startswith(rf"{project}/'odd\n': queue was not brought: ")
