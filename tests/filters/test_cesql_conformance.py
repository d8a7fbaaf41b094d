"""The conformance kit of the CloudEvents SQL expression language, case by case."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from sukkal.filters.cesql.failures import BadExpression
from sukkal.filters.cesql.parser import parse
from sukkal.filters.cesql.watching import evaluate

KIT: Final = Path(__file__).parents[1] / "vectors" / "cesql_tck"
# What the kit leaves open when it says only what differs from any valid event.
EVENT: Final = {"specversion": "1.0", "id": "myId", "source": "http://localhost.localdomain", "type": "myType"}


class TextOfTimes(yaml.SafeLoader):
    """Leaves moments as the text that they are, as they are in an event."""


TextOfTimes.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def cases() -> Iterator[Any]:
    for path in sorted(KIT.glob("*.yaml")):
        for number, case in enumerate(yaml.load(path.read_text(), TextOfTimes)["tests"]):
            yield pytest.param(case, id=f"{path.stem}-{number}-{case['name']}")


@pytest.mark.parametrize("case", list(cases()))
def test_the_case_of_the_kit_passes(case: Mapping[str, Any]) -> None:
    attributes = case.get("event") or EVENT | case.get("eventOverrides", {})
    value, error = answer(case["expression"], attributes)
    assert error == case.get("error")
    if "result" in case:
        assert (type(value), value) == (type(case["result"]), case["result"])


def answer(expression: Any, attributes: Mapping[str, Any]) -> tuple[object, str | None]:
    """Return what an expression yields, and the kind of its error; one that is refused yields false."""
    text = str(expression).upper() if isinstance(expression, bool) else str(expression)
    try:
        outcome = evaluate(parse(text), attributes)
    except BadExpression as bad:
        return False, str(bad.kind)
    return outcome.value, None if outcome.failure is None else str(outcome.failure.kind)


def test_the_whole_kit_is_there() -> None:
    assert len(list(KIT.glob("*.yaml"))) == 18
    assert len(list(cases())) == 275
