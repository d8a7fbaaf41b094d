"""An RPC server: ``python server.py URL SERVER``. It says what it does, and ends with its stdin."""

import os
import sys
import time
from typing import Any

import oslo_messaging
from oslo_config import cfg

__all__: list[str] = []


class Endpoint:
    """Says of each message what it was, before it is acknowledged or replied to."""

    def note(self, _context: dict[str, Any], number: int, kind: str = "cast") -> int:
        os.write(1, f"{kind} {number}\n".encode())
        return number * 2

    def rest(self, _context: dict[str, Any], seconds: float) -> float:
        time.sleep(seconds)
        return seconds

    def fail(self, _context: dict[str, Any], text: str) -> None:
        raise ValueError(text)


def main() -> None:
    url, name = sys.argv[1:]
    cfg.CONF([], project="tests")
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    target = oslo_messaging.Target(topic="ledger", server=name)
    server = oslo_messaging.get_rpc_server(transport, target, [Endpoint()], executor="threading")
    server.start()
    os.write(1, b"ready\n")
    sys.stdin.read()
    server.stop()
    server.wait()
    transport.cleanup()


if __name__ == "__main__":
    main()
