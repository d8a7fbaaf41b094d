"""The two ends of what `bench.oslo` measures: ``serve URL`` and ``measure URL CASTS CALLS``.

They run where oslo.messaging is installed.
"""

import json
import statistics
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import oslo_messaging
from oslo_config import cfg

THREADS = 8
TOPIC = "bench"


class Endpoint:
    def __init__(self) -> None:
        self.done = 0
        self._counting = threading.Lock()

    def note(self, _context: dict[str, Any], text: str) -> None:
        with self._counting:
            self.done += 1

    def echo(self, _context: dict[str, Any], text: str) -> str:
        return text

    def count(self, _context: dict[str, Any]) -> int:
        return self.done


def serve(url: str) -> None:
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    target = oslo_messaging.Target(topic=TOPIC, server="one")
    server = oslo_messaging.get_rpc_server(transport, target, [Endpoint()], executor="threading")
    server.start()
    print("ready", flush=True)
    sys.stdin.read()
    server.stop()
    server.wait()
    transport.cleanup()


def in_threads(work: Callable[[], None], threads: int) -> float:
    """Return how many seconds it takes until all threads have done the work."""
    begun = time.perf_counter()
    running = [threading.Thread(target=work) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    return time.perf_counter() - begun


def measure(url: str, casts: int, calls: int) -> None:
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    client = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic=TOPIC), timeout=30)
    found: dict[str, float] = {}
    client.call({}, "echo", text="x")
    for threads in (1, THREADS):
        before, share = client.call({}, "count"), casts // threads

        def cast(share: int = share) -> None:
            for _ in range(share):
                client.cast({}, "note", text="x" * 200)

        begun = time.perf_counter()
        found[f"casts/s sent by {threads}"] = share * threads / in_threads(cast, threads)
        while client.call({}, "count") < before + share * threads:
            time.sleep(0.01)
        found[f"casts/s done for {threads}"] = share * threads / (time.perf_counter() - begun)
    for threads in (1, THREADS):
        lasted_ms: list[float] = []
        share = calls // threads

        def call(share: int = share, lasted_ms: list[float] = lasted_ms) -> None:
            for _ in range(share):
                begun = time.perf_counter()
                client.call({}, "echo", text="x" * 200)
                lasted_ms.append((time.perf_counter() - begun) * 1000)

        took_s = in_threads(call, threads)
        found[f"calls/s by {threads}"] = share * threads / took_s
        found[f"call ms by {threads}, median"] = statistics.median(lasted_ms)
        found[f"call ms by {threads}, 99 %"] = statistics.quantiles(lasted_ms, n=100)[98]
    transport.cleanup()
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    cfg.CONF([], project="bench")
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        measure(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
