"""The contract of formats as a test suite: a class per format that says how to make one, and shows real documents.

::

    class TestSmoke(FormatContract):
        def make_format(self) -> Format:
            return SmokeFormat()

        def samples(self) -> list[Any]:
            return [{"smoke": "white", "from": "the chapel"}]
"""

import contextlib
import copy
import json
import re
from decimal import Decimal
from typing import Any, ClassVar, Final

from hypothesis import given
from hypothesis import strategies as st

from sukkal.errors import InvalidEvent
from sukkal.format import Event, Format, Received
from sukkal.formats import FORMATS, cloudevents, documents, http_binding, remainders

__all__ = ["RECEIVED", "FormatContract", "json_documents"]

RECEIVED: Final = Received(
    project="a project", queue_name="a-queue", message_id="message-1", posted_ms=1_700_000_000_001, ttl_s=300
)
"""What is told of every document."""

_TEXTS: Final = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
_ODD_TEXTS: Final = st.sampled_from(
    ["", "\x00", "a\tb", "\x7f", "\ufffe", "\U0001ffff", "é", "😀", '"%"', "2026-02-30 99:00:00", "1.0", "null"]
)
_SCALARS: Final = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**60), 10**60)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | _TEXTS
    | _ODD_TEXTS
)


def json_documents() -> st.SearchStrategy[Any]:
    """Return a strategy of JSON documents of every kind, as ``documents.decode`` returns them."""
    nested = st.recursive(
        _SCALARS,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS | _ODD_TEXTS, inner, max_size=4),
        max_leaves=12,
    )
    return nested.map(lambda document: documents.decode(documents.encode(document)))


