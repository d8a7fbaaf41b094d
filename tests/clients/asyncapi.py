"""AsyncAPI's own JSON schema for tests: ``python -m tests.clients.asyncapi`` gets it.

It is published at the registry of npm; nothing of it is run, so npm is not needed.
"""

import hashlib
import io
import json
import sys
import tarfile
import urllib.request
from pathlib import Path
from typing import Any, Final

import pytest

from tests.clients.environments import FOLDER

__all__ = ["schema"]

_COMMAND: Final = ".venv/bin/python -m tests.clients.asyncapi"
_URL: Final = "https://registry.npmjs.org/@asyncapi/specs/-/specs-6.11.1.tgz"
_SHA256: Final = "01af8744dc33c0c7eb2e908f6a955319ee58b70ecadc9387d1aeb16c0cd28928"
_MEMBER: Final = "package/schemas/3.0.0-without-$id.json"
_FILE: Final = FOLDER / "asyncapi" / "6.11.1" / "3.0.0.json"
_S_MAX: Final = 60


def schema() -> dict[str, Any]:
    """Return the schema. A missing one fails the test."""
    if not _FILE.is_file():
        pytest.fail(f"AsyncAPI's schema is missing. Get it with: {_COMMAND}")
    document: dict[str, Any] = json.loads(_FILE.read_text(encoding="utf-8"))
    return document


def fetch(file: Path) -> None:
    """Get the package and keep the schema. Raises ``ValueError`` if it is another one."""
    with urllib.request.urlopen(_URL, timeout=_S_MAX) as answer:
        package = answer.read()
    if hashlib.sha256(package).hexdigest() != _SHA256:
        raise ValueError(f"{_URL} is not the package that it was.")
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        taken = archive.extractfile(_MEMBER)
        assert taken is not None
        text = taken.read()
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(file.name + ".new")
    unfinished.write_bytes(text)
    unfinished.replace(file)


if __name__ == "__main__":
    if not _FILE.is_file():
        sys.stdout.write("Getting AsyncAPI's schema ...\n")
        fetch(_FILE)
