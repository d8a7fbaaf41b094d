"""Trace contexts as requests bring them: well-formed ones are believed, others say nothing."""

import subprocess
import sys
from typing import Final

import pytest

from sukkal import limits
from sukkal.tracing import Trace, trace_of

GOOD: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.mark.parametrize("parent", [GOOD, GOOD[:-2] + "00", "01" + GOOD[2:], "01" + GOOD[2:] + "-more"])
def test_a_well_formed_context_is_taken_as_it_is(parent: str) -> None:
    assert trace_of({"traceparent": parent, "tracestate": "a=1"}) == Trace(parent, "a=1")


@pytest.mark.parametrize(
    "parent",
    [None, "", GOOD + "\u00e9", GOOD + "\n", GOOD + "-", "01" + GOOD[2:] + "x", "01" + GOOD[2:] + "-" + "x" * 200],
)
def test_another_one_says_nothing(parent: str | None) -> None:
    assert trace_of({"traceparent": parent}) is None


@pytest.mark.parametrize("state", ["x" * (limits.TRACE_STATE_CHARS_MAX + 1), "a=\u00e9", "a=1\r\nb: 2"])
def test_a_state_that_cannot_be_passed_on_is_left_out_and_the_context_stays(state: str) -> None:
    assert trace_of({"traceparent": GOOD, "tracestate": state}) == Trace(GOOD)


def test_nothing_of_opentelemetry_is_loaded_by_a_service_that_exports_no_traces() -> None:
    program = (
        "import sys, sukkal.app.process; print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
