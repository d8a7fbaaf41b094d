"""The steps between a source and a publisher, with documents as services send them."""

import contextlib
import json
from typing import Any, Final

import pytest

from sukkal.format import Event
from sukkal.formats import Registry, cloudevents
from sukkal.forwarder import paths
from sukkal.forwarder.masks import ADMIN_FIELDS, HIDDEN, TENANTS_OWN, Masks, Rule, without_host
from sukkal.forwarder.normalising import Unreadable
from sukkal.forwarder.pipeline import Audience, Passed, Pipeline, Selection
from sukkal.forwarder.tenants import Tenants
from sukkal.source import Arrival

NOW_MS: Final = 1_700_000_000_000
UPDATE: Final[dict[str, Any]] = {
    "message_id": "m-1",
    "publisher_id": "compute.host-7",
    "event_type": "compute.instance.update",
    "priority": "INFO",
    "timestamp": "2026-01-31 12:00:00.000000",
    "_context_project_id": "admin",
    "_context_auth_token": "a-token",
    "payload": {
        "tenant_id": "p-1",
        "instance_id": "i-1",
        "host": "host-7",
        "weight": 1,
        "nics": [{"host": "x", "n": 1}],
    },
}


def arrival(document: Any) -> Arrival:
    return Arrival(body=json.dumps(document).encode(), place="notifications.info", id="", token=None)


def enveloped(document: Any) -> Any:
    return {"oslo.version": "2.0", "oslo.message": json.dumps(document)}


def pipeline(
    *, selection: Selection | None = None, tenants: Tenants | None = None, audience: Audience = Audience.TENANT
) -> Pipeline:
    return Pipeline(
        Registry(),
        selection or Selection(),
        tenants or Tenants(),
        Masks([Rule(drop=ADMIN_FIELDS, spare=TENANTS_OWN)]),
        audience,
    )


def passed(document: Any, **options: Any) -> Passed:
    found = pipeline(**options).passed(arrival(document), now_ms=NOW_MS)
    assert found is not None
    return found


def without(document: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in document.items() if name not in names}


@pytest.mark.parametrize("document", [UPDATE, enveloped(UPDATE)], ids=["plain", "enveloped"])
def test_a_notification_becomes_an_event_of_its_tenant_without_what_tenants_must_not_see(document: Any) -> None:
    event = passed(document).notification.event
    assert event.data == {"tenant_id": "p-1", "instance_id": "i-1", "weight": 1, "nics": [{"n": 1}]}
    assert (event.id, event.source, event.type, event.subject) == ("m-1", "/compute", "compute.instance.update", "i-1")
    assert (event.extensions["osprojectid"], event.extensions["ospublisherid"]) == ("p-1", "compute")
    text = cloudevents.encode(event).decode()
    assert "host" not in text
    assert "a-token" not in text
    assert "admin" not in text


@pytest.mark.parametrize("document", [UPDATE, enveloped(UPDATE)], ids=["plain", "enveloped"])
def test_an_operator_gets_all_but_the_context(document: Any) -> None:
    event = passed(document, audience=Audience.OPERATOR).notification.event
    assert event.data == UPDATE["payload"]
    assert event.source == "/compute.host-7"
    assert "a-token" not in cloudevents.encode(event).decode()


def test_what_a_tenant_gets_can_be_had_as_a_notification_again() -> None:
    native = Registry().to_native(passed(UPDATE).notification.event)
    assert native == {
        **without(UPDATE, "_context_project_id", "_context_auth_token"),
        "publisher_id": "compute",
        "payload": {"tenant_id": "p-1", "instance_id": "i-1", "weight": 1, "nics": [{"n": 1}]},
        "timestamp": "2026-01-31 12:00:00",
    }


