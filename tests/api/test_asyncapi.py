"""The AsyncAPI document says what the handlers of frames read, and nothing else.

That their answers are as it says is looked at with every frame that a test of the API receives, see ``sockets.py``.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from types import FunctionType
from typing import Any, Final

import jsonschema
import pytest

from sukkal.settings import Settings
from sukkal.transports.websocket.answering import ACTIONS
from sukkal.transports.websocket.asyncapi import asyncapi_document
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.handlers import HANDLERS
from tests.api.calling import Service
from tests.api.described import document
from tests.api.sockets import Socket
from tests.clients import asyncapi

_READING: Final = frozenset(["required", "text", "flag", "words", "number", "document", "given", "mapping"])
_IMPLIED: Final[Mapping[str, str]] = {"key": "queue_name", "detailed": "detailed", "wait_s": "wait"}
# Bodies that are decoded as a whole, by functions that HTTP uses too.
_DECODED: Final[Mapping[str, frozenset[str]]] = {
    "decode_drafts": frozenset(["messages"]),
    "decode_call": frozenset(["body", "ttl"]),
}
# What a saved search keeps is looked at by its service, which refuses what it does not know.
_LEFT_TO_THE_SERVICE: Final = {"search_create"}
# Read by what two actions share, but refused before.
_REFUSED: Final[Mapping[str, set[str]]] = {"event_search": {"deleted"}}


def members_of(action: str) -> dict[str, Any]:
    schema: dict[str, Any] = document()["components"]["messages"][action]["payload"]["properties"]["body"]
    return schema


def members_read(function: Callable[..., Any], seen: set[Any] | None = None) -> set[str]:
    """Return the members of a frame's body that a handler reads, itself or by those that it hands the call to."""
    seen = set() if seen is None else seen
    if function in seen or not isinstance(function, FunctionType):
        return set()
    seen.add(function)
    names = {**function.__globals__}
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    for node in ast.walk(tree):
        if isinstance(node, ast.comprehension) and isinstance(node.target, ast.Name):
            names[node.target.id] = _value(node.iter, names)
    found: set[str] = set()
    for node in ast.walk(tree):
        found |= set(_read_at(node, names))
        if isinstance(node, ast.Call) and _hands_on_the_call(node):
            called = _value(node.func, names)
            found |= _DECODED.get(getattr(called, "__name__", ""), frozenset()) | members_read(called, seen)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found |= _DECODED.get(node.func.id, frozenset())
    return found


def _read_at(node: ast.AST, names: Mapping[str, Any]) -> Iterator[str]:
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id="call"), attr=how), args=given) if how in _READING:
            for each in given:
                value = _value(each.value if isinstance(each, ast.Starred) else each, names)
                yield from [value] if isinstance(value, str) else value or ()
        case ast.Attribute(value=ast.Name(id="call"), attr=attr) if attr in _IMPLIED:
            yield _IMPLIED[attr]
        case ast.Subscript(value=ast.Attribute(attr="members"), slice=ast.Constant(value=str(name))):
            yield name
        case ast.Compare(left=ast.Constant(value=str(name)), comparators=[ast.Attribute(attr="members")]):
            yield name


def _hands_on_the_call(node: ast.Call) -> bool:
    return any(isinstance(each, ast.Name) and each.id == "call" for each in node.args)


def _value(node: ast.AST, names: Mapping[str, Any]) -> Any:
    """Return what a name or a literal stands for in a module; nothing for what is only known when it runs."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names.get(name)
        case ast.Attribute(value=value, attr=attr):
            return getattr(_value(value, names), attr, None)
    return None


@pytest.mark.parametrize("action", HANDLERS)
def test_the_document_has_the_members_that_the_handler_reads_and_no_others(action: str) -> None:
    read = members_read(HANDLERS[action]) - _REFUSED.get(action, set()) | set(ACTIONS[action].parameters)
    described = set(members_of(action).get("properties", {}))
    if action in _LEFT_TO_THE_SERVICE:
        assert read <= described
    else:
        assert read == described


@pytest.mark.parametrize("action", HANDLERS)
def test_the_document_requires_what_the_path_of_the_operation_is_made_of(action: str) -> None:
    assert set(ACTIONS[action].parameters) <= set(members_of(action).get("required", []))


@pytest.mark.parametrize("action", HANDLERS)
def test_what_the_document_requires_is_refused_when_it_is_missing(service: Service, action: str) -> None:
    with Socket(service) as socket:
        for name in members_of(action).get("required", []):
            body = {each: "q" for each in ACTIONS[action].parameters if each != name}
            socket.ask(action, body).refused(400)


def handler_that_reads(call: Call) -> None:
    call.required("one")
    _by_another(call)


def _by_another(call: Call) -> None:
    assert call.detailed or [call.text(name) for name in _SEVERAL]
    assert "four" in call.frame.members


_SEVERAL: Final = ("two", "three")


def test_reading_is_found_wherever_the_call_is_handed_to() -> None:
    assert members_read(handler_that_reads) == {"one", "two", "three", "four", "detailed"}


def test_the_document_is_valid_and_served(service: Service) -> None:
    served = service.get("/asyncapi.json", client=None, project=None).json()
    jsonschema.Draft7Validator(asyncapi.schema()).validate(served)
    assert served["asyncapi"] == "3.0.0"
    assert served["channels"]["events"]["bindings"]["ws"]["headers"]["properties"]["Sec-WebSocket-Protocol"] == {
        "type": "string",
        "const": "cloudevents.json",
    }


def test_every_action_every_push_and_the_events_are_operations_of_the_document() -> None:
    pushes = {"notification", "delivery", "events.told", "events.post", "topic_events.told", "topic_events.post"}
    assert document()["operations"].keys() == HANDLERS.keys() | {"authenticate"} | pushes


def test_every_reference_of_the_document_leads_somewhere() -> None:
    for reference in _references(document()):
        place: Any = document()
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference
        for each in part.values():
            yield from _references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _references(each)


def test_the_limits_of_the_document_are_those_of_the_settings() -> None:
    found = asyncapi_document(Settings(max_messages_per_page=7))["components"]["messages"]["message_list"]
    assert found["payload"]["properties"]["body"]["properties"]["limit"]["maximum"] == 7
