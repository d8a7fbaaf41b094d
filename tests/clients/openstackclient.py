"""The real ``openstack`` command, with the plugin that comes with python-zaqarclient."""

import json
import os
import subprocess
from collections.abc import Mapping
from typing import Any, Final, Self

import pytest

from tests.clients import environments
from tests.clients.keystone import PASSWORD, Keystone

__all__ = ["OpenStack"]

_S_MAX: Final = 120


class OpenStack:
    """Runs ``openstack`` commands with the settings given: the variables that would stand in an ``openrc`` file.

    No other variable that begins with ``OS_`` is left. A missing environment fails the test.
    """

    def __init__(self, settings: Mapping[str, str]) -> None:
        if environments.missing("openstackclient"):
            pytest.fail(f"The environment openstackclient is missing. Make it with: {environments.COMMAND}")
        self._program = environments.python_of("openstackclient").with_name("openstack")
        self._env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")} | dict(settings)

    @classmethod
    def of(cls, keystone: Keystone, user: str, project: str, **settings: str) -> Self:
        """Return one that signs in as a user for a project, and finds the service in the catalog."""
        account = {
            "OS_AUTH_URL": keystone.url,
            "OS_USERNAME": user,
            "OS_PASSWORD": PASSWORD,
            "OS_PROJECT_NAME": project,
            "OS_USER_DOMAIN_NAME": "Default",
            "OS_PROJECT_DOMAIN_NAME": "Default",
        }
        return cls(account | settings)

    @classmethod
    def bearing(cls, token: str, url: str) -> Self:
        """Return one that sends this token to this address and asks no Keystone."""
        return cls({"OS_AUTH_TYPE": "admin_token", "OS_ENDPOINT": url, "OS_TOKEN": token})

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command, whatever comes of it."""
        command = [str(self._program), *arguments]
        return subprocess.run(command, env=self._env, capture_output=True, text=True, timeout=_S_MAX, check=False)

    def do(self, *arguments: str) -> str:
        """Run a command that has to succeed, and return what it prints."""
        ran = self(*arguments)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def show(self, *arguments: str) -> Any:
        """Run a command that has to succeed, and return what it shows: a dictionary, or a list of them."""
        return json.loads(self.do(*arguments, "--format", "json"))
