"""Makes the environments of foreign programs that tests drive: ``python -m tests.clients.environments [NAME]...``.

Each has its own folder below ``.venvs``, so that what it needs never meets what the service needs. A second call does
nothing unless the table has changed.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

__all__ = ["COMMAND", "ENVIRONMENTS", "FOLDER", "SOURCES", "make", "missing", "python_of", "source_of"]

ROOT: Final = Path(__file__).resolve().parents[2]
FOLDER: Final = ROOT / ".venvs"
COMMAND: Final = ".venv/bin/python -m tests.clients.environments"

ENVIRONMENTS: Final[Mapping[str, Sequence[str]]] = {
    "oslo_policy": ("oslo.policy==6.0.1",),
    # heat-config-notify speaks v1.1, which later clients have no more.
    "heat_agents": ("python-keystoneclient==6.0.0", "python-zaqarclient==3.0.1", "pyyaml==6.0.3"),
    "keystone": ("keystone==30.0.0", "waitress==3.0.2"),
    "openstackclient": ("python-openstackclient==10.5.0", "python-zaqarclient==4.7.0"),
    "mistral": ("--editable", f"{ROOT}[oslo]", "mistral==23.0.0", "oslo.messaging==18.3.1", "oslotest==6.1.0"),
    "notifications": ("ironic==39.0.0", "nova==34.0.0", "oslo.messaging==18.3.1"),
    "oidc": ("oidc-provider-mock==0.3.4",),
    "oslo_messaging": (
        *("--editable", f"{ROOT}[keystone,oslo]"),
        *("oslo.messaging==18.3.1", "eventlet==0.41.3", "oslo.metrics==0.17.0", "oslotest==6.1.1"),
        *("requests==2.34.2", "testscenarios==0.7.0", "testtools==2.9.1"),
    ),
    "os_collect_config": ("os-collect-config==14.1.0", "python-zaqarclient==4.7.0", "websocket-client==1.9.0"),
    "zaqar": ("pyuwsgi==2.0.30.post1", "redis==8.1.0", "zaqar==23.0.1"),
    "zaqarclient": ("python-zaqarclient==4.7.0",),
    "zaqarclient_websocket": ("python-zaqarclient==4.7.0", "websocket-client==1.9.0"),
}
"""What is installed in each environment."""

SOURCES: Final[Mapping[str, str]] = {"heat_agents": "heat-agents==13.0.0"}
"""What is unpacked in the folder ``source`` of an environment: it has scripts that are in no installable package."""


def python_of(name: str, folder: Path = FOLDER) -> Path:
    """Return the interpreter of an environment."""
    return folder / name / "bin" / "python"


def source_of(name: str, folder: Path = FOLDER) -> Path:
    """Return the folder with the source that an environment has."""
    return next((folder / name / "source").glob("*/"))


def missing(name: str, folder: Path = FOLDER) -> bool:
    """Tell whether an environment has still to be made, or to be made anew."""
    stamp = _stamp(name, folder)
    return not (stamp.is_file() and stamp.read_text(encoding="utf-8") == _wanted(name))


def make(name: str, folder: Path = FOLDER) -> None:
    """Make an environment anew. Raises ``subprocess.CalledProcessError`` when that fails."""
    _stamp(name, folder).unlink(missing_ok=True)
    # Neither needs ensurepip, which some systems ship apart: the environment is filled by a pip outside of it.
    subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", folder / name], check=True)
    install = ["pip", "--disable-pip-version-check", "--python", str(python_of(name, folder)), "install", "--quiet"]
    subprocess.run([sys.executable, "-m", *install, *ENVIRONMENTS[name]], check=True)
    if name in SOURCES:
        _unpack(name, folder / name / "source")
    _stamp(name, folder).write_text(_wanted(name), encoding="utf-8")


def _unpack(name: str, source: Path) -> None:
    download = ["pip", "--disable-pip-version-check", "download", "--quiet", "--no-deps"]
    package, _, _ = SOURCES[name].partition("==")
    with tempfile.TemporaryDirectory() as taken:
        command = [*download, "--no-binary", package, "--dest", taken, SOURCES[name]]
        subprocess.run([sys.executable, "-m", *command], check=True)
        [archive] = Path(taken).iterdir()
        shutil.unpack_archive(archive, source, filter="data")


def _stamp(name: str, folder: Path) -> Path:
    return folder / name / "installed"


def _wanted(name: str) -> str:
    return "".join(f"{requirement}\n" for requirement in (*ENVIRONMENTS[name], *filter(None, [SOURCES.get(name)])))


def main() -> None:
    """Make the environments that are missing, all or those that are named."""
    for name in sys.argv[1:] or ENVIRONMENTS:
        if missing(name):
            sys.stdout.write(f"Making the environment {name} ...\n")
            sys.stdout.flush()
            make(name)


if __name__ == "__main__":
    main()
