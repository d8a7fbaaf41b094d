"""Serves the real Keystone out of a folder: run by the interpreter of its own environment.

``python -I keystone_program.py FOLDER HOST PORT``. In a new folder keys, tables and an administrator are made first.
Keystone is as it is shipped, with one addition: whoever asks for a token may say in the header
``X-Seconds-To-Live`` how long it shall live, down to 0, so that no test has to wait for its end.
"""

import multiprocessing
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import keystone.conf
import keystone.server
import waitress
from keystone.cmd.bootstrap import Bootstrapper
from keystone.common.fernet_utils import FernetUtils
from keystone.common.sql import upgrades
from keystone.server.flask.core import initialize_application

__all__ = ["TokenLifetimes", "main", "prepare"]

CONF = keystone.conf.CONF

# The fewest rounds that bcrypt knows: no secret is at stake here, and the default takes a quarter of a second.
CONFIGURATION: Final = """
[DEFAULT]
public_endpoint = {url}
[cache]
backend = dogpile.cache.memory
[database]
connection = sqlite:///{folder}/keystone.db
[fernet_tokens]
key_repository = {folder}/keys
[fernet_receipts]
key_repository = {folder}/keys
[identity]
password_hash_rounds = 4
"""

WsgiApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class TokenLifetimes:
    """Lets the caller choose how long the token lives that he asks for.

    Tokens are issued one by one, because the setting that says how long holds for the whole process.
    """

    def __init__(self, application: WsgiApplication) -> None:
        self._application = application
        self._issuing = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] != "POST" or environ["PATH_INFO"] != "/v3/auth/tokens":
            return self._application(environ, start_response)
        wanted_s = environ.get("HTTP_X_SECONDS_TO_LIVE")
        with self._issuing:
            if wanted_s is None:
                CONF.clear_override("expiration", group="token")
            else:
                CONF.set_override("expiration", int(wanted_s), group="token")
            return self._application(environ, start_response)


def prepare(folder: Path, configuration: Path) -> None:
    """Make the keys, the tables and the administrator."""
    keystone.server.configure(config_files=[str(configuration)])
    keys = FernetUtils(str(folder / "keys"), CONF.fernet_tokens.max_active_keys, "fernet_tokens")
    keys.create_key_directory()
    keys.initialize_key_repository()
    upgrades.offline_sync_database_to_version()
    bootstrap = Bootstrapper()
    bootstrap.admin_username = bootstrap.project_name = bootstrap.admin_role_name = "admin"
    bootstrap.admin_password = "secret"
    bootstrap.service_name = "keystone"
    # Filled in when a catalog is made, so that a copy of the folder tells of its own address.
    bootstrap.public_url = bootstrap.internal_url = bootstrap.admin_url = "$(public_endpoint)s/v3"
    bootstrap.region_id = "RegionOne"
    bootstrap.bootstrap()


def main() -> None:
    """Prepare a new folder, serve, and say on stdout when and where."""
    folder, host, port = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    del sys.argv[1:]  # Keystone would take them for its own
    stdout = os.dup(1)
    os.dup2(2, 1)  # Keystone's log, which it would write to stdout
    url = f"http://{host}:{port}"
    configuration = folder / "keystone.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, url=url), encoding="utf-8")
    if not (folder / "keystone.db").exists():
        # Keystone can be set up once in a process, and importing it anew takes longer than all the rest.
        preparing = multiprocessing.get_context("fork").Process(target=prepare, args=(folder, configuration))
        preparing.start()
        preparing.join()
        if preparing.exitcode:
            sys.exit(preparing.exitcode)
    application = TokenLifetimes(initialize_application("public", config_files=[str(configuration)]))
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # whoever started us holds the port for us
    listener.bind((host, port))
    listener.listen(256)
    server = waitress.create_server(application, sockets=[listener], threads=8)
    os.write(stdout, f"Keystone listens on {url}\n".encode())
    server.run()


if __name__ == "__main__":
    main()
