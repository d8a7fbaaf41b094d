"""The tables for people and the JSON for programs."""

import os
import platform
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.cases import NOOP
from bench.growth import Comparison
from bench.load import Measured
from bench.rounds import BEARABLE_SHARE, Ratio, Result, ratio

__all__ = ["Machine", "as_json", "disturbance_note", "generator_table", "growth_table", "main_table", "table"]

_SYNCS: Final = 200
_SYNCED_BYTES: Final = 4_096

_US: Final = 1e6
_MS: Final = 1e3


class Machine:
    """What the figures depend on besides the service."""

    def __init__(self, directory: Path) -> None:
        self.processor = _processor()
        self.python = platform.python_version()
        self.sync_ms = _sync_ms(directory / "sync-probe")

    def text(self) -> str:
        """Return it in one line."""
        return f"{self.processor}; Python {self.python}; writing 4 KiB to disk takes {self.sync_ms:.2f} ms (median)"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return f"{line.partition(':')[2].strip()}, {os.cpu_count()} cores"
    return f"{platform.machine()}, {os.cpu_count()} cores"


def _sync_ms(path: Path) -> float:
    took_s = []
    with path.open("wb", buffering=0) as probe:
        for _ in range(_SYNCS):
            began_s = time.perf_counter()
            probe.write(bytes(_SYNCED_BYTES))
            os.fdatasync(probe.fileno())
            took_s.append(time.perf_counter() - began_s)
    path.unlink()
    return median(took_s) * _MS


def _noop_for(result: Result, results: Iterable[Result]) -> Result | None:
    if result.case.name == NOOP:
        return None
    for other in results:
        if other.case.name == NOOP and other.case.connections == result.case.connections:
            return other
    return None


def main_table(results: Sequence[Result]) -> str:
    """Return the table of the main part; without no-op cases it has no ratios."""
    rows = [
        [
            "case",
            "conns",
            "requests/s",
            "messages/s",
            "of no-op",
            "min..max",
            "wanted",
            "p50 ms",
            "p99 ms",
            "CPU us",
            "load",
        ]
    ]
    for result in results:
        case, noop = result.case, _noop_for(result, results)
        share = ratio(result, noop) if noop else None
        rows.append(
            [
                case.name,
                str(case.connections),
                f"{result.rate.median:,.0f}",
                f"{result.rate.median * case.messages:,.0f}" if case.messages else "",
                f"{share.median:.0%}" if share else "",
                f"{share.low:.0%}..{share.high:.0%}" if share else "",
                _verdict(share, share.median >= case.wanted, f">= {case.wanted:.0%}") if share and case.wanted else "",
                f"{result.middle(_p50_ms):.2f}",
                f"{result.middle(_p99_ms):.2f}",
                f"{result.middle(_cpu_us):.0f}" if case.target.process else "",
                f"{result.middle(_load_share):.0%}",
            ]
        )
    return table(rows)


def growth_table(comparisons: Sequence[Comparison]) -> str:
    """Return the table of the growth cases."""
    rows = [["case", "requests/s", "without", "cost", "min..max", "wanted", "p99 ms", "without", "CPU us", "without"]]
    for label, small, large, worst in comparisons:
        cost = ratio(small, large)
        rows.append(
            [
                label,
                f"{large.rate.median:,.0f}",
                f"{small.rate.median:,.0f}",
                f"{cost.median:.2f}x",
                f"{cost.low:.2f}..{cost.high:.2f}",
                _verdict(cost, cost.median <= worst, f"<= {worst:.3g}x"),
                f"{large.middle(_p99_ms):.2f}",
                f"{small.middle(_p99_ms):.2f}",
                f"{large.middle(_cpu_us):.0f}",
                f"{small.middle(_cpu_us):.0f}",
            ]
        )
    return table(rows)


