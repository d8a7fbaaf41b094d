"""What it costs to know who is asking: the same requests with and without authentication and a policy."""

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bench.growth import Comparison
from bench.processes import Cores, Server, service_command
from bench.rounds import Case, Result, Target
from bench.workloads import Listing, Posting, queues_of
from sukkal.identity.keys import Key, create_key, format_keys

__all__ = ["ACCESS", "measure_access"]

ACCESS: Final = "access"
WORST_WANTED: Final = 1 / 0.9
"""At most a tenth of the requests per second."""

_KEYS: Final = 1_000
_CONNECTIONS: Final = (16, 64)
_POLICY: Final = {
    "messages:create": "role:writer or role:admin",
    "messages:get_all": "role:reader or rule:messages:create",
}


def measure_access(
    directory: Path, cores: Cores, *, measure: Callable[[Sequence[Case]], list[Result]]
) -> list[Comparison]:
    """Measure posts and listings on an open service and on one with keys and a policy of its own."""
    directory.mkdir()
    flags, token = _guard(directory)
    with (
        _server(directory, "open", cores) as plain,
        _server(directory, "guarded", cores, *flags) as guarded,
    ):
        cases = [
            case
            for connections in _CONNECTIONS
            for name in ("post1", "list")
            for case in (
                _case(name, connections, Target.of(plain), ""),
                _case(name, connections, Target.of(guarded), token),
            )
        ]
        results = measure(cases)
    pairs = zip(results[::2], results[1::2], strict=True)
    return [
        Comparison(
            f"{small.case.name}, {small.case.connections} connections: guarded against open", small, large, WORST_WANTED
        )
        for small, large in pairs
    ]


def _case(name: str, connections: int, target: Target, token: str) -> Case:
    queue = f"{name}-{connections}"
    workload = Posting(queue, 1, token=token) if name == "post1" else Listing(queues_of(queue), token=token)
    return Case(name, connections, target, workload)


def _server(directory: Path, name: str, cores: Cores, *flags: str) -> Server:
    return Server(service_command(directory / name, *flags), core=cores.server, log=directory / f"{name}.log")


def _guard(directory: Path) -> tuple[list[str], str]:
    """Write the files of a guarded service; return the flags that name them, and a token."""
    now_ms = time.time_ns() // 1_000_000
    entries: dict[str, Key] = {}
    token = ""
    for number in range(_KEYS):
        key, text = create_key(
            project=f"bench-{number % 100}",
            name=str(number),
            roles=("writer",),
            expires=None,
            now_ms=now_ms,
            taken=entries,
        )
        entries[key.id] = key
        token = text
    files = {"keys": format_keys(entries.values()), "policy": json.dumps(_POLICY)}
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    named = [word for name in files for word in (f"--{name}-file", str(directory / name))]
    return ["--auth", "keys", *named], token
