"""Log lines and the audit log's file: what is written whatever happens, and what never is."""

import errno
import json
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sukkal.errors import SettingsError
from sukkal.logs import AuditFile

SHOWS_AN_EXCEPTION = """
import logging
from sukkal.logs import configure_logs
from sukkal.settings import Settings
configure_logs(Settings(log_format="%s"))
def fail(token):
    return 1 / 0
try:
    fail("a-secret-" + "token")
except ZeroDivisionError:
    logging.getLogger("sukkal").exception("failed")
"""


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_shows_no_values(form: str) -> None:
    command = [sys.executable, "-c", SHOWS_AN_EXCEPTION % form]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "ZeroDivisionError" in said
    assert "a-secret-token" not in said


class Later:
    """Calls that wait until they are made."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def __call__(self, delay_s: float, call: Callable[[], None]) -> None:
        self.calls.append(call)

    def pass_by(self) -> None:
        calls, self.calls = self.calls, []
        for call in calls:
            call()


def test_lines_are_written_together_and_at_the_end(tmp_path: Path) -> None:
    later = Later()
    file = AuditFile(str(tmp_path / "audit"), later)
    for number in range(3):
        file.write(b"%d\n" % number)
    assert len(later.calls) == 1
    assert (tmp_path / "audit").read_bytes() == b""
    later.pass_by()
    assert (tmp_path / "audit").read_bytes() == b"0\n1\n2\n"
    file.write(b"3\n")
    file.close()
    assert (tmp_path / "audit").read_bytes() == b"0\n1\n2\n3\n"


class NarrowFile:
    """A file that takes a few bytes at a time, and none when it is full."""

    def __init__(self, room: int) -> None:
        self.content = b""
        self.room = room

    def write(self, data: Any) -> int:
        taken = bytes(data[: min(self.room, 5)])
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.content += taken
        self.room -= len(taken)
        return len(taken)

    def close(self) -> None:
        pass


def test_a_line_is_never_glued_to_half_of_another(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = AuditFile(str(tmp_path / "audit"), Later())
    file._file.close()
    narrow: Any = NarrowFile(room=30)
    file._file = narrow
    file.write(b'{"n": 1}\n')
    file.flush()
    file.write(b'{"long": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}\n')
    with caplog.at_level(logging.ERROR):
        file.flush()
    assert "may be lost" in caplog.text
    narrow.room = 100
    file.write(b'{"n": 2}\n')
    file.close()
    first, torn, last = narrow.content.splitlines()
    assert (json.loads(first), json.loads(last)) == ({"n": 1}, {"n": 2})
    assert torn.startswith(b'{"long"')


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="audit_log"):
        AuditFile(str(tmp_path / "none" / "audit"), Later())


SAYS_FOR_WHOM = """
import logging
from sukkal.log_fields import add_log_fields, set_log_fields
from sukkal.logs import configure_logs
from sukkal.settings import Settings
configure_logs(Settings(log_format="json"))
log = logging.getLogger("sukkal")
log.warning("for nobody")
set_log_fields({"request_id": "req-1", "project": "p"})
log.warning("for %s", "somebody")
add_log_fields(queue="q")
log.warning("for another", extra={"project": "another"})
"""


def test_a_line_has_the_fields_of_what_it_was_written_for_and_its_own_first() -> None:
    command = [sys.executable, "-c", SAYS_FOR_WHOM]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr.splitlines()
    found = [
        {name: line.get(name) for name in ("event", "request_id", "project", "queue")} for line in map(json.loads, said)
    ]
    assert found == [
        {"event": "for nobody", "request_id": None, "project": None, "queue": None},
        {"event": "for somebody", "request_id": "req-1", "project": "p", "queue": None},
        {"event": "for another", "request_id": "req-1", "project": "another", "queue": "q"},
    ]
