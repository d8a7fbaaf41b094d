"""What a failure of PostgreSQL is called."""

from typing import Final

import asyncpg
import pytest

from sukkal.engines.postgresql.failures import our_error
from sukkal.errors import StoreFull, StoreUnavailable

EXTENDING: Final = 'could not extend file "base/16384/16397": '
QUOTA: Final = EXTENDING + "Disk quota exceeded"


def failure(code: str, message: str, severity: str = "ERROR") -> BaseException:
    """Return a failure as the server tells it, whose word for its severity depends on its language."""
    told = {"S": "FEHLER", "V": severity, "C": code, "M": message, "H": "Check free disk space."}
    made: BaseException = asyncpg.PostgresError.new(told)
    return made


@pytest.mark.parametrize(
    ("code", "reason"),
    [("53100", "No space left on device"), ("XX000", "Disk quota exceeded"), ("XX000", "File too large")],
)
def test_a_disk_without_room_means_that_the_store_is_full(code: str, reason: str) -> None:
    assert type(our_error(failure(code, EXTENDING + reason))) is StoreFull


@pytest.mark.parametrize("severity", ["FATAL", "PANIC"])
@pytest.mark.parametrize(("code", "message"), [("53100", EXTENDING), ("XX000", QUOTA)])
def test_a_server_that_ends_for_want_of_room_has_not_promised_that_nothing_was_kept(
    severity: str, code: str, message: str
) -> None:
    assert type(our_error(failure(code, message, severity))) is StoreUnavailable


@pytest.mark.parametrize(
    "error", [failure("XX000", "cache lookup failed"), failure("53200", QUOTA), ConnectionError(QUOTA)]
)
def test_any_other_failure_means_only_that_the_store_is_not_available(error: BaseException) -> None:
    assert type(our_error(error)) is StoreUnavailable