@pytest.mark.parametrize(
    ("members", "project"),
    [
        ({"payload": {"tenant_id": "p-1"}, "_context_project_id": "admin"}, "p-1"),
        ({"payload": {"project_id": "p-1"}}, "p-1"),
        ({"payload": {"owner": "p-1", "id": "image"}}, "p-1"),
        ({"payload": {"port": {"tenant_id": "p-1"}}, "_context_project_id": "admin"}, "p-1"),
        ({"payload": {"nova_object.data": {"tenant_id": "p-1"}}, "_context_project_id": "admin"}, "p-1"),
        ({"payload": {"ironic_object.data": {"owner": "p-1"}}}, "p-1"),
        ({"payload": {"ironic_object.data": {"owner": None}}, "_context_project_id": "p-2"}, "p-2"),
        ({"payload": {"tenant_id": ""}, "_context_tenant": "p-2"}, "p-2"),
        ({"payload": {"tenant_id": ["p"]}, "_context_tenant": "p-2"}, "p-2"),
        ({"payload": {"tenant_id": "p\r\nX-Roles: admin"}, "_context_tenant": "p-2"}, "p-2"),
        ({"payload": {"tenant_id": "p" * 257}, "ctxt": {"tenant": "p-2"}}, "p-2"),
        ({"payload": "a text", "_context_project_id": "p-2"}, "p-2"),
    ],
)
def test_the_owner_of_the_thing_comes_before_who_asked_for_it(members: dict[str, Any], project: str) -> None:
    document = {"event_type": "t", "publisher_id": "s.h", **members}
    assert passed(document).notification.project == project


def test_what_belongs_to_nobody_is_for_operators_and_the_default_project_only() -> None:
    document = {"event_type": "t", "publisher_id": "s.h", "payload": {}}
    assert pipeline().passed(arrival(document), now_ms=NOW_MS) is None
    assert passed(document, audience=Audience.OPERATOR).notification.project is None
    assert passed(document, tenants=Tenants(default="cloud")).notification.project == "cloud"


def test_types_of_events_can_have_paths_of_their_own() -> None:
    tenants = Tenants(by_type={"compute.*": ["/payload/who/id"]})
    document = {**UPDATE, "payload": {"tenant_id": "p-1", "who": [{"name": "x"}, {"id": "p-9"}]}}
    assert passed(document, tenants=tenants).notification.project == "p-9"
    assert passed({**document, "event_type": "volume.create"}, tenants=tenants).notification.project == "p-1"


@pytest.mark.parametrize(
    ("selection", "taken"),
    [
        (Selection(("compute.*",)), True),
        (Selection(("volume.*", "*.update")), True),
        (Selection(("compute",)), False),
        (Selection(("*",), ("*.instance.*",)), False),
    ],
)
def test_a_publisher_gets_the_types_that_it_wants(selection: Selection, taken: bool) -> None:
    found = pipeline(selection=selection).passed(arrival(UPDATE), now_ms=NOW_MS)
    assert (found is not None) is taken


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"\xff{}",
        b'{"a": 1}',
        b'{"oslo.version": "2.0", "oslo.message": "{"}',
        b'{"oslo.version": "2.0", "oslo.message": "[]"}',
        b'{"oslo.version": "2.0", "oslo.message": 7}',
        b'{"event_type": "t", "publisher_id": "p", "payload": ' + b"[" * 501 + b"]" * 501 + b"}",
        b"[" * 100_000,
    ],
    ids=range(11),
)
def test_what_cannot_be_read_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable, match=r"[a-z]"):
        pipeline().passed(Arrival(body=body, place="q", id="", token=None), now_ms=NOW_MS)


def test_what_is_deep_is_read_or_unreadable_and_nothing_else() -> None:
    data: Any = "leaf"
    for depth in range(1, 500):
        data = {"host": 1, "a": data} if depth % 2 else [data]
        with contextlib.suppress(Unreadable):
            assert passed({**UPDATE, "payload": data}).notification.project == "admin"


def test_a_notification_without_an_id_has_the_same_one_whenever_it_comes() -> None:
    document = without(UPDATE, "message_id")
    first, again = passed(document), passed(document)
    assert first.identity == again.identity
    assert passed({**document, "priority": "ERROR"}).identity != first.identity


def test_events_of_cloudevents_pass_as_they_are() -> None:
    attributes = {"specversion": "1.0", "id": "1", "source": "/x", "type": "t", "osprojectid": "p-1"}
    document = attributes | {"data": {"host": "h", "a": 1}}
    found = passed(document)
    assert found.notification.project == "p-1"
    assert found.notification.event == Event(
        id="1", source="/x", type="t", extensions={"osprojectid": "p-1"}, data={"a": 1}
    )


