"""Why a subscription gets a message or not, and what a filter would have passed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sukkal import limits
from tests.api.calling import Service, refused
from tests.api.sockets import Socket
from tests.api.test_deliveries import Obedient, subscribe
from tests.api.test_events import OSLO, event

EXPLAIN = "/v2/queues/q/explain"


@pytest.fixture
def sink() -> Obedient:
    return Obedient()


@pytest.fixture
def service(start: Callable[..., Service], sink: Obedient) -> Service:
    return start(sink=sink)


def why(service: Service, query: str = "", **asked: Any) -> Any:
    response = service.post(EXPLAIN + query, json=asked)
    assert response.status_code == 200, response.text
    return response.json()


def test_an_explanation_says_of_each_subscription_whether_it_gets_the_message_and_why(
    service: Service, sink: Obedient
) -> None:
    all_ = subscribe(service, "test://all")
    some = subscribe(service, "test://some", options={"filters": [{"exact": {"type": "x"}}]})
    answer = why(service, body=OSLO)
    assert (answer["event"]["id"], answer["event"]["severitytext"]) == ("m1", "INFO")
    assert "sukkalremainder" not in answer["event"]
    verdicts = {each["id"]: each for each in answer["subscriptions"]}
    assert (verdicts[all_]["delivers"], verdicts[all_]["reason"]) == (True, "it has no filters")
    assert verdicts[some]["delivers"] is False
    assert verdicts[some]["reason"] == "its filters: 1 of 1 did not pass"
    [part] = verdicts[some]["explanation"]["parts"]
    assert part["reason"] == "'compute.instance.create.end' is not 'x'"
    assert verdicts[some]["subscriber"] == "test://some"
    service.deliver()
    assert sink.given == []
    assert service.bodies() == []


def test_a_stored_message_is_explained_by_its_id(service: Service) -> None:
    subscribe(service, options={"filters": [{"exact": {"id": "1"}}]})
    [id_] = service.post_bodies(event("1"))
    answer = why(service, message_id=id_)
    assert answer["event"] == event("1")
    assert answer["subscriptions"][0]["delivers"] is True
    refused(service.post(EXPLAIN, json={"message_id": "none"}), 404, "none")


def test_an_unconfirmed_subscription_gets_nothing_and_is_told_to_be(
    start: Callable[..., Service], sink: Obedient
) -> None:
    service = start(sink=sink, require_confirmation=True, signed_url_keys="k" * 32)
    subscribe(service)
    [verdict] = why(service, body=1)["subscriptions"]
    assert (verdict["delivers"], verdict["reason"]) == (False, "it is not confirmed")


def test_options_that_were_stored_before_they_meant_anything_mean_nothing(
    service: Service, sink: Obedient, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as before:
        before.setattr("sukkal.service.subscriptions.check_lens", lambda _: None)
        subscribe(service, options={"filters": "none", "format": "mine"})
    assert why(service, body=1)["subscriptions"][0]["reason"] == "it has no filters"
    service.post_bodies(1)
    service.deliver()
    assert sink.bodies() == ["1"]


def test_a_page_of_explanations_leads_on(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = {subscribe(service, f"test://{n}", options={"filters": [{"sql": "id = '1'"}]}) for n in range(3)}
    first = why(service, "?limit=2", body=1)
    assert len(first["subscriptions"]) == 2
    second = service.post(first["links"][0]["href"], json={"body": 1}).json()
    assert {each["id"] for each in first["subscriptions"] + second["subscriptions"]} == ids
    assert why(service, f"?marker={max(ids)}", body=1)["links"] == []
    monkeypatch.setattr(limits, "EXPLAINED_PARTS_MAX", 1)
    assert len(why(service, body=1)["subscriptions"]) == 1


@pytest.mark.parametrize("asked", [{}, {"body": 1, "message_id": "x"}, {"message_id": 5}])
def test_a_question_about_no_message_or_two_is_refused(service: Service, asked: dict[str, Any]) -> None:
    refused(service.post(EXPLAIN, json=asked), 400, "body", "message_id")


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_a_dry_run_tries_filters_on_the_last_messages(service: Service, count: int) -> None:
    for number in range(12):
        # Others come between, so that places are far apart.
        service.post_bodies(*range(number + 1), queue="other")
        service.post_bodies(event(str(number)))
    answer = why(service, f"?dry_run={count}", filters=[{"suffix": {"id": "1"}}])
    assert [each["event"]["id"] for each in answer["messages"]] == [str(n) for n in range(max(12 - count, 0), 12)]
    assert answer["passed"] == sum(each["passes"] for each in answer["messages"])
    assert [each["passes"] for each in answer["messages"]][-1] is True
    assert answer["messages"][-1]["explanation"]["parts"][0]["reason"] == "'11' ends with '1'"


def test_a_dry_run_on_an_empty_queue_finds_nothing(service: Service) -> None:
    assert why(service, "?dry_run=5", filters=[]) == {"passed": 0, "messages": []}


def test_a_dry_run_takes_filters_and_a_number(service: Service) -> None:
    refused(service.post(EXPLAIN + "?dry_run=21", json={"filters": []}), 400, "dry_run", "20")
    refused(service.post(EXPLAIN + "?dry_run=1", json={"filters": [{"sql": "("}]}), 400, "filters[0].sql", "character")
    refused(service.post(EXPLAIN + "?dry_run=1", json={}), 400, "filters", "array")


def test_long_explanations_of_a_dry_run_are_cut_to_their_result(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "EXPLAINED_PARTS_MAX", 3)
    service.post_bodies(1, 2)
    first, second = why(service, "?dry_run=2", filters=[{"exact": {"id": "1"}}])["messages"]
    assert first["explanation"]["parts"]
    assert second["explanation"] == {"part": "all", "result": False, "reason": "1 of 1 did not pass", "parts": []}


def test_explanations_are_given_over_websocket_too(service: Service) -> None:
    subscribe(service, options={"filters": [{"exact": {"id": "1"}}]})
    service.post_bodies(event("1"))
    with Socket(service) as socket:
        body = socket.ask("subscription_explain", {"queue_name": "q", "body": event("1")}).body
        assert body["subscriptions"][0]["delivers"] is True
        tried = socket.ask("subscription_explain", {"queue_name": "q", "dry_run": 5, "filters": []})
        assert tried.body["passed"] == 1
        socket.ask("subscription_explain", {"queue_name": "q"}).refused(400, "message_id")


def test_who_may_not_list_subscriptions_is_told_nothing_of_them(start: Callable[..., Service], tmp_path: Path) -> None:
    policy = tmp_path / "policy.yaml"
    policy.write_text('"subscription:get_all": "!"\n')
    service = start(policy_file=str(policy))
    service.post("/v2/queues/q/subscriptions", json={"subscriber": "http://user:word@h/"})
    questions: list[dict[str, Any]] = [{"body": 1}, {"filters": []}]
    for document in questions:
        assert service.post("/v2/queues/q/explain", json=document).status_code == 403
