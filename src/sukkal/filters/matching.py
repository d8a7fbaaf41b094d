"""Whether an event passes filters: they are made into closures once, which then look at one event after another."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from sukkal import limits
from sukkal.filters.cesql.evaluating import evaluator_of
from sukkal.filters.cesql.failures import Failure, Steps
from sukkal.filters.cesql.tree import size_of
from sukkal.filters.dialects import AllOf, AnyOf, Filter, Not, Sql, Texts
from sukkal.filters.values import Attributes, as_text

__all__ = ["Passes", "compiled", "demanded", "parts", "weight"]

Passes = Callable[[Attributes], bool]
"""Tells whether an event passes. It never fails, and costs no more than ``FILTER_STEPS_MAX`` steps."""

_Test = Callable[[Attributes, Steps], bool]


def compiled(filters: Filter) -> Passes:
    """Return what tells whether an event passes the filters."""
    test = _test(filters)
    return lambda attributes: test(attributes, Steps())


def demanded(filters: Filter) -> tuple[str, str] | None:
    """Return an attribute and the value that it must have, written as text, if there is one without which none pass."""
    match filters:
        case Texts("exact", ((name, text), *_)):
            return name, text
        case AllOf(several):
            return next(filter(None, map(demanded, several)), None)
        case AnyOf((one,)):
            return demanded(one)
    return None


def weight(filters: Filter) -> int:
    """Return about what it costs at most to look at an event, in attributes compared."""
    match filters:
        case Texts(_, wanted):
            return len(wanted)
        case AllOf(several) | AnyOf(several):
            return sum(map(weight, several))
        case Not(one):
            return weight(one)
        case Sql(tree):
            return limits.EXPRESSION_WEIGHT + size_of(tree)


def parts(filters: Filter) -> int:
    """Return of how many parts the filters are made: filters, attributes, parts of expressions."""
    match filters:
        case Texts(_, wanted):
            return 1 + len(wanted)
        case AllOf(several) | AnyOf(several):
            return 1 + sum(map(parts, several))
        case Not(one):
            return 1 + parts(one)
        case Sql(tree):
            return 1 + size_of(tree)


def _test(filters: Filter) -> _Test:
    match filters:
        case Texts(dialect, wanted):
            return _all([_text(dialect, name, text) for name, text in wanted])
        case AllOf(several):
            return _all(list(map(_test, several)))
        case AnyOf(several):
            return _any(several)
        case Not(one):
            test = _test(one)
            return lambda attributes, steps: not test(attributes, steps)
        case Sql():
            return _sql(filters)


def _all(tests: list[_Test]) -> _Test:
    if len(tests) == 1:
        return tests[0]

    def every(attributes: Attributes, steps: Steps) -> bool:
        for test in tests:  # noqa: SIM110  a generator costs as much as a test
            if not test(attributes, steps):
                return False
        return True

    return every


def _any(filters: Sequence[Filter]) -> _Test:
    """Return what tells whether one of the filters passes; neighbours that compare one attribute are one lookup."""
    tests: list[_Test] = []
    for name, neighbours in groupby(filters, _compared):
        same = list(neighbours)
        tests += list(map(_test, same)) if name is None else [_among(name, same)]
    if len(tests) == 1:
        return tests[0]

    def some(attributes: Attributes, steps: Steps) -> bool:
        for test in tests:  # noqa: SIM110
            if test(attributes, steps):
                return True
        return False

    return some


def _compared(one: Filter) -> str | None:
    """Return the attribute that a filter compares with a text, if it does nothing else."""
    match one:
        case Texts("exact", ((name, _),)):
            return name
    return None


def _among(name: str, filters: Iterable[Filter]) -> _Test:
    texts = {text for each in filters if isinstance(each, Texts) for _, text in each.wanted}

    def is_one(attributes: Attributes, _: Steps) -> bool:
        value = attributes.get(name)
        return value is not None and as_text(value) in texts

    return is_one


def _text(dialect: str, name: str, wanted: str) -> _Test:
    def is_wanted(attributes: Attributes, _: Steps) -> bool:
        value = attributes.get(name)
        return value == wanted or (value is not None and value.__class__ is not str and as_text(value) == wanted)

    def begins(attributes: Attributes, _: Steps) -> bool:
        value = attributes.get(name)
        return value is not None and (value if isinstance(value, str) else as_text(value)).startswith(wanted)

    def ends(attributes: Attributes, _: Steps) -> bool:
        value = attributes.get(name)
        return value is not None and (value if isinstance(value, str) else as_text(value)).endswith(wanted)

    return {"exact": is_wanted, "prefix": begins, "suffix": ends}[dialect]


def _sql(sql: Sql) -> _Test:
    evaluate = evaluator_of(sql.tree)

    def test(attributes: Attributes, steps: Steps) -> bool:
        try:
            return evaluate(attributes, steps) is True
        except Failure:
            return False

    return test
