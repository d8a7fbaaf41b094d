"""What importing the client brings with it."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

SOURCES: Final = Path(__file__).parents[2] / "src"
FOREIGN: Final = ["keystoneauth1", "uvicorn", "uvloop", "apsw", "prometheus_client", "structlog", "websockets"]


def imported(statement: str) -> list[str]:
    program = f"import sys; {statement}; print(*sys.modules)"
    env = os.environ | {"PYTHONPATH": str(SOURCES)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_importing_the_client_imports_nothing_of_the_service() -> None:
    found = imported("import sukkal.client, sukkal.client.refusals")
    ours = {name for name in found if name.startswith("sukkal.")}
    assert {name for name in ours if not name.startswith("sukkal.client")} == set()
    assert "sukkal.client.sync" in ours


def test_importing_the_client_imports_only_what_it_needs() -> None:
    found = imported("import sukkal.client")
    assert [name for name in FOREIGN if name in found] == []


def test_the_client_loads_nothing_of_opentelemetry_for_a_program_that_is_not_traced() -> None:
    found = imported("from sukkal.client.tracing import trace_headers; assert trace_headers() == {}")
    assert not any(name.startswith("opentelemetry") for name in found)
