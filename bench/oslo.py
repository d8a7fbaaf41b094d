"""oslo.messaging over Sukkal and over RabbitMQ, in turn: ``python -m bench.oslo [ROUNDS]``.

One server and one client, each a process of its own. RabbitMQ runs with the in-tree driver, once as that is by default
(queues and messages are gone when the broker is) and once with durable queues that confirm.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.clients.environments import python_of
from tests.clients.rabbitmq import PASSWORD, USER, RabbitMQ
from tests.serving import ServerProcess

PROGRAM = Path(__file__).with_name("oslo_program.py")


def measured(url: str) -> dict[str, float]:
    """Return what one client and one server measure over a transport."""
    command = [str(python_of("oslo_messaging")), "-W", "ignore", str(PROGRAM)]
    with subprocess.Popen([*command, "serve", url], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        assert server.stdout.readline() == b"ready\n"
        ran = subprocess.run([*command, "measure", url], capture_output=True, check=True, timeout=300)
        server.stdin.close()
        server.wait(60)
    found: dict[str, float] = json.loads(ran.stdout)
    return found


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "rabbit").mkdir()
        with ServerProcess(f"sqlite:///{folder}/store") as sukkal, RabbitMQ(Path(folder) / "rabbit") as rabbit:
            broker = f"rabbit://{USER}:{PASSWORD}@127.0.0.1:{rabbit.port}/"
            urls = {
                "Sukkal": f"sukkal+{sukkal.url}/bench",
                "RabbitMQ, durable": f"{broker}a%2Fb?amqp_durable_queues=true",
                "RabbitMQ": broker,
            }
            found: dict[str, list[dict[str, float]]] = {name: [] for name in urls}
            for _ in range(rounds):
                for name, url in urls.items():
                    found[name].append(measured(url))
    print(f"| median of {rounds} | {' | '.join(urls)} |\n|---|{'---|' * len(urls)}")
    for what in found["Sukkal"][0]:
        medians = [statistics.median(each[what] for each in found[name]) for name in urls]
        print(f"| {what} | {' | '.join(f'{median:,.1f}' for median in medians)} |")


if __name__ == "__main__":
    main()
