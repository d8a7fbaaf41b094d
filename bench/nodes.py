"""What a message costs with several nodes, in CPU time of all and of the database: ``python -m bench.nodes``.

So many callers for each node post, claim and delete over HTTP, at one node and at several in turn, so that what
disturbs the machine disturbs both. The client's time is not counted. With as many nodes as one likes a message must
not cost much more, if they have enough to do: see docs/explanation/sizing.md. With ``--pools`` one node on one pool
stands against several nodes on several pools, each with a server of its own. What a server has acknowledged is on the
disk.
"""

import argparse
import asyncio
import os
import statistics
import sys
from contextlib import ExitStack, closing
from pathlib import Path
from time import perf_counter
from typing import Final, NamedTuple

import uvloop
from tests.engines.postgresql_server import PostgreSQL
from tests.faults.exchange import Connection
from tests.nodes.asking import ask
from tests.serving import ServerProcess

__all__: list[str] = []

_BODY: Final = "x" * 200
_WANTED_MORE: Final = 0.15
_SETTLED_S: Final = 32
_TICK_S: Final = 1 / os.sysconf("SC_CLK_TCK")


class Round(NamedTuple):
    """CPU time for each message, of the nodes and of the database, and messages in a second."""

    nodes_us: float
    database_us: float
    per_s: float

    @property
    def all_us(self) -> float:
        """CPU time for each message."""
        return self.nodes_us + self.database_us


async def _caller(node: ServerProcess, queue: str, times: int) -> None:
    """Post two messages, claim them and delete them, again and again."""
    connection = await Connection.open(node.host, node.port)
    posted = {"messages": [{"body": _BODY, "ttl": 300}] * 2}
    for _ in range(times):
        answer = await connection.ask("POST", f"/v2/queues/{queue}/messages", posted)
        assert answer.status == 201, answer
        claimed = await connection.ask("POST", f"/v2/queues/{queue}/claims?limit=2", {"ttl": 300, "grace": 60})
        if claimed.status == 201:
            messages = claimed.document["messages"]
            claim = messages[0]["href"].partition("claim_id=")[2]
            ids = ",".join(each["id"] for each in messages)
            path = f"/v2/queues/{queue}/messages?ids={ids}&claim_ids={claim}"
            assert (await connection.ask("DELETE", path)).status == 204
    await connection.close()


class Deployment:
    """Some nodes on a database, or on a store and as many pools, each with a server of its own."""

    def __init__(self, nodes: int, pools: int) -> None:
        self._opened = ExitStack()
        try:
            self._servers = [self._opened.enter_context(PostgreSQL(durable=True)) for _ in range(1 + pools)]
            store, *uris = [server.new_store() for server in self._servers]
            self._nodes = [
                self._opened.enter_context(ServerProcess(store, "--log-level", "warning")) for _ in range(nodes)
            ]
            self._uris = uris
        except BaseException:
            self._opened.close()
            raise

    def close(self) -> None:
        """Stop all of it."""
        self._opened.close()

    async def prepare(self) -> None:
        """Make the pools, and return when they take new queues."""
        for number, uri in enumerate(self._uris):
            made = await ask(self._nodes[0], "PUT", f"/v2/pools/p{number}", {"uri": uri, "weight": 100}, roles="admin")
            assert made.status == 201, made
        if self._uris:
            await asyncio.sleep(_SETTLED_S)

    async def measured(self, options: argparse.Namespace, nodes: int) -> Round:
        """Let callers work at so many of the nodes, and return what a message cost."""
        used = self._nodes[:nodes]
        before_s, database_s, start_s = self._nodes_cpu_s(), self._databases_cpu_s(), perf_counter()
        calls = [
            _caller(used[number % nodes], f"queue-{number % (options.queues * nodes)}", options.times)
            for number in range(options.callers * nodes)
        ]
        await asyncio.gather(*calls)
        messages = 2 * len(calls) * options.times
        return Round(
            (self._nodes_cpu_s() - before_s) * 1e6 / messages,
            (self._databases_cpu_s() - database_s) * 1e6 / messages,
            messages / (perf_counter() - start_s),
        )

    def _nodes_cpu_s(self) -> float:
        return sum(_cpu_s(node.pid) for node in self._nodes)

    def _databases_cpu_s(self) -> float:
        return sum(_family_cpu_s(server.pid) for server in self._servers)


def _cpu_s(pid: int) -> float:
    """Return the time that a process has taken, and those of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
    return sum(map(int, fields[11:15])) * _TICK_S


def _family_cpu_s(pid: int) -> float:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return _cpu_s(pid) + sum(_cpu_s(int(child)) for child in children)


def _compare(options: argparse.Namespace) -> bool:
    many = options.nodes
    with ExitStack() as stack:
        if options.pools:
            small = stack.enter_context(closing(Deployment(1, 1)))
            large = stack.enter_context(closing(Deployment(many, options.pools)))
        else:
            small = large = stack.enter_context(closing(Deployment(many, 0)))
        found: dict[int, list[Round]] = {1: [], many: []}
        for each in {small, large}:
            uvloop.run(each.prepare())
        for _ in range(options.rounds + 1):
            for nodes, rounds in found.items():
                rounds.append(uvloop.run((small if nodes == 1 else large).measured(options, nodes)))
    costs = []
    for nodes, rounds in found.items():
        nodes_us, database_us, per_s = (statistics.median(each) for each in zip(*rounds[1:], strict=True))
        costs.append(nodes_us + database_us)
        print(f"{nodes} nodes: {nodes_us:6.1f} us of nodes, {database_us:6.1f} us of databases, {per_s:7.0f}/s")
    more = costs[1] / costs[0] - 1
    print(f"{more:+.1%} a message; {_WANTED_MORE:+.0%} at most is wanted")
    return bool(more <= _WANTED_MORE)


def main() -> int:
    """Run and report; the exit code is 1 if a message costs too much more."""
    parser = argparse.ArgumentParser(prog="python -m bench.nodes", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--pools", type=int, default=0, help="as many pools, against one node on one pool")
    parser.add_argument("--callers", type=int, default=128, help="at each node")
    parser.add_argument("--queues", type=int, default=12, help="for each node")
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=5)
    return 0 if _compare(parser.parse_args()) else 1


if __name__ == "__main__":
    sys.exit(main())
