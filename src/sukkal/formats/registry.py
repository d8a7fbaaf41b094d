"""Which formats there are, and which of them a document has."""

from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import Any, Final

from sukkal.errors import InvalidRequest, SettingsError
from sukkal.format import Event, Format, Received
from sukkal.formats import remainders
from sukkal.formats.aodh import Aodh
from sukkal.formats.cloudevents import CloudEvents
from sukkal.formats.heat import Heat
from sukkal.formats.mistral import Mistral
from sukkal.formats.oslo import Oslo
from sukkal.formats.oslo_envelope import OsloEnvelope
from sukkal.formats.raw import Raw
from sukkal.formats.translations import LossFree
from sukkal.formats.tripleo import TripleO, TripleONamed

__all__ = ["ENTRY_POINTS", "FORMATS", "RAW", "Registry", "installed_formats"]

ENTRY_POINTS: Final = "sukkal.formats"
"""The group of entry points by which other packages bring formats; each names a ``Format`` object."""

_CLOUDEVENTS: Final = CloudEvents()
_OSLO: Final = LossFree(Oslo())

FORMATS: Final[tuple[Format, ...]] = (
    _CLOUDEVENTS,
    OsloEnvelope(_OSLO),
    _OSLO,
    LossFree(Heat()),
    LossFree(TripleO()),
    LossFree(TripleONamed()),
    LossFree(Mistral()),
    LossFree(Aodh()),
)
"""The formats that a document can be told by, in the order in which they are asked."""

RAW: Final[Format] = LossFree(Raw())
"""The format of all other documents."""


class Registry:
    """The service's own formats, and those of other packages, which are asked after them and before ``raw``."""

    def __init__(self, others: Sequence[Format] = ()) -> None:
        self._formats = (*FORMATS, *others, RAW)
        self._named = {each.name: each for each in self._formats}
        if len(self._named) < len(self._formats):
            names = [each.name for each in self._formats]
            twice = next(name for name in names if names.count(name) > 1)
            raise SettingsError(f"Two of the installed formats are called {twice}; uninstall one.")

    def named(self, name: str) -> Format:
        """Return a format. Raises ``InvalidRequest`` if there is none of this name."""
        if name not in self._named:
            raise InvalidRequest(f"There is no format of this name; there are {', '.join(self._named)}.")
        return self._named[name]

    def recognise(self, document: Any) -> Format:
        """Return the format of a document."""
        return next(each for each in self._formats if each.recognise(document))

    def to_event(self, document: Any, received: Received) -> Event:
        """Return the event of a document of any format."""
        return self.recognise(document).to_event(document, received)

    def to_native(self, event: Event) -> Any:
        """Return the document that an event was made from; an event that was none before is a document itself.

        Raises ``InvalidEvent`` if the event does not hold together.
        """
        name = event.extensions.get(remainders.FORMAT)
        return self._named.get(str(name), _CLOUDEVENTS).to_native(event)


def installed_formats() -> list[Format]:
    """Return the formats that other installed packages bring, sorted by name. Raises ``SettingsError``."""
    found: list[Format] = []
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        try:
            found.append(entry.load())
        except (ImportError, AttributeError) as error:
            raise SettingsError(f"The format {entry.name} of {entry.value} cannot be loaded: {error}.") from error
    return found
