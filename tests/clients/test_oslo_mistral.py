"""The real Mistral, its engine and its executor as processes of their own, runs workflows over the driver."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from tests.clients import environments
from tests.clients.foreign import Script, script_runner
from tests.serving import ServerProcess

ENVIRONMENT: Final = "mistral"
STOP_S_MAX: Final = 60

PRELUDE: Final = """
import eventlet
eventlet.monkey_patch()
import warnings
warnings.simplefilter("ignore")
from mistral import config, context
config.parse_args(["--config-file", sys.argv[1]])
from mistral.db.v2 import api as db
from mistral.rpc import clients
from mistral.services import workflows
context.set_ctx(context.MistralContext(user_id="ada", project_id="alpha", is_admin=True))
"""

MAKE_TABLES: Final = """
db.setup_db()
answer()
"""

WORKFLOW: Final = """
version: '2.0'
greet:
  tasks:
    first:
      action: std.echo output="one"
      on-success: many
    many:
      with-items: i in <% [1, 2, 3, 4, 5] %>
      action: std.echo output=<% $.i %>
      on-success: last
    last:
      action: std.noop
"""

RUN: Final = f"""
workflows.create_workflows('''{WORKFLOW}''')
started = clients.get_engine_client().start_workflow("greet", wf_input={{}})
while (execution := db.get_workflow_execution(started["id"])).state in ("IDLE", "RUNNING"):
    eventlet.sleep(0)
tasks = db.get_task_executions(workflow_execution_id=started["id"])
answer(state=execution.state, info=execution.state_info, tasks={{task.name: task.state for task in tasks}})
"""


@pytest.fixture
def configuration(tmp_path: Path) -> Iterator[Path]:
    """Return the file with the configuration of a Mistral that has a service of its own to talk over."""
    with ServerProcess(f"sqlite:///{tmp_path}/store") as server:
        file = tmp_path / "mistral.conf"
        file.write_text(
            f"[DEFAULT]\ntransport_url = sukkal+{server.url}/mistral\n"
            f"[database]\nconnection = sqlite:///{tmp_path}/mistral.sqlite\n"
            "[pecan]\nauth_enable = false\n"
        )
        yield file


@contextmanager
def component(name: str, configuration: Path) -> Iterator[None]:
    """Run a component of Mistral as a process of its own, until it has stopped in an orderly way."""
    python = environments.python_of(ENVIRONMENT)
    command = [
        str(python),
        "-W",
        "ignore",
        str(python.with_name("mistral-server")),
        "--config-file",
        str(configuration),
    ]
    environment = {**os.environ, "PATH": f"{python.parent}:{os.environ['PATH']}"}
    with (configuration.parent / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--server", name], env=environment, stdout=log, stderr=log, start_new_session=True
        )
        try:
            yield
            process.terminate()
            assert process.wait(STOP_S_MAX) == 0
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def test_a_workflow_runs_whose_engine_and_executor_are_processes(configuration: Path) -> None:
    mistral: Script = script_runner(ENVIRONMENT, PRELUDE, str(configuration))
    mistral(MAKE_TABLES)
    with ExitStack() as running:
        for name in ("engine", "executor"):
            running.enter_context(component(name, configuration))
        outcome: Any = mistral(RUN)
    done = dict.fromkeys(["first", "many", "last"], "SUCCESS")
    assert outcome == {"state": "SUCCESS", "info": None, "tasks": done}
    for log in configuration.parent.glob("*.log"):
        assert " ERROR " not in log.read_text(), log
