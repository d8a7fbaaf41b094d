"""A real RabbitMQ for tests, as the system's package has it: ``python -m tests.clients.rabbitmq`` gets that.

The packages are only unpacked, beside the environments of foreign programs. So no broker of the system's is started by
their installation, and whoever may not install anything can run the tests as well.
"""

import json
import os
import re
import select
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from tests.clients import debian
from tests.clients.environments import FOLDER
from tests.closing import Closing
from tests.ports import free_ports

__all__ = ["PASSWORD", "USER", "VHOSTS", "RabbitMQ"]

USER: Final = "sukkal"
PASSWORD: Final = "correct-horse-battery-staple"
VHOSTS: Final = ("/", "a/b", "closed")
"""The user may do everything in the first two, and nothing in the last."""

_COMMAND: Final = ".venv/bin/python -m tests.clients.rabbitmq"
_FOLDER: Final = FOLDER / "rabbitmq"
_SYSTEM: Final = Path("/")
_SERVER: Final = "usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server"
_ERLANG: Final = "usr/lib/erlang"
_NEEDED: Final = re.compile(r"rabbitmq-server|erlang-[a-z0-9-]+")
_READY: Final = b"completed with"
_START_S_MAX: Final = 90
_STOP_S_MAX: Final = 30


class Program(NamedTuple):
    """The server's own script, which runs as whoever calls it, and where the programs are that it needs."""

    script: Path
    path: str


def program(roots: Sequence[Path] = (_FOLDER, _SYSTEM)) -> Program | None:
    """Return the program that was unpacked, else that of the system, if there is one."""
    for root in roots:
        found, path = sorted(root.glob(_SERVER)), f"{root / 'usr/bin'}{os.pathsep}{os.environ['PATH']}"
        if found and (root / _ERLANG / "bin" / "erl").exists():
            return Program(found[-1], path)
    return None


def unpack(root: Path) -> None:
    """Get the packages of the server and of Erlang and unpack them into a folder; nothing is installed."""
    shutil.rmtree(root, ignore_errors=True)
    unfinished = root.with_name(root.name + ".unfinished")
    debian.unpack(_packages(), unfinished)
    # The script knows only where Erlang is when it is installed.
    script = unfinished / _ERLANG / "bin" / "erl"
    script.write_text(script.read_text(encoding="utf-8").replace(f"/{_ERLANG}", str(root / _ERLANG)), encoding="utf-8")
    unfinished.rename(root)


def _packages() -> list[str]:
    without = [f"--no-{kind}" for kind in ("recommends", "suggests", "conflicts", "breaks", "replaces", "enhances")]
    listed = subprocess.run(
        ["apt-cache", "depends", "--recurse", *without, "rabbitmq-server"], check=True, capture_output=True, text=True
    )
    # What is indented depends on what stands before; what is in brackets is only a name for others.
    return sorted({line for line in listed.stdout.splitlines() if _NEEDED.fullmatch(line)})


class RabbitMQ(Closing):
    """A running broker on free ports of 127.0.0.1, with everything it writes in ``folder``.

    It has a node name, a cookie and a name server (epmd) of its own, so it meets no other broker of the machine. With
    ``tls``, the PEM files ``ca``, ``cert`` and ``key``, it has a second port. ``prepare`` runs in the new processes
    first. A missing package fails the test.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tls: Mapping[str, bytes] | None = None,
        prepare: Callable[[], None] | None = None,
    ) -> None:
        found = program()
        if found is None:
            pytest.fail(f"RabbitMQ is missing. Get it with: {_COMMAND}")
        self.port, self.tls_port, names_port, distribution_port = free_ports(4)
        self._folder = folder
        self._prepare = prepare
        self._processes: list[subprocess.Popen[bytes]] = []
        self._write_configuration(tls)
        environment = self._environment(found.path, names_port, distribution_port)
        try:
            names = ["epmd", "-port", str(names_port), "-address", "127.0.0.1", "-relaxed_command_check"]
            self._start(names, environment)
            self._server = self._start([str(found.script)], environment)
            self._wait_until_ready()
        except BaseException:
            self.close()
            raise

    @property
    def pids(self) -> tuple[int, ...]:
        """The ids of its processes, whose children the others are."""
        return tuple(process.pid for process in self._processes)

    @property
    def log(self) -> str:
        """What it has written so far."""
        return (self._folder / "output").read_text(encoding="utf-8", errors="replace")

    def close(self) -> None:
        """Stop it, and then its name server. Closing twice is harmless."""
        while self._processes:
            process = self._processes.pop()
            process.terminate()
            try:
                process.wait(_STOP_S_MAX)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def _start(self, command: list[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        with (self._folder / "output").open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=output,
                env=environment,
                cwd=self._folder,
                start_new_session=True,
                preexec_fn=self._prepare,
            )
        self._processes.append(process)
        return process

    def _wait_until_ready(self) -> None:
        assert self._server.stdout is not None
        said = b""
        while _READY not in said:
            readable, _, _ = select.select([self._server.stdout], [], [], _START_S_MAX)
            piece = os.read(self._server.stdout.fileno(), 65_536) if readable else b""
            if not piece:
                raise RuntimeError(f"RabbitMQ did not start:\n{said.decode(errors='replace')}\n{self.log}")
            said += piece

    def _environment(self, path: str, names_port: int, distribution_port: int) -> dict[str, str]:
        folder = str(self._folder)
        return {
            "PATH": path,
            "LANG": "C.UTF-8",
            "HOME": folder,  # Erlang makes its cookie there.
            "ERL_EPMD_PORT": str(names_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": f"sukkal-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(distribution_port),
            "RABBITMQ_CONF_ENV_FILE": f"{folder}/none.conf",
            "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
            "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
            "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/plugins",
            "RABBITMQ_MNESIA_BASE": f"{folder}/data",
            "RABBITMQ_LOG_BASE": f"{folder}/log",
            "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/generated",
            "RABBITMQ_PID_FILE": f"{folder}/pid",
            # One scheduler is enough, and other nodes have no business here.
            "RABBITMQ_SERVER_START_ARGS": "+S 1:1 +sbwt none -kernel inet_dist_use_interface {127,0,0,1}",
        }

    def _write_configuration(self, tls: Mapping[str, bytes] | None) -> None:
        lines = [f"listeners.tcp.1 = 127.0.0.1:{self.port}", f"load_definitions = {self._folder}/definitions.json"]
        for name, content in (tls or {}).items():
            (self._folder / f"{name}.pem").write_bytes(content)
        if tls is not None:
            lines += [f"listeners.ssl.1 = 127.0.0.1:{self.tls_port}"]
            kinds = {"cacertfile": "ca", "certfile": "cert", "keyfile": "key"}
            lines += [f"ssl_options.{option} = {self._folder}/{name}.pem" for option, name in kinds.items()]
        (self._folder / "rabbitmq.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self._folder / "plugins").write_text("[].\n", encoding="utf-8")
        may = {"configure": ".*", "write": ".*", "read": ".*"}
        definitions = {
            "users": [{"name": USER, "password": PASSWORD, "tags": ""}],
            "vhosts": [{"name": vhost} for vhost in VHOSTS],
            "permissions": [{"user": USER, "vhost": vhost, **may} for vhost in VHOSTS[:2]],
        }
        (self._folder / "definitions.json").write_text(json.dumps(definitions), encoding="utf-8")


def main() -> None:
    """Get the program if it is missing. The lists of packages must be up to date, which only root can see to."""
    if program() is None:
        debian.update("RabbitMQ")
        unpack(_FOLDER)


if __name__ == "__main__":
    main()