def masked(data: Any, *rules: Rule) -> Any:
    return Masks(rules).of(Event(id="1", source="/s", type="compute.x", data=data)).data


def test_members_are_dropped_hidden_and_put_into_other_words() -> None:
    data = {"a": {"ip": "10.0.0.1 and 10.0.0.2", "key": "k"}, "list": [{"key": ["deep"]}, 7], "keep": 1}
    rule = Rule(mask=["/**/key"], drop=["/keep"], replace={"/a/ip": (r"10\.0\.0\.(\d)", r"<\1>")})
    assert masked(data, rule) == {"a": {"ip": "<1> and <2>", "key": HIDDEN}, "list": [{"key": HIDDEN}, 7]}
    assert data["keep"] == 1


def test_a_rule_is_for_its_types_of_events_only() -> None:
    assert masked({"a": 1}, Rule(types=["volume.*"], drop=["/a"])) == {"a": 1}
    assert masked({"a": 1}, Rule(types=["volume.*", "compute.*"], drop=["/a"])) == {}


@pytest.mark.parametrize("data", [None, "text", b"bytes", 7, [], ["x"], {"other": 1}])
def test_data_without_anything_to_hide_stays_the_same_object(data: Any) -> None:
    event = Event(id="1", source="/s", type="t", data=data)
    assert Masks([Rule(drop=["/**/key", "/a/*/b", "/**/x/y"])]).of(event) is event


@pytest.mark.parametrize(
    "rule", [Rule(replace={"/a": ("(", "")}), Rule(replace={"/a": ("a", r"\9")}), Rule(drop=["a"])]
)
def test_a_rule_that_cannot_be_kept_is_refused(rule: Rule) -> None:
    with pytest.raises(ValueError, match=r"regular expression|is not a path"):
        Masks([rule])


@pytest.mark.parametrize(
    ("publisher", "source", "hidden"),
    [
        ("compute.host-1", "/compute.host-1", "/compute"),
        ("nova-compute:host-1.example", "/nova-compute%3Ahost-1.example", "/nova-compute"),
        ("alone", "/alone", "/alone"),
        (".x", "/.x", "/openstack"),
        ("compute.host-1", "/elsewhere", "/elsewhere"),
    ],
)
def test_the_host_of_a_service_is_hidden(publisher: str, source: str, hidden: str) -> None:
    event = Event(id="1", source=source, type="t", extensions={"ospublisherid": publisher})
    assert without_host(event).source == hidden
    assert "host-1" not in str(without_host(event))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/a", [{"b": 1, "c": [{"b": 2}]}]),
        ("/a/b", [1]),
        ("/**/b", [1, 2]),
        ("/a/**/b", [1, 2]),
        ("/a/c/b", [2]),
        ("/*/b", [1]),
        ("/z", []),
        ("/a/b/c", []),
    ],
)
def test_paths_lead_to_members_at_any_depth_and_through_lists(path: str, found: list[Any]) -> None:
    document = {"a": {"b": 1, "c": [{"b": 2}]}}
    assert list(paths.values(document, paths.parse(path))) == found


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("/a", {}),
        ("/a/b", {"a": {"c": [{"b": 2}]}}),
        ("/**/b", {"a": {"c": [{}]}}),
        ("/a/**/b", {"a": {"c": [{}]}}),
        ("/a/c/b", {"a": {"b": 1, "c": [{}]}}),
        ("/*/[bc]*", {"a": {}}),
        ("/z", {"a": {"b": 1, "c": [{"b": 2}]}}),
    ],
)
def test_what_paths_lead_to_can_be_removed(path: str, left: Any) -> None:
    document = {"a": {"b": 1, "c": [{"b": 2}]}}
    assert paths.change(document, paths.parse(path), lambda value: paths.REMOVED) == left
    assert document == {"a": {"b": 1, "c": [{"b": 2}]}}


@pytest.mark.parametrize("text", ["", "/", "a", "/a//b", "/a/", "/**"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a path"):
        paths.parse(text)
