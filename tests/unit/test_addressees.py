"""Who of many subscribers wants an event: the same as if each were asked."""

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from sukkal import limits
from sukkal.formats.registry import Registry
from sukkal.model import QueueKey, Subscription
from sukkal.service.addressees import AddressBook, Addressees
from sukkal.service.lenses import Lenses, lens_of
from sukkal.service.recognising import Recogniser

KEY = QueueKey("p", "q")
NAMES = st.sampled_from(["type", "subject", "n"])
TEXTS = st.sampled_from(["a", "b", "7", "true"])
VALUES = st.one_of(TEXTS, st.just(7), st.just(b"\x7f"), st.booleans())
TEXT_FILTERS = st.builds(
    lambda dialect, wanted: {dialect: wanted},
    st.sampled_from(["exact", "prefix", "suffix"]),
    st.dictionaries(NAMES, TEXTS, min_size=1, max_size=2),
)
SQL_FILTERS = st.sampled_from([{"sql": "type = 'a'"}, {"sql": "EXISTS n AND subject <> 'b'"}])
FILTERS = st.recursive(
    st.one_of(TEXT_FILTERS, SQL_FILTERS),
    lambda inner: st.one_of(
        st.builds(lambda several: {"all": several}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda several: {"any": several}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda one: {"not": one}, inner),
    ),
    max_leaves=5,
)


def a_subscription(number: int, filters: list[Any] | None) -> Subscription:
    return Subscription(
        id=f"{number:04}",
        queue=KEY,
        subscriber=f"http://h/{number}",
        ttl_s=60,
        options={} if filters is None else {"filters": filters},
        confirmed=True,
        created_ms=0,
        expires_ms=1,
    )


def new_lenses() -> Lenses:
    return Lenses(Recogniser(Registry()))


@given(
    st.lists(st.one_of(st.none(), st.lists(FILTERS, min_size=1, max_size=2)), max_size=6),
    st.dictionaries(NAMES, VALUES),
)
def test_those_are_found_whose_filters_pass(wishes: list[list[Any] | None], attributes: dict[str, Any]) -> None:
    addressees = Addressees([a_subscription(*each) for each in enumerate(wishes)], new_lenses())
    found = [each.id for each in addressees.unfiltered]
    for group in addressees.candidates(attributes):
        if group.lens.passes is not None and group.lens.passes(attributes):
            found += [each.id for each in group.subscriptions]
    wanted = []
    for number, filters in enumerate(wishes):
        passes = lens_of(filters, None).passes
        if passes is None or passes(attributes):
            wanted.append(f"{number:04}")
    assert sorted(found) == wanted


def test_subscribers_who_demand_other_values_are_not_asked() -> None:
    wishes = [[{"exact": {"type": f"t{number}"}}] for number in range(1_000)]
    addressees = Addressees([a_subscription(*each) for each in enumerate(wishes)], new_lenses())
    [group] = addressees.candidates({"type": "t7"})
    assert [each.id for each in group.subscriptions] == ["0007"]


def test_the_same_filters_are_asked_once() -> None:
    addressees = Addressees([a_subscription(number, [{"prefix": {"type": "t"}}]) for number in range(9)], new_lenses())
    [group] = addressees.candidates({"type": "t7"})
    assert len(group.subscriptions) == 9


def test_addressees_are_known_until_a_subscription_changes() -> None:
    book = AddressBook(new_lenses())
    one, other = a_subscription(1, [{"exact": {"type": "a"}}]), a_subscription(2, None)
    first = book.of(KEY, "", (one, other))
    assert book.of(KEY, "", (one, other)) is first
    changed = msgspec.structs.replace(one, options={}, revision=2)
    second = book.of(KEY, "", (changed, other))
    assert [each.id for each in second.unfiltered] == ["0001", "0002"]
    assert book.of(KEY, "", (one,)) is not first


def test_no_more_addressees_are_remembered_than_there_is_room_for() -> None:
    book = AddressBook(new_lenses())
    half = tuple(
        a_subscription(number, [{"exact": {"type": "a"}}]) for number in range(limits.ADDRESSEES_REMEMBERED_MAX // 2)
    )
    first = book.of(KEY, "", half)
    book.of(QueueKey("p", "r"), "", half)
    assert book.of(KEY, "", half) is first
    book.of(QueueKey("p", "s"), "", half)
    assert book.of(KEY, "", half) is first, "it was asked for after the one that is forgotten"
    assert book.of(QueueKey("p", "r"), "", half).subscriptions == half
