"""What can go wrong when an expression is read, and when it looks at an event."""

from enum import StrEnum

from sukkal import limits
from sukkal.filters.cesql.tree import Node, Scalar

__all__ = ["BadExpression", "Failure", "Kind", "Steps"]


class Kind(StrEnum):
    """The kinds of errors that the language knows, by the names of its conformance kit."""

    PARSE = "parse"
    MATH = "math"
    CAST = "cast"
    MISSING_ATTRIBUTE = "missingAttribute"
    MISSING_FUNCTION = "missingFunction"
    FUNCTION = "functionEvaluation"
    GENERIC = "generic"


class BadExpression(Exception):
    """The text is no expression: ``problem`` says why, ``at`` is the character where it shows, from 1."""

    def __init__(self, problem: str, at: int, kind: Kind = Kind.PARSE) -> None:
        super().__init__(f"character {at}: {problem}")
        self.problem = problem
        self.at = at
        self.kind = kind


class Failure(Exception):
    """An expression cannot be evaluated on this event.

    ``value`` is what the part that failed yields nevertheless; ``part`` is that part, once somebody who watches knows.
    """

    part: Node | None = None

    def __init__(self, kind: Kind, problem: str, value: Scalar = False) -> None:
        super().__init__(problem)
        self.kind = kind
        self.problem = problem
        self.value = value


class Steps:
    """What looking at one event may still cost; a step is about one character of a text that is worked on."""

    __slots__ = ("left",)

    def __init__(self, left: int = limits.FILTER_STEPS_MAX) -> None:
        self.left = left

    def spend(self, count: int) -> None:
        """Take the steps before the work is done. Raises ``Failure`` when there are not so many left."""
        self.left -= count
        if self.left < 0:
            raise Failure(Kind.GENERIC, f"it takes more than the {limits.FILTER_STEPS_MAX} steps that are allowed")
