"""Who of many subscribers wants an event: the same as if each were asked."""

import asyncio
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


def found_among(subscriptions: list[Subscription]) -> Addressees:
    lenses, addressees = new_lenses(), Addressees()
    for each in subscriptions:
        addressees.add(each, lenses.of(each))
    return addressees


@given(
    st.lists(st.one_of(st.none(), st.lists(FILTERS, min_size=1, max_size=2)), max_size=6),
    st.dictionaries(NAMES, VALUES),
)
def test_those_are_found_whose_filters_pass(wishes: list[list[Any] | None], attributes: dict[str, Any]) -> None:
    addressees = found_among([a_subscription(*each) for each in enumerate(wishes)])
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
    addressees = found_among([a_subscription(*each) for each in enumerate(wishes)])
    [group] = addressees.candidates({"type": "t7"})
    assert [each.id for each in group.subscriptions] == ["0007"]


def test_the_same_filters_are_asked_once() -> None:
    addressees = found_among([a_subscription(number, [{"prefix": {"type": "t"}}]) for number in range(9)])
    [group] = addressees.candidates({"type": "t7"})
    assert len(group.subscriptions) == 9


def test_addressees_are_known_until_a_subscription_changes() -> None:
    async def scenario() -> None:
        book = AddressBook(new_lenses())
        one, other = a_subscription(1, [{"exact": {"type": "a"}}]), a_subscription(2, None)
        first = await book.of(KEY, "", (one, other))
        assert await book.of(KEY, "", (one, other)) is first
        changed = msgspec.structs.replace(one, options={}, revision=2)
        second = await book.of(KEY, "", (changed, other))
        assert [each.id for each in second.unfiltered] == ["0001", "0002"]
        assert await book.of(KEY, "", (one,)) is not first

    asyncio.run(scenario())


def a_crowd(*, parts: int = 1, count: int = 10) -> tuple[Subscription, ...]:
    """Return subscriptions whose filters differ."""
    return tuple(
        [
            a_subscription(number, [{"prefix": {"type": f"{number}-{part}"}} for part in range(parts)])
            for number in range(count)
        ]
    )


def test_no_more_addressees_are_remembered_than_there_is_room_for() -> None:
    async def scenario() -> None:
        half = a_crowd()
        size = (await AddressBook(new_lenses()).of(KEY, "", half)).size
        book = AddressBook(new_lenses(), bytes_max=5 * size // 2, share=3 * size)
        first = await book.of(KEY, "", half)
        await book.of(QueueKey("p", "r"), "", half)
        assert await book.of(KEY, "", half) is first
        await book.of(QueueKey("p", "s"), "", half)
        assert await book.of(KEY, "", half) is first, "it was asked for after the one that is forgotten"
        assert (await book.of(QueueKey("p", "r"), "", half)).subscriptions == half

    asyncio.run(scenario())


def test_a_project_has_its_share_of_what_is_remembered_and_takes_nothing_of_the_others() -> None:
    async def scenario() -> None:
        half = a_crowd()
        size = (await AddressBook(new_lenses()).of(KEY, "", half)).size
        book = AddressBook(new_lenses(), bytes_max=9 * size, share=size)
        other = await book.of(QueueKey("other", "q"), "", half)
        first = await book.of(KEY, "", half)
        for number in range(20):
            await book.of(QueueKey("p", f"q{number}"), "", half)
        assert await book.of(QueueKey("other", "q"), "", half) is other
        assert await book.of(KEY, "", half) is not first

    asyncio.run(scenario())


def test_addressees_with_large_filters_are_found_one_part_after_the_other() -> None:
    async def scenario() -> None:
        crowd, book = a_crowd(parts=500, count=100), AddressBook(new_lenses())
        rest, found, pieces = crowd, list[Subscription](), 0
        while rest:
            some = await book.of(KEY, found[-1].id if found else "", rest)
            assert some.size < limits.ADDRESSEES_AT_ONCE_BYTES + limits.FILTER_PARTS_MAX * limits.FILTER_PART_BYTES
            found += some.subscriptions
            rest = rest[len(some.subscriptions) :]
            pieces += 1
        assert found == list(crowd)
        assert pieces > 1

    asyncio.run(scenario())


def test_reading_many_filters_leaves_turns_to_others() -> None:
    async def scenario() -> None:
        crowd, book, turns = a_crowd(parts=50, count=40), AddressBook(new_lenses()), 0
        work = asyncio.ensure_future(book.of(KEY, "", crowd))
        while not work.done():
            await asyncio.sleep(0)
            turns += 1
        parts = sum(lens_of(each.options["filters"], None).parts for each in crowd)
        assert turns >= limits.READ_PART_WEIGHT * parts // limits.FILTER_WEIGHT_AT_ONCE // 2

    asyncio.run(scenario())
