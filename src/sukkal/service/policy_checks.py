"""What a rule is made of: checks that hold or do not, for who asks and what is asked for."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

__all__ = [
    "ALWAYS",
    "FALLBACK",
    "NEVER",
    "AllOf",
    "AnyOf",
    "Asked",
    "Check",
    "Credential",
    "Fixed",
    "Literal",
    "Not",
    "Reference",
    "Role",
    "Unanswerable",
    "named",
]

FALLBACK: Final = "default"
"""The rule that stands in for every rule that does not exist."""


class Unanswerable(Exception):
    """A check asks for a part of something that has no parts."""


class Asked(msgspec.Struct, frozen=True):
    """One question: may these credentials do it to this target? ``roles`` are the caller's in lower case."""

    rules: Mapping[str, "Check"]
    credentials: Mapping[str, object]
    roles: frozenset[str]
    target: Mapping[str, object]


class Check(msgspec.Struct, frozen=True):
    """A condition on who asks and on what."""

    def holds(self, asked: Asked) -> bool:
        """Tell whether the condition is met. Raises ``Unanswerable``."""
        raise NotImplementedError

    def parts(self) -> tuple["Check", ...]:
        """Return the checks that it is made of."""
        return ()


class Fixed(Check, frozen=True):
    """Holds always or never."""

    answer: bool

    def holds(self, asked: Asked) -> bool:
        """Return the one answer."""
        return self.answer


ALWAYS: Final = Fixed(True)
NEVER: Final = Fixed(False)


class Not(Check, frozen=True):
    """Holds when the other does not."""

    check: Check

    def holds(self, asked: Asked) -> bool:
        """Return the opposite."""
        return not self.check.holds(asked)

    def parts(self) -> tuple[Check, ...]:
        """Return the other."""
        return (self.check,)


class AllOf(Check, frozen=True):
    """Holds when all do; they are tried from the left until one does not."""

    checks: tuple[Check, ...]

    def holds(self, asked: Asked) -> bool:
        """Tell whether all hold."""
        return all(check.holds(asked) for check in self.checks)

    def parts(self) -> tuple[Check, ...]:
        """Return the checks that are tried."""
        return self.checks


class AnyOf(Check, frozen=True):
    """Holds when one does; they are tried from the left until one does."""

    checks: tuple[Check, ...]

    def holds(self, asked: Asked) -> bool:
        """Tell whether one holds."""
        return any(check.holds(asked) for check in self.checks)

    def parts(self) -> tuple[Check, ...]:
        """Return the checks that are tried."""
        return self.checks


class Reference(Check, frozen=True):
    """Holds when another rule does."""

    name: str

    def holds(self, asked: Asked) -> bool:
        """Ask the other rule."""
        check = named(asked.rules, self.name)
        return check is not None and check.holds(asked)


class Role(Check, frozen=True):
    """Holds for a caller with the role, in whatever case it is written."""

    wanted: str

    def holds(self, asked: Asked) -> bool:
        """Look among the caller's roles."""
        wanted = _filled(self.wanted, asked.target)
        return wanted is not None and wanted.lower() in asked.roles


class Literal(Check, frozen=True):
    """Holds when the target has what is written in the rule."""

    text: str
    wanted: str

    def holds(self, asked: Asked) -> bool:
        """Compare as text."""
        return _filled(self.wanted, asked.target) == self.text


class Credential(Check, frozen=True):
    """Holds when one of the caller's credentials is the wanted one, as text."""

    path: tuple[str, ...]
    wanted: str

    def holds(self, asked: Asked) -> bool:
        """Follow the path into the credentials."""
        wanted = _filled(self.wanted, asked.target)
        return wanted is not None and _leads(asked.credentials, self.path, wanted)


def named(rules: Mapping[str, Check], name: str) -> Check | None:
    """Return the rule of that name, else the fallback if there is one."""
    return rules.get(name) or rules.get(FALLBACK)


def _filled(text: str, target: Mapping[str, object]) -> str | None:
    """Return the text with the target's values in it, or ``None`` when the target lacks one."""
    if "%" not in text:
        return text
    try:
        return text % target
    except KeyError:
        return None


def _leads(value: object, path: Sequence[str], wanted: str) -> bool:
    """Tell whether the path leads from the value to what is wanted, through any item of each list on the way."""
    if not path:
        return str(value) == wanted
    if not isinstance(value, Mapping):
        raise Unanswerable
    if path[0] not in value:
        return False
    inner, rest = value[path[0]], path[1:]
    if isinstance(inner, list):
        return any(_leads(item, rest, wanted) for item in inner)
    return _leads(inner, rest, wanted)
