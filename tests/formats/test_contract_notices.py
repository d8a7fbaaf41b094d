"""The contract of formats notices what is wrong with a format."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from msgspec.structs import replace

from sukkal.errors import InvalidEvent
from sukkal.format import Event, Format, Received
from sukkal.formats import remainders
from sukkal.formats.translations import LossFree
from sukkal.testing.format_contract import FormatContract


class Smoke:
    """A translation without a fault."""

    name = "smoke"

    def recognise(self, document: Any) -> bool:
        return isinstance(document, dict) and "smoke" in document

    def describe(self, document: Any, received: Received) -> Event:
        return Event(id=received.message_id, source="/chapel", type="smoke", data=document["smoke"])

    def restore(self, event: Event) -> Any:
        return {"smoke": event.data}


class Forgetful(LossFree):
    """Keeps no remainder."""

    def to_event(self, document: Any, received: Received) -> Event:
        event = super().to_event(document, received)
        kept = {name: value for name, value in event.extensions.items() if name != remainders.REMAINDER}
        return replace(event, extensions=kept)


class Rounding(Smoke):
    """Counts with floats."""

    def describe(self, document: Any, received: Received) -> Event:
        event = super().describe(document, received)
        return replace(event, data=json.loads(json.dumps(event.data, default=float)))

    def restore(self, event: Event) -> Any:
        return {"smoke": event.data}


class Trusting(Smoke):
    """Takes whatever the document says for an attribute."""

    def describe(self, document: Any, received: Received) -> Event:
        return replace(super().describe(document, received), subject=document["smoke"])


class Careless(Smoke):
    """Looks for members that need not be there."""

    def describe(self, document: Any, received: Received) -> Event:
        return replace(super().describe(document, received), subject=document["from"]["where"])


class Greedy(Smoke):
    """Takes what is another's."""

    def recognise(self, document: Any) -> bool:
        return isinstance(document, dict)


class Choosy(Smoke):
    """Does not know its own."""

    def recognise(self, document: Any) -> bool:
        return super().recognise(document) and document["smoke"] == "black"


class Meddling(Smoke):
    """Changes the document that it is given."""

    def describe(self, document: Any, received: Received) -> Event:
        document.setdefault("seen", True)
        return super().describe(document, received)


class Shouting(Smoke):
    """Has a name that is none."""

    name = "Smoke!"


class Binary(LossFree):
    """Gives back what is no document."""

    def to_native(self, event: Event) -> Any:
        return event.data if isinstance(event.data, bytes) else super().to_native(event)


class Fickle(LossFree):
    """Makes another event each time."""

    made = 0

    def to_event(self, document: Any, received: Received) -> Event:
        self.made += 1
        return replace(super().to_event(document, received), id=str(self.made))


def contract(make: Callable[[], Format], *more: Any) -> FormatContract:
    class Contract(FormatContract):
        def make_format(self) -> Format:
            return make()

        def samples(self) -> list[Any]:
            return [{"smoke": "white", "from": {"where": "the chapel"}}, {"smoke": 1.5}, *more]

    return Contract()


def fails(subject: FormatContract, name: str) -> bool:
    """Tell whether a test of the contract fails."""
    try:
        getattr(subject, f"test_{name}")()
    except (AssertionError, InvalidEvent, KeyError):
        return True
    return False


@pytest.fixture(autouse=True)
def _hasty() -> Iterator[None]:
    """Look for one failing example, not for the simplest."""
    before = settings.get_current_profile_name()
    settings.register_profile(
        "hasty",
        phases=[Phase.generate],
        report_multiple_bugs=False,
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("hasty")
    yield
    settings.load_profile(before)


def test_a_format_without_a_fault_passes() -> None:
    subject = contract(lambda: LossFree(Smoke()))
    names = [name.removeprefix("test_") for name in dir(subject) if name.startswith("test_")]
    assert len(names) > 8
    assert [name for name in names if fails(subject, name)] == []


@pytest.mark.parametrize(
    ("make", "noticed"),
    [
        (lambda: Forgetful(Smoke()), "the_round_trip_of_a_sample_is_the_identity"),
        (lambda: Forgetful(Smoke()), "the_event_of_a_sample_survives_every_mode_and_a_reader_that_sorts_members"),
        (lambda: Forgetful(Rounding()), "the_round_trip_of_a_document_that_is_hardly_a_sample_is_the_identity"),
        (lambda: LossFree(Trusting()), "the_round_trip_of_a_document_that_is_hardly_a_sample_is_the_identity"),
        (lambda: LossFree(Careless()), "the_round_trip_of_a_document_that_is_hardly_a_sample_is_the_identity"),
        (lambda: LossFree(Greedy()), "the_round_trip_of_any_document_that_it_recognises_is_the_identity"),
        (lambda: LossFree(Choosy()), "the_round_trip_of_a_sample_is_the_identity"),
        (lambda: LossFree(Meddling()), "a_document_is_left_as_it_was"),
        (lambda: LossFree(Shouting()), "its_name_can_stand_in_options"),
        (lambda: Binary(Smoke()), "an_event_of_another_origin_becomes_a_document_or_is_refused"),
        (lambda: Fickle(Smoke()), "the_same_document_received_again_makes_the_same_event"),
    ],
)
def test_a_faulty_format_is_noticed(make: Callable[[], Format], noticed: str) -> None:
    assert fails(contract(make), noticed)


def test_a_format_that_takes_anothers_documents_is_noticed() -> None:
    alarm = {"alarm_id": "a", "alarm_name": "n", "previous": "ok", "current": "alarm"}
    assert fails(contract(lambda: LossFree(Greedy()), alarm), "no_other_format_recognises_what_it_recognises")
