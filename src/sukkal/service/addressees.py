"""Addressees: who of a queue's subscribers wants a message, found without asking all of them.

The same filters look at a message once, for all who have them. Filters that demand a certain value of an attribute are
found by that value, so that a thousand subscribers with a type each cost about as much as one.
"""

from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from sukkal import limits
from sukkal.filters.values import Attributes, as_text
from sukkal.model import QueueKey, Subscription
from sukkal.service.lenses import Lens, Lenses

__all__ = ["AddressBook", "Addressees", "Group"]


class Group(msgspec.Struct, frozen=True):
    """Subscriptions that have the same filters."""

    lens: Lens
    subscriptions: list[Subscription]


class Addressees:
    """Some subscriptions: those that want everything, and those with filters, in groups."""

    def __init__(self, subscriptions: Sequence[Subscription], lenses: Lenses) -> None:
        self.subscriptions = subscriptions
        self.unfiltered: list[Subscription] = []
        self._groups: dict[bytes, Group] = {}
        self._demanding: dict[str, dict[str, list[Group]]] = {}
        self._others: list[Group] = []
        for each in subscriptions:
            lens = lenses.of(each)
            if lens.passes is None:
                self.unfiltered.append(each)
            elif (group := self._groups.get(lens.filters)) is not None:
                group.subscriptions.append(each)
            else:
                self._add(Group(lens, [each]))

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

    def __init__(self, lenses: Lenses) -> None:
        self._lenses = lenses
        self._known: OrderedDict[tuple[QueueKey, str], Addressees] = OrderedDict()
        self._size = 0

    def of(self, key: QueueKey, after: str, subscriptions: Sequence[Subscription]) -> Addressees:
        """Return the addressees that these subscriptions of a queue are, which come behind the id ``after``."""
        known = self._known.get((key, after))
        # The same objects are equal at a glance.
        if known is not None and known.subscriptions == subscriptions:
            self._known.move_to_end((key, after))
            return known
        if known is not None:
            self._forget((key, after))
        addressees = Addressees(subscriptions, self._lenses)
        if addressees.filtered:
            self._remember((key, after), addressees)
        return addressees

    def _remember(self, place: tuple[QueueKey, str], addressees: Addressees) -> None:
        self._known[place] = addressees
        self._size += len(addressees.subscriptions)
        while self._size > limits.ADDRESSEES_REMEMBERED_MAX and len(self._known) > 1:
            self._forget(next(iter(self._known)))

    def _forget(self, place: tuple[QueueKey, str]) -> None:
        self._size -= len(self._known.pop(place).subscriptions)