class FormatContract:
    """What every format has to pass. A subclass says how to make one, and shows documents of its shape."""

    keeps_types_in_binary_mode: ClassVar[bool] = True
    """False if a document may be an event with numbers as attributes, which are texts in binary mode."""

    def make_format(self) -> Format:
        """Return the format."""
        raise NotImplementedError

    def samples(self) -> list[Any]:
        """Return documents of the format, as real programs send them."""
        raise NotImplementedError

    def is_as_good(self, found: Any, wanted: Any) -> bool:
        """Tell whether a document says the same as another; for formats that keep JSON inside of JSON."""
        return documents.is_same(found, wanted)

    # -- loss-free ----------------------------------------------------------------------------------------------------

    def test_the_round_trip_of_a_sample_is_the_identity(self) -> None:
        subject = self.make_format()
        for sample in self._samples():
            assert subject.recognise(sample), sample
            self._assert_loss_free(subject, sample)

    def test_the_round_trip_of_a_document_that_is_hardly_a_sample_is_the_identity(self) -> None:
        subject = self.make_format()

        @given(st.data())
        def check(data: st.DataObject) -> None:
            document = copy.deepcopy(data.draw(st.sampled_from(self._samples())))
            for _ in range(data.draw(st.integers(1, 4))):
                _spoil(document, data)
            if subject.recognise(document):
                self._assert_loss_free(subject, document)

        check()

    def test_the_round_trip_of_any_document_that_it_recognises_is_the_identity(self) -> None:
        subject = self.make_format()

        @given(json_documents())
        def check(document: Any) -> None:
            if subject.recognise(document):
                self._assert_loss_free(subject, document)

        check()

    def test_the_event_of_a_sample_survives_every_mode_and_a_reader_that_sorts_members(self) -> None:
        subject = self.make_format()
        for sample in self._samples():
            event = subject.to_event(sample, RECEIVED)
            text = cloudevents.encode(event)
            for arrived in (
                cloudevents.decode(text),
                cloudevents.decode(json.dumps(json.loads(text, parse_float=_Digits), sort_keys=True).encode()),
                *cloudevents.decode_batch(cloudevents.encode_batch([event])),
                *self._through_binary_mode(event),
            ):
                assert self.is_as_good(subject.to_native(arrived), sample), sample

    def test_a_document_is_left_as_it_was(self) -> None:
        subject = self.make_format()
        for sample in self._samples():
            before = documents.encode(sample)
            subject.to_native(subject.to_event(sample, RECEIVED))
            assert documents.encode(sample) == before

    def test_the_same_document_received_again_makes_the_same_event(self) -> None:
        subject = self.make_format()
        for sample in self._samples():
            assert cloudevents.encode(subject.to_event(sample, RECEIVED)) == cloudevents.encode(
                subject.to_event(sample, RECEIVED)
            )

    # -- told apart ---------------------------------------------------------------------------------------------------

    def test_no_other_format_recognises_what_it_recognises(self) -> None:
        subject = self.make_format()
        others = [each for each in FORMATS if each.name != subject.name]

        @given(st.data())
        def check(data: st.DataObject) -> None:
            document = copy.deepcopy(data.draw(st.sampled_from(self._samples())))
            _spoil(document, data)
            if subject.recognise(document):
                assert [each.name for each in others if each.recognise(document)] == []

        check()

    def test_its_name_can_stand_in_options(self) -> None:
        assert re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", self.make_format().name)

    # -- events that others made --------------------------------------------------------------------------------------

    def test_an_event_of_another_origin_becomes_a_document_or_is_refused(self) -> None:
        subject = self.make_format()

        @given(json_documents())
        def check(document: Any) -> None:
            _assert_document(subject.to_native(Event(id="1", source="/elsewhere", type="a.type", data=document)))

        check()
        binary = Event(id="1", source="/elsewhere", type="a.type", datacontenttype="image/png", data=b"\x89PNG")
        self._assert_document_or_refused(subject, binary)

    def test_an_event_that_was_tampered_with_becomes_a_document_or_is_refused(self) -> None:
        subject = self.make_format()

        @given(st.data())
        def check(data: st.DataObject) -> None:
            sample = data.draw(st.sampled_from(self._samples()))
            members = cloudevents.document_of(subject.to_event(sample, RECEIVED))
            members[remainders.FORMAT] = subject.name
            remainder = data.draw(_TEXTS | json_documents().map(documents.encode_ascii))
            members[remainders.REMAINDER] = re.sub("[^ -~]", "", remainder)
            members.pop(data.draw(st.sampled_from(["time", "data", "subject", "severitytext", "expirytime"])), None)
            self._assert_document_or_refused(subject, cloudevents.event_of_document(members))

        check()

    # -- tools --------------------------------------------------------------------------------------------------------

    def _samples(self) -> list[Any]:
        return [documents.decode(documents.encode(sample)) for sample in self.samples()]

    def _assert_loss_free(self, subject: Format, document: Any) -> None:
        event = subject.to_event(document, RECEIVED)
        text = cloudevents.encode(event)
        assert cloudevents.encode(cloudevents.decode(text)) == text
        _assert_same(subject.to_native(event), document)
        _assert_same(subject.to_native(cloudevents.decode(text)), document)
        for arrived in self._through_binary_mode(event):
            _assert_same(subject.to_native(arrived), document)

    def _through_binary_mode(self, event: Event) -> list[Event]:
        arrived = http_binding.decode_binary(*http_binding.encode_binary(event))
        return [arrived] if self.keeps_types_in_binary_mode else []

    def _assert_document_or_refused(self, subject: Format, event: Event) -> None:
        with contextlib.suppress(InvalidEvent):
            _assert_document(subject.to_native(event))


class _Digits(float):
    """A float that is written with the digits that it was read with."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return self._text


def _assert_document(found: Any) -> None:
    def digits(value: Any) -> str:
        assert isinstance(value, Decimal), f"{value!r} is not JSON"
        return str(value)

    json.dumps(found, allow_nan=False, default=digits)


def _assert_same(found: Any, wanted: Any) -> None:
    assert documents.is_same(found, wanted), f"{documents.encode(found)!r} is not {documents.encode(wanted)!r}"


def _spoil(document: Any, data: st.DataObject) -> None:
    """Change, add or take away a member somewhere in a document."""
    place = document
    while isinstance(place, dict):
        name = data.draw(st.sampled_from([*place, "new"]))
        inner = place.get(name)
        if isinstance(inner, dict) and data.draw(st.booleans()):
            place = inner
            continue
        if name in place and data.draw(st.booleans()):
            del place[name]
        else:
            place[name] = data.draw(json_documents())
        return
