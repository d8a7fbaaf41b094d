"""Why an event passed filters or not: what each part of them came to, and what was compared."""

import msgspec

from sukkal import limits
from sukkal.filters.cesql.failures import Steps
from sukkal.filters.cesql.printing import beginnings
from sukkal.filters.cesql.tree import Comparison, Constant, Node, Scalar, parts_of
from sukkal.filters.cesql.watching import Outcome, outcomes
from sukkal.filters.dialects import AllOf, AnyOf, Filter, Not, Sql, Texts
from sukkal.filters.matching import compiled
from sukkal.filters.values import Attributes, shown

__all__ = ["Explanation", "explain"]


class Explanation(msgspec.Struct, frozen=True):
    """What one part of a filter came to: ``result`` is whether the event passed it.

    A part of an expression has what it yields as its result, and ``None`` when it was not looked at. The longest texts
    are cut.
    """

    part: str
    result: Scalar | None
    reason: str
    parts: "tuple[Explanation, ...]" = ()


class _Budget(msgspec.Struct, frozen=True):
    """What looking may cost.

    Matching ends where the answer is known; only there may an explanation spend more, or else it could come to another
    answer.
    """

    known: Steps
    unknown: Steps


def explain(filters: Filter, attributes: Attributes) -> Explanation:
    """Return why the event passes the filters or not; the answer is the one that matching gives."""
    return _explained(filters, attributes, _Budget(Steps(), Steps()))


def _explained(filters: Filter, attributes: Attributes, budget: _Budget) -> Explanation:
    match filters:
        case Texts():
            return _texts(filters, attributes)
        case AllOf(several):
            parts = _several(several, attributes, budget, decisive=False)
            missed = sum(part.result is False for part in parts)
            return Explanation("all", missed == 0, f"{missed} of {len(parts)} did not pass", parts)
        case AnyOf(several):
            parts = _several(several, attributes, budget, decisive=True)
            passed = sum(part.result is True for part in parts)
            return Explanation("any", passed > 0, f"{passed} of {len(parts)} passed", parts)
        case Not(one):
            part = _explained(one, attributes, budget)
            return Explanation(
                "not", not part.result, f"the filter {'passed' if part.result else 'did not pass'}", (part,)
            )
        case Sql(tree):
            return _sql(tree, attributes, budget.unknown)


def _several(
    filters: tuple[Filter, ...], attributes: Attributes, budget: _Budget, *, decisive: bool
) -> tuple[Explanation, ...]:
    parts: list[Explanation] = []
    for each in filters:
        parts.append(_explained(each, attributes, budget))
        if parts[-1].result is decisive:
            budget = _Budget(budget.known, budget.known)
    return tuple(parts)


def _texts(texts: Texts, attributes: Attributes) -> Explanation:
    parts = tuple(_text(texts.dialect, name, wanted, attributes) for name, wanted in texts.wanted)
    if len(parts) == 1:
        return parts[0]
    missed = sum(not part.result for part in parts)
    return Explanation(texts.dialect, missed == 0, f"{missed} of {len(parts)} did not pass", parts)


def _text(dialect: str, name: str, wanted: str, attributes: Attributes) -> Explanation:
    part, value = f"{dialect} {name}", attributes.get(name)
    if value is None:
        return Explanation(part, False, f"the event has no attribute {name}")
    passes = compiled(Texts(dialect, ((name, wanted),)))(attributes)
    verb = {
        "exact": "is" if passes else "is not",
        "prefix": "begins with" if passes else "does not begin with",
        "suffix": "ends with" if passes else "does not end with",
    }[dialect]
    return Explanation(part, passes, f"{shown(value)} {verb} {shown(wanted)}")


def _sql(tree: Node, attributes: Attributes, steps: Steps) -> Explanation:
    found = outcomes(tree, attributes, steps)
    outcome = found[id(tree)]
    if outcome.failure is not None:
        reason = f"an error, which never passes: {outcome.failure.problem}"
    elif isinstance(outcome.value, bool):
        reason = f"it yields {shown(outcome.value)}"
    else:
        reason = f"it yields {shown(outcome.value)}, which is neither true nor false"
    passes = outcome.failure is None and outcome.value is True
    # One character more tells that there is more.
    texts = beginnings(tree, limits.EXPRESSION_SHOWN_CHARS_MAX + 1)
    return Explanation("sql", passes, reason, (_expression(tree, found, texts),))


def _expression(node: Node, found: dict[int, Outcome], texts: dict[int, str]) -> Explanation:
    parts = tuple([_expression(part, found, texts) for part in parts_of(node) if not isinstance(part, Constant)])
    outcome = found.get(id(node))
    text = _cut(texts[id(node)], limits.EXPRESSION_SHOWN_CHARS_MAX)
    if outcome is None:
        return Explanation(text, None, "not looked at, as what stands before it decided", parts)
    value = outcome.value
    result = _cut(value, limits.FILTER_SHOWN_CHARS_MAX) if isinstance(value, str) else value
    return Explanation(text, result, _reason(node, outcome, found), parts)


def _reason(node: Node, outcome: Outcome, found: dict[int, Outcome]) -> str:
    """Return what went wrong in this part, else what was compared, else nothing."""
    if outcome.failure is not None:
        return outcome.failure.problem if outcome.failure.part is node else "a part of it has an error"
    if isinstance(node, Comparison):
        return f"{_value(node.left, found)} {node.operator} {_value(node.right, found)}"
    return ""


def _value(node: Node, found: dict[int, Outcome]) -> str:
    return shown(node.value if isinstance(node, Constant) else found[id(node)].value)


def _cut(text: str, chars_max: int) -> str:
    return text if len(text) <= chars_max else text[:chars_max] + "..."
