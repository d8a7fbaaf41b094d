"""Documents are recognised, formats found by name, and those of other packages asked as well."""

from importlib.metadata import EntryPoint
from itertools import permutations
from typing import Any

import pytest
from tests.formats.natives import (
    alarms,
    heat_events,
    mistral_events,
    older_tripleo_messages,
    oslo_wire,
    tripleo_messages,
)

from sukkal.errors import InvalidEvent, InvalidRequest, SettingsError
from sukkal.format import Event, Received
from sukkal.formats import ENTRY_POINTS, FORMATS, RAW, Registry, documents, installed_formats, registry
from sukkal.formats.translations import LossFree
from sukkal.testing.format_contract import RECEIVED


class Smoke:
    name = "smoke"

    def recognise(self, document: Any) -> bool:
        return isinstance(document, dict) and "smoke" in document

    def describe(self, document: Any, received: Received) -> Event:
        return Event(id=received.message_id, source="/chapel", type="smoke", data=document["smoke"])

    def restore(self, event: Event) -> Any:
        return {"smoke": event.data}


SMOKE = LossFree(Smoke())


def test_raw_takes_what_nothing_else_takes() -> None:
    assert Registry().recognise({"smoke": "white"}) is RAW
    assert [each.name for each in (*FORMATS, RAW)] == [
        "cloudevents",
        "oslo-envelope",
        "oslo",
        "heat",
        "tripleo",
        "tripleo-named",
        "mistral",
        "aodh",
        "raw",
    ]


def test_a_format_of_another_package_is_asked_after_ours_and_before_raw() -> None:
    formats = Registry([SMOKE])
    assert formats.recognise({"smoke": "white"}) is SMOKE
    assert formats.recognise(alarms()[0] | {"smoke": "white"}).name == "aodh"
    assert formats.to_native(formats.to_event({"smoke": 1, "fire": 2}, RECEIVED)) == {"smoke": 1, "fire": 2}


def test_a_document_that_was_normalised_is_an_event_and_its_native_shape_is_still_known() -> None:
    formats = Registry()
    [native] = heat_events()
    normalised = formats.named("cloudevents").to_native(formats.to_event(native, RECEIVED))
    event = formats.to_event(normalised, RECEIVED)
    assert formats.recognise(normalised).name == "cloudevents"
    assert formats.to_native(event) == native


@pytest.mark.parametrize("mark", [{}, {"sukkalformat": "unheard-of"}, {"sukkalformat": 5}])
def test_an_event_of_no_known_format_is_its_own_native_document(mark: dict[str, str | int]) -> None:
    native = Registry().to_native(Event(id="1", source="/s", type="t", extensions=mark))
    assert native == {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"} | mark


def test_an_event_can_be_asked_for_in_a_format_that_it_did_not_come_in() -> None:
    event = Event(id="1", source="/s", type="t", time="2026-01-31T10:30:00.5+01:00", data={"a": 1})
    assert Registry().named("oslo").to_native(event) == {
        "message_id": "1",
        "publisher_id": "/s",
        "event_type": "t",
        "priority": "INFO",
        "payload": {"a": 1},
        "timestamp": "2026-01-31 09:30:00.500000",
    }


@pytest.mark.parametrize("remainder", ["", "x", "[]", "{}", '{"has":1,"lacks":[]}', '{"has":{}}', 5, True])
def test_a_damaged_remainder_is_refused_by_name(remainder: str | int) -> None:
    event = Event(
        id="1", source="/s", type="t", extensions={"sukkalformat": "heat", "sukkalremainder": remainder}, data={}
    )
    with pytest.raises(InvalidEvent, match="sukkalremainder"):
        Registry().to_native(event)


def test_a_document_with_the_members_of_two_shapes_is_recognised_by_one_format_at_most() -> None:
    shapes = [
        {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"},
        *oslo_wire(in_envelopes=True)[:1],
        *oslo_wire(in_envelopes=False)[:1],
        *heat_events(),
        *tripleo_messages()[:1],
        *older_tripleo_messages(),
        *mistral_events()[:1],
        *alarms(),
    ]
    for one, other in permutations(shapes, 2):
        assert len([each.name for each in FORMATS if each.recognise(one | other)]) <= 1


def test_a_translation_sees_an_event_without_the_marks_of_its_format() -> None:
    class Copying(Smoke):
        def restore(self, event: Event) -> Any:
            return {"smoke": event.data} | dict(event.extensions)

    subject = LossFree(Copying())
    assert subject.to_native(subject.to_event({"smoke": 1, "fire": 2}, RECEIVED)) == {"smoke": 1, "fire": 2}


def test_a_name_that_no_format_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(InvalidRequest, match="cloudevents, oslo-envelope, oslo"):
        Registry().named("morse")


def test_two_formats_of_one_name_are_refused() -> None:
    with pytest.raises(SettingsError, match="smoke"):
        Registry([SMOKE, SMOKE])


def test_formats_of_other_packages_are_found_by_their_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [EntryPoint("smoke", f"{__name__}:SMOKE", ENTRY_POINTS)]
    monkeypatch.setattr(registry, "entry_points", lambda *, group: entries if group == ENTRY_POINTS else [])
    assert [each.name for each in installed_formats()] == ["smoke"]
    entries.append(EntryPoint("gone", f"{__name__}:GONE", ENTRY_POINTS))
    with pytest.raises(SettingsError, match="gone"):
        installed_formats()


def test_nothing_is_installed_where_no_package_brings_a_format() -> None:
    assert installed_formats() == []


def test_a_remainder_lacks_names_and_nothing_else() -> None:
    text = '{"has":{},"lacks":["a",{"b":1}]}'
    damaged = Event(
        id="1", source="/s", type="t", extensions={"sukkalformat": "aodh", "sukkalremainder": text}, data={}
    )
    with pytest.raises(InvalidEvent, match="sukkalremainder"):
        Registry().to_native(damaged)


def test_what_a_remainder_lacks_is_looked_up_once_for_each_member(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    class Name(str):
        __slots__ = ()
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return str.__eq__(self, other)

    count = 2_000
    rest = {"has": {}, "lacks": [Name(f"x{number}") for number in range(count)]}
    monkeypatch.setattr(documents, "decode", lambda text, **_: rest)
    event = Event(
        id="1",
        source="/s",
        type="t",
        extensions={"sukkalformat": "aodh", "sukkalremainder": "{}"},
        data={f"{number}": 1 for number in range(count)},
    )
    assert Registry().to_native(event) == event.data
    assert compared <= 2 * count
