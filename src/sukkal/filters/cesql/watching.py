"""What each part of an expression yielded for an event."""

from contextlib import suppress

import msgspec

from sukkal.filters.cesql.evaluating import Evaluate, evaluator_of, type_of
from sukkal.filters.cesql.failures import Failure, Steps
from sukkal.filters.cesql.tree import ZERO, Node, Scalar
from sukkal.filters.values import Attributes

__all__ = ["Outcome", "evaluate", "outcomes"]


class Outcome(msgspec.Struct, frozen=True):
    """What a part yielded; where something failed, in it or in a part of it, with the failure."""

    value: Scalar
    failure: Failure | None = None


def evaluate(node: Node, attributes: Attributes) -> Outcome:
    """Return what the expression yields for the event."""
    return outcomes(node, attributes, Steps())[id(node)]


def outcomes(node: Node, attributes: Attributes, steps: Steps) -> dict[int, Outcome]:
    """Return what each part that was looked at yielded, by the identity of the part."""
    found: dict[int, Outcome] = {}

    def watch(part: Node, evaluates: Evaluate) -> Evaluate:
        def watched(attributes: Attributes, steps: Steps) -> Scalar:
            try:
                value = evaluates(attributes, steps)
            except Failure as failure:
                found[id(part)] = Outcome(_value(part, failure), failure)
                raise
            found[id(part)] = Outcome(value)
            return value

        return watched

    with suppress(Failure):  # it is among what was found
        evaluator_of(node, watch)(attributes, steps)
    return found


def _value(part: Node, failure: Failure) -> Scalar:
    """Return what the part yields despite the failure: a value of its own if it is what failed, else the zero."""
    kind = type_of(part) or bool
    if failure.part is None:
        failure.part = part
        if type(failure.value) is kind:
            return failure.value
    return ZERO[kind]
