"""What it takes to serve a load, computed from measured costs: ``python -m bench.sizing``.

The costs stand in ``costs.toml``. Nothing here is more than a product of them: a plan to begin with, to be held against
what the metrics of a running service show.
"""

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, Final, NamedTuple

__all__ = ["COSTS", "PLANS", "Load", "Need", "need", "table"]

COSTS: Final[Mapping[str, Any]] = tomllib.loads(Path(__file__).with_name("costs.toml").read_text(encoding="utf-8"))
_BUSY: Final = 0.6
"""The share of a core that is planned with: the rest is for the peak of a minute and the node that is gone."""
_POOL_CORES: Final = 16
_POOL_LOG_MB_S: Final = 200.0
_HEAD: Final = (
    "tenants",
    "posts/s",
    "cores of nodes",
    "nodes",
    "memory",
    "pools",
    "cores of databases",
    "log",
    "disk",
)


class Load(NamedTuple):
    """What is asked of a service.

    ``posts_s`` messages of ``body_bytes`` come in a second; each is claimed and deleted once. ``pushed`` and ``heard``
    say how many webhooks are called and how many WebSockets are told for each. Messages lie for ``kept_s`` seconds, and
    so many ``sockets`` are open.
    """

    tenants: int
    posts_s: float
    body_bytes: int = 1_000
    pushed: float = 0.1
    heard: float = 1.0
    kept_s: float = 3_600
    sockets: int = 0


class Need(NamedTuple):
    """What serves it: a node has one core, a pool is a database with up to 16 cores and a standby."""

    node_cores: float
    nodes: int
    node_gib: float
    pools: int
    database_cores: float
    log_mb_s: float
    disk_gb: float


PLANS: Final = (
    Load(1, 10, sockets=10),
    Load(100, 1_000, sockets=1_000),
    Load(10_000, 100_000, sockets=100_000),
    Load(10_000, 1_000_000, sockets=100_000),
)


def need(load: Load, costs: Mapping[str, Any] = COSTS) -> Need:
    """Return what it takes to serve a load."""
    message, delivery, memory, size = (costs[name] for name in ("message", "delivery", "memory", "bytes"))
    node_us = message["node_us"] + load.pushed * delivery["webhook_us"] + load.heard * delivery["frame_us"]
    node_cores = load.posts_s * node_us / 1e6
    database_cores = load.posts_s * message["database_us"] / 1e6
    log_mb_s = load.posts_s * (load.body_bytes + size["log"]) / 1e6
    nodes = ceil(node_cores / _BUSY)
    return Need(
        node_cores=node_cores,
        nodes=max(1, nodes),
        node_gib=(max(1, nodes) * memory["node_mib"] + load.sockets * memory["socket_kib"] / 1_024) / 1_024,
        pools=max(1, ceil(database_cores / _BUSY / _POOL_CORES), ceil(log_mb_s / _POOL_LOG_MB_S)),
        database_cores=database_cores,
        log_mb_s=log_mb_s,
        disk_gb=load.posts_s * load.kept_s * (load.body_bytes + size["row"]) / 1e9,
    )


def table(loads: Sequence[Load]) -> str:
    """Return the needs of some loads as a table in Markdown."""
    rows = [_HEAD, tuple("---:" for _ in _HEAD)]
    for load in loads:
        found = need(load)
        rows.append(
            (
                f"{load.tenants:,}",
                f"{load.posts_s:,.0f}",
                _round(found.node_cores),
                f"{found.nodes:,}",
                f"{_round(found.node_gib)} GiB",
                f"{found.pools:,}",
                _round(found.database_cores),
                f"{_round(found.log_mb_s)} MB/s",
                f"{_round(found.disk_gb)} GB",
            )
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _round(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def main() -> int:
    """Print the plans of the documentation, or what serves a load."""
    parser = argparse.ArgumentParser(prog="python -m bench.sizing", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--posts", type=float, metavar="N", help="messages a second; without it, some plans are shown")
    parser.add_argument("--tenants", type=int, metavar="N", default=1)
    parser.add_argument("--body", type=int, metavar="BYTES", default=1_000)
    parser.add_argument("--pushed", type=float, metavar="N", default=0.1, help="webhooks that a message reaches")
    parser.add_argument("--heard", type=float, metavar="N", default=1.0, help="WebSockets that a message reaches")
    parser.add_argument("--kept", type=float, metavar="SECONDS", default=3_600, help="how long messages lie")
    parser.add_argument("--sockets", type=int, metavar="N", default=0, help="WebSockets that are open")
    given = parser.parse_args()
    if given.posts is None:
        print(table(PLANS))
    else:
        print(
            table([Load(given.tenants, given.posts, given.body, given.pushed, given.heard, given.kept, given.sockets)])
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