def generator_table(results: Sequence[Result]) -> str:
    """Return the table of what the load generator can do."""
    rows = [["conns", "requests/s", "min..max", "p50 ms", "p99 ms", "load us", "load"]]
    for result in results:
        rate = result.rate
        rows.append(
            [
                str(result.case.connections),
                f"{rate.median:,.0f}",
                f"{rate.low:,.0f}..{rate.high:,.0f}",
                f"{result.middle(_p50_ms):.2f}",
                f"{result.middle(_p99_ms):.2f}",
                f"{result.middle(_load_us):.1f}",
                f"{result.middle(_load_share):.0%}",
            ]
        )
    return table(rows)


def disturbance_note(results: Sequence[Result]) -> str:
    """Return in a sentence how much other programs disturbed the measurements."""
    others = [share for result in results if result.case.target.process for share in result.others]
    if not others:
        return ""
    disturbed = sum(share > BEARABLE_SHARE for share in others)
    note = f"Other programs took {median(others):.0%} of the two cores (median), {max(others):.0%} at worst."
    if disturbed:
        note += f" {disturbed} of {len(others)} measurements were disturbed: measure again on a quiet machine."
    return note


def as_json(
    machine: Machine,
    parameters: dict[str, Any],
    results: Sequence[Result],
    comparisons: Sequence[Comparison],
) -> dict[str, Any]:
    """Return everything that was measured."""
    return {
        "machine": {"processor": machine.processor, "python": machine.python, "sync_ms": machine.sync_ms},
        "parameters": parameters,
        "cases": [_case_json(result, _noop_for(result, results)) for result in results],
        "growth": [
            {
                "case": label,
                "cost": cost._asdict(),
                "wanted_max": worst,
                "met": cost.median <= worst if cost.reliable else None,
                "large": _case_json(large, None),
                "small": _case_json(small, None),
            }
            for label, small, large, worst in comparisons
            for cost in (ratio(small, large),)
        ],
    }


def _case_json(result: Result, noop: Result | None) -> dict[str, Any]:
    case = result.case
    found: dict[str, Any] = {
        "case": case.name,
        "connections": case.connections,
        "requests_per_s": result.rate._asdict(),
        "messages_per_request": case.messages or None,
        "rounds": [
            _round_json(measured, share, own=case.target.process is not None)
            for measured, share in zip(result.rounds, result.others, strict=True)
        ],
    }
    if noop is not None:
        share = ratio(result, noop)
        found["of_noop"] = share._asdict()
        if case.wanted is not None:
            found |= {"wanted_min": case.wanted, "met": share.median >= case.wanted if share.reliable else None}
    return found


def _round_json(measured: Measured, others: float, *, own: bool) -> dict[str, Any]:
    return {
        "requests": measured.requests,
        "seconds": measured.seconds,
        "p50_ms": _p50_ms(measured),
        "p99_ms": _p99_ms(measured),
        "server_cpu_us_per_request": _cpu_us(measured) if own else None,
        "load_cpu_us_per_request": _load_us(measured),
        "other_programs_share": others if own else None,
    }


def _p50_ms(measured: Measured) -> float:
    return measured.p50_s * _MS


def _p99_ms(measured: Measured) -> float:
    return measured.p99_s * _MS


def _cpu_us(measured: Measured) -> float:
    return measured.server_cpu_s / measured.requests * _US


def _load_us(measured: Measured) -> float:
    return measured.load_cpu_s / measured.requests * _US


def _load_share(measured: Measured) -> float:
    return measured.load_cpu_s / measured.seconds


def _verdict(found: Ratio, met: bool, wanted: str) -> str:
    if not found.reliable:
        return f"{wanted} disturbed"
    return f"{wanted} {'met' if met else 'MISSED'}"


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return rows in columns, the first to the left, the others to the right; a mere heading makes no column."""
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    padded = []
    for number, column in enumerate(columns):
        width = max(map(len, column))
        cells = [cell.rjust(width) if number else cell.ljust(width) for cell in column]
        padded.append([cells[0], "-" * width, *cells[1:]])
    return "\n".join("  ".join(line).rstrip() for line in zip(*padded, strict=True))
