"""How an expression is evaluated: it is made into closures once, which then look at one event after another.

A part that fails raises ``Failure``, and nothing after it is looked at: the fail fast mode of the specification.
"""

from collections.abc import Callable
from typing import Any

from sukkal.filters.cesql.casts import CASTS
from sukkal.filters.cesql.failures import Failure, Kind, Steps
from sukkal.filters.cesql.functions import function_of
from sukkal.filters.cesql.like import matcher_of
from sukkal.filters.cesql.operators import ARITHMETIC, ORDERS, choices, fitting, is_among, opposite
from sukkal.filters.cesql.tree import (
    INTEGER_MAX,
    INTEGER_MIN,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Constant,
    Exists,
    In,
    Like,
    Logic,
    Negative,
    Node,
    Not,
    Scalar,
    Type,
)
from sukkal.filters.values import Attributes, as_text

__all__ = ["Evaluate", "Watch", "evaluator_of", "type_of"]

Evaluate = Callable[[Attributes, Steps], Scalar]
"""Returns what an expression yields for an event. Raises ``Failure``."""

Watch = Callable[[Node, Evaluate], Evaluate]
"""Is given what evaluates a part, and returns what to use in its place."""


def type_of(node: Node) -> Type | None:
    """Return the type of what the expression yields, or ``None`` if that depends on the event."""
    match node:
        case Constant(value):
            return type(value)
        case Attribute():
            return None
        case Negative() | Arithmetic():
            return int
        case Call(name, arguments):
            function = function_of(name, len(arguments))
            return function.yields if function else bool
        case _:
            return bool


def evaluator_of(node: Node, watch: Watch = lambda _, evaluate: evaluate) -> Evaluate:
    """Return what evaluates the expression, each part as the watch has it."""
    return watch(node, _evaluator(node, watch))


def _evaluator(node: Node, watch: Watch) -> Evaluate:
    match node:
        case Constant(value):
            return lambda _attributes, _steps: value
        case Attribute(name):
            return _attribute(name)
        case Exists(name):
            return lambda attributes, _: name in attributes
        case Not(operand):
            inner = evaluator_of(operand, watch)
            return lambda attributes, steps: opposite(inner(attributes, steps))
        case Negative(operand):
            number = _cast(operand, int, watch)
            return lambda attributes, steps: fitting(-number(attributes, steps))
        case Logic():
            return _logic(node, watch)
        case Arithmetic():
            return _arithmetic(node, watch)
        case Comparison():
            return _equality(node, watch) if node.operator in ("=", "!=") else _order(node, watch)
        case Like():
            return _like(node, watch)
        case In():
            return _in(node, watch)
        case Call():
            return _call(node, watch)


def _cast(node: Node, kind: Type, watch: Watch) -> Callable[[Attributes, Steps], Any]:
    """Return what evaluates the part and casts it."""
    evaluate = evaluator_of(node, watch)
    if type_of(node) is kind:
        return evaluate
    cast = CASTS[kind]

    def evaluate_and_cast(attributes: Attributes, steps: Steps) -> Scalar:
        value = evaluate(attributes, steps)
        return value if value.__class__ is kind else cast(value)

    return evaluate_and_cast


def _attribute(name: str) -> Evaluate:
    def read(attributes: Attributes, steps: Steps) -> Scalar:
        value = attributes.get(name)
        if value.__class__ is str:
            return value
        if value is None:
            raise Failure(Kind.MISSING_ATTRIBUTE, f"the event has no attribute {name}")
        if isinstance(value, int) and INTEGER_MIN <= value <= INTEGER_MAX:
            return value
        steps.spend(len(value) if isinstance(value, bytes) else 0)
        return as_text(value)

    return read


def _logic(node: Logic, watch: Watch) -> Evaluate:
    operands = [_cast(operand, bool, watch) for operand in node.operands]

    def both(attributes: Attributes, steps: Steps) -> bool:
        for operand in operands:  # noqa: SIM110  a generator costs as much as the operands
            if not operand(attributes, steps):
                return False
        return True

    def either(attributes: Attributes, steps: Steps) -> bool:
        for operand in operands:  # noqa: SIM110
            if operand(attributes, steps):
                return True
        return False

    def odd(attributes: Attributes, steps: Steps) -> bool:
        count: int = sum(operand(attributes, steps) for operand in operands)
        return count % 2 == 1

    return {"AND": both, "OR": either, "XOR": odd}[node.operator]


def _arithmetic(node: Arithmetic, watch: Watch) -> Evaluate:
    left, right = _cast(node.left, int, watch), _cast(node.right, int, watch)
    calculate = ARITHMETIC[node.operator]
    return lambda attributes, steps: fitting(calculate(left(attributes, steps), right(attributes, steps)))


def _order(node: Comparison, watch: Watch) -> Evaluate:
    left, right = _cast(node.left, int, watch), _cast(node.right, int, watch)
    compare = ORDERS[node.operator]
    return lambda attributes, steps: compare(left(attributes, steps), right(attributes, steps))


def _equality(node: Comparison, watch: Watch) -> Evaluate:
    """Compare both as what the right one is, which mostly is known beforehand."""
    wanted = node.operator == "="
    right = evaluator_of(node.right, watch)
    kind = type_of(node.right)
    if kind is None:
        left = evaluator_of(node.left, watch)

        def compare(attributes: Attributes, steps: Steps) -> bool:
            first, second = left(attributes, steps), right(attributes, steps)
            return (CASTS[type(second)](first) == second) is wanted

        return compare
    cast = _cast(node.left, kind, watch)
    if isinstance(node.right, Constant):
        value = node.right.value
        return lambda attributes, steps: (cast(attributes, steps) == value) is wanted
    return lambda attributes, steps: (cast(attributes, steps) == right(attributes, steps)) is wanted


def _like(node: Like, watch: Watch) -> Evaluate:
    text, matches, wanted = _cast(node.operand, str, watch), matcher_of(node.pattern), not node.negated
    return lambda attributes, steps: matches(text(attributes, steps), steps) is wanted


def _in(node: In, watch: Watch) -> Evaluate:
    operand, wanted = evaluator_of(node.operand, watch), not node.negated
    if all(isinstance(item, Constant) for item in node.items):
        values = [item.value for item in node.items if isinstance(item, Constant)]
        known = {kind: choices(values, kind) for kind in CASTS}

        def is_in_list(attributes: Attributes, steps: Steps) -> bool:
            value = operand(attributes, steps)
            return is_among(value, known[value.__class__]) is wanted

        return is_in_list
    items = [evaluator_of(item, watch) for item in node.items]

    def is_in(attributes: Attributes, steps: Steps) -> bool:
        value = operand(attributes, steps)
        return is_among(value, choices([item(attributes, steps) for item in items], type(value))) is wanted

    return is_in


def _call(node: Call, watch: Watch) -> Evaluate:
    function = function_of(node.name, len(node.arguments))
    if function is None:
        raise ValueError(f"the parser lets no call of {node.name} pass with {len(node.arguments)} arguments")
    call = function.call
    arguments = [_cast(argument, function.type_of(place), watch) for place, argument in enumerate(node.arguments)]
    return lambda attributes, steps: call(steps, *[argument(attributes, steps) for argument in arguments])
