"""An RPC client: ``python client.py URL COUNT TIMEOUT``. It says of each cast and call, in turn, how it went."""

import sys
import time

import oslo_messaging
from oslo_config import cfg

__all__: list[str] = []


def main() -> None:
    url, count, timeout = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    cfg.CONF([], project="tests")
    transport = oslo_messaging.get_rpc_transport(cfg.CONF, url)
    client = oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic="ledger"), timeout=timeout)
    for number in range(count):
        client.cast({}, "note", number=number)
        print(f"sent {number}", flush=True)
        begun = time.monotonic()
        try:
            result = client.call({}, "note", number=number, kind="call")
            outcome = "right" if result == number * 2 else "wrong"
        except oslo_messaging.MessagingTimeout:
            outcome = "timeout"
        print(f"answered {number} {outcome} {time.monotonic() - begun:.3f}", flush=True)
    transport.cleanup()


if __name__ == "__main__":
    main()
