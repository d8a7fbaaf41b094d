"""Runs scripts in the interpreter of a foreign program and brings back what they found."""

import json
import subprocess
import textwrap
from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.clients import environments

__all__ = ["Script", "script_runner"]

_S_MAX: Final = 120

Script = Callable[[str], Any]


def script_runner(environment: str, prelude: str, *arguments: str) -> Script:
    """Return a function that runs a script after the prelude and returns what it gave to ``answer``.

    A missing environment fails the test, with the command that makes it.
    """
    if environments.missing(environment):
        pytest.fail(f"The environment {environment} is missing. Make it with: {environments.COMMAND}")
    interpreter = environments.python_of(environment)

    def run(script: str) -> Any:
        text = f"{_ANSWER}\n{prelude}\n{textwrap.dedent(script)}"
        command = [str(interpreter), "-I", "-c", text, *arguments]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=_S_MAX, check=False)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return run


_ANSWER: Final = """
import json, sys
def answer(**found):
    json.dump(found, sys.stdout)
"""
