"""Addressees: who of a queue's subscribers wants a message, found without asking all of them.

The same filters look at a message once, for all who have them. Filters that demand a certain value of an attribute are
found by that value, so that a thousand subscribers with a type each cost about as much as one.
"""

import asyncio

import msgspec

from sukkal import limits
from sukkal.filters.values import Attributes, as_text
from sukkal.model import QueueKey, Subscription
from sukkal.service.lenses import Lens, Lenses
from sukkal.service.remembering import Remembered
from sukkal.service.turns import Part

__all__ = ["AddressBook", "Addressees", "Group"]


class Group(msgspec.Struct, frozen=True):
    """Subscriptions that have the same filters."""

    lens: Lens
    subscriptions: list[Subscription]


class Addressees:
    """Some subscriptions: those that want everything, and those with filters, in groups."""

    def __init__(self) -> None:
        self.subscriptions: tuple[Subscription, ...] = ()
        self.unfiltered: list[Subscription] = []
        self.size = 0
        self._groups: dict[bytes, Group] = {}
        self._demanding: dict[str, dict[str, list[Group]]] = {}
        self._others: list[Group] = []

    def add(self, subscription: Subscription, lens: Lens) -> None:
        """Take in a subscription, which wants what the lens shows."""
        self.size += limits.ADDRESSEE_BYTES
        if lens.passes is None:
            self.unfiltered.append(subscription)
        elif (group := self._groups.get(lens.filters)) is not None:
            group.subscriptions.append(subscription)
        else:
            self.size += lens.size
            self._add(Group(lens, [subscription]))

    @property
    def filtered(self) -> bool:
        """Whether anybody has filters."""
        return bool(self._groups)

    def candidates(self, attributes: Attributes) -> list[Group]:
        """Return the groups whose filters are to look at an event; the others do not want it."""
        found = list(self._others)
        for name, groups in self._demanding.items():
            if (value := attributes.get(name)) is not None:
                found += groups.get(as_text(value), ())
        return found

    def _add(self, group: Group) -> None:
        self._groups[group.lens.filters] = group
        if group.lens.demands is None:
            self._others.append(group)
        else:
            name, value = group.lens.demands
            self._demanding.setdefault(name, {}).setdefault(value, []).append(group)


class AddressBook:
    """The addressees of late, as long as their subscriptions do not change."""

    def __init__(
        self,
        lenses: Lenses,
        *,
        bytes_max: int = limits.ADDRESSEES_REMEMBERED_BYTES_MAX,
        share: int = limits.ADDRESSEES_OF_PROJECT_BYTES_MAX,
    ) -> None:
        self._lenses = lenses
        self._known: Remembered[tuple[QueueKey, str], Addressees] = Remembered(bytes_max, share=share)

    async def of(self, key: QueueKey, after: str, subscriptions: tuple[Subscription, ...]) -> Addressees:
        """Return the addressees that the first of these subscriptions of a queue are, which come behind ``after``.

        They are all of them unless their filters would take too much memory at once.
        """
        known = self._known.get(key.project, (key, after))
        # The same objects are equal at a glance.
        if known is not None and known.subscriptions == subscriptions[: len(known.subscriptions)]:
            return known
        addressees, part = Addressees(), Part()
        for count, each in enumerate(subscriptions, 1):
            lens = self._lenses.of(each)
            addressees.add(each, lens)
            if part.ends(limits.READ_PART_WEIGHT * lens.parts):
                await asyncio.sleep(0)
            if count == len(subscriptions) or addressees.size >= limits.ADDRESSEES_AT_ONCE_BYTES:
                addressees.subscriptions = subscriptions[:count]
                break
        if addressees.subscriptions:
            self._known.put(key.project, (key, after), addressees, addressees.size)
        return addressees
