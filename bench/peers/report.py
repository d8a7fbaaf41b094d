"""The tables for people and the figures for programs."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any, Final, NamedTuple

from bench.peers.measuring import LIST, POST, PUSH, TAKE, Sample

__all__ = ["Found", "as_json", "goals", "tables"]

_TITLES: Final = {
    POST: "Posts, one message each",
    TAKE: "Claims of ten messages with their deletion, figures for each message",
    LIST: "Listings of twenty messages",
    PUSH: "From the post of a message to its arrival at a listener, one at a time",
}
_MS: Final = 1e3
_OF_ZAQAR_MAX: Final = 1 / 100
_OF_P50_MAX: Final = 4.0


class Found(NamedTuple):
    """What was measured of a peer: the samples of each case and the memory at the end."""

    name: str
    durability: str
    samples: Mapping[str, Sequence[Sample]]
    memory_mib: float

    def middle(self, case: str, figure: str) -> float:
        """Return the median of a figure over the rounds."""
        middle: float = median(getattr(sample, figure) for sample in self.samples[case])
        return middle


def tables(found: Sequence[Found]) -> str:
    """Return everything as tables in Markdown."""
    parts = [_peers(found)]
    for case, title in _TITLES.items():
        rows = [_row(each, case) for each in found if each.samples.get(case)]
        if rows:
            head = ["", "per s", "p50 ms", "p99 ms", "CPU us", "client"]
            parts.append(f"**{title}**\n\n{_markdown([head, *rows])}")
    return "\n\n".join(parts)


def goals(found: Sequence[Found]) -> list[str]:
    """Return in sentences what was hoped for and what came of it."""
    by_name = {each.name: each for each in found}
    sukkal = by_name.get("Sukkal")
    told: list[str] = []
    for name, zaqar in by_name.items():
        if sukkal is None or not name.startswith("Zaqar") or "webhook" in name:
            continue
        for case, noun in ((POST, "post"), (TAKE, "message claimed and deleted"), (LIST, "listing")):
            if sukkal.samples.get(case) and zaqar.samples.get(case):
                share = sukkal.middle(case, "cpu_us") / zaqar.middle(case, "cpu_us")
                verdict = _verdict(share <= _OF_ZAQAR_MAX)
                told.append(f"CPU for each {noun}: 1/{1 / share:.0f} of that of {name}; wanted 1/100: {verdict}")
    if sukkal is not None and sukkal.samples.get(POST):
        ratio = median(sample.p99_s / sample.p50_s for sample in sukkal.samples[POST])
        told.append(f"p99 of posts: {ratio:.1f} times p50; wanted at most 4: {_verdict(ratio <= _OF_P50_MAX)}")
    return told


def as_json(found: Sequence[Found]) -> list[dict[str, Any]]:
    """Return every sample."""
    return [
        {
            "peer": each.name,
            "durability": each.durability,
            "memory_mib": each.memory_mib,
            "cases": {case: [sample._asdict() for sample in samples] for case, samples in each.samples.items()},
        }
        for each in found
    ]


def _peers(found: Sequence[Found]) -> str:
    rows = [[each.name, each.durability, f"{each.memory_mib:,.0f}"] for each in found]
    return _markdown([["", "an acknowledged message is", "memory MiB"], *rows])


def _row(found: Found, case: str) -> list[str]:
    load = median(sample.load_s / sample.seconds for sample in found.samples[case])
    return [
        found.name,
        f"{found.middle(case, 'rate'):,.0f}" if case != PUSH else "",
        f"{found.middle(case, 'p50_s') * _MS:.2f}",
        f"{found.middle(case, 'p99_s') * _MS:.2f}",
        f"{found.middle(case, 'cpu_us'):,.0f}",
        f"{load:.0%}",
    ]


def _verdict(met: bool) -> str:
    return "met" if met else "MISSED"


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    columns = [column for column in zip(*rows, strict=True) if any(column[1:])]
    head, *others = zip(*columns, strict=True)
    lines = [head, ("---", *["---:" if _is_number(cell) else "---" for cell in others[0][1:]]), *others]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").rstrip("%").isdigit()
