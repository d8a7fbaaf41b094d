"""The tables of what is pushed: over WebSockets and by webhooks, and what an idle WebSocket takes."""

from collections.abc import Sequence
from statistics import median
from typing import Any, Final, NamedTuple

from bench.load import Measured
from bench.report import table
from bench.rounds import Result, Spread, ratio

__all__ = ["Idle", "Push", "idle_table", "push_json", "push_table"]

_US: Final = 1e6
_MS: Final = 1e3


class Push(NamedTuple):
    """A case of the service beside the same one of a bare program; ``what`` is what they push."""

    label: str
    what: str
    bare: Result
    own: Result


class Idle(NamedTuple):
    """What each of so many idle WebSockets adds to the memory of a server, in each round."""

    server: str
    sockets: int
    kib: list[float]


def push_table(pushes: Sequence[Push]) -> str:
    """Return the table of the fan-out and webhook cases."""
    rows = [["case", "per s", "bare", "of bare", "min..max", "p50 ms", "bare", "p99 ms", "bare", "CPU us", "bare"]]
    for label, what, bare, own in pushes:
        share = ratio(own, bare)
        rows.append(
            [
                f"{label}, {what}",
                f"{_per_s(own):,.0f}",
                f"{_per_s(bare):,.0f}",
                f"{share.median:.0%}" if share.reliable else f"{share.median:.0%} disturbed",
                f"{share.low:.0%}..{share.high:.0%}",
                *(f"{result.middle(figure):.2f}" for figure in (_p50_ms, _p99_ms) for result in (own, bare)),
                *(f"{_cpu_us(result):.1f}" for result in (own, bare)),
            ]
        )
    return table(rows)


def idle_table(idles: Sequence[Idle]) -> str:
    """Return the table of idle WebSockets."""
    rows = [["idle sockets", "number", "KiB each", "min..max"]]
    for server, sockets, kib in idles:
        spread = Spread.of(kib)
        rows.append([server, f"{sockets:,}", f"{spread.median:.1f}", f"{spread.low:.1f}..{spread.high:.1f}"])
    return table(rows)


def push_json(pushes: Sequence[Push], idles: Sequence[Idle]) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        "push": [
            {
                "case": label,
                "what": what,
                "of_bare": ratio(own, bare)._asdict(),
                "own": _result_json(own),
                "bare": _result_json(bare),
            }
            for label, what, bare, own in pushes
        ],
        "idle": [{"server": each.server, "sockets": each.sockets, "kib_each": each.kib} for each in idles],
    }


def _result_json(result: Result) -> dict[str, Any]:
    return {
        "per_s": _per_s(result),
        "p50_ms": result.middle(_p50_ms),
        "p99_ms": result.middle(_p99_ms),
        "server_cpu_us_each": _cpu_us(result),
        "rounds": [measured._asdict() for measured in result.rounds],
        "other_programs_share": result.others,
    }


def _per_s(result: Result) -> float:
    return result.rate.median * result.case.messages


def _cpu_us(result: Result) -> float:
    used_s = [each.server_cpu_s / (each.requests * result.case.messages) for each in result.rounds]
    return median(used_s) * _US


def _p50_ms(measured: Measured) -> float:
    return measured.p50_s * _MS


def _p99_ms(measured: Measured) -> float:
    return measured.p99_s * _MS
