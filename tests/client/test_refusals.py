"""The client's errors are those of the service's table."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sukkal.client.errors import Refused
from sukkal.client.exchange import read_answer
from sukkal.client.refusals import REFUSALS, refusal_of
from sukkal.errors import StartupError, SukkalError
from sukkal.transports.http.errors import error_response
from sukkal.transports.statuses import STATUS

ROOT = Path(__file__).parents[2]


def errors(kind: type[SukkalError]) -> Iterator[type[SukkalError]]:
    yield kind
    for each in kind.__subclasses__():
        if each is not StartupError:
            yield from errors(each)


ERRORS = sorted(set(errors(SukkalError)), key=lambda error: error.code)


def named(kind: type) -> str:
    return {"SukkalError": "Refused", "Internal": "SukkalError"}.get(kind.__name__, kind.__name__)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_an_error_of_the_service_has_a_class_of_its_name_and_parent(error: type[SukkalError]) -> None:
    kind = REFUSALS[error.code]
    assert named(kind) == error.__name__
    if error is not SukkalError:
        assert kind.__base__ is not None
        assert error.__base__ is not None
        assert kind.__base__.__name__ == named(error.__base__)


def test_there_is_no_class_for_what_the_service_does_not_say() -> None:
    assert REFUSALS.keys() == {error.code for error in ERRORS}


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_a_refusal_says_all_that_the_service_said(error: type[SukkalError]) -> None:
    made = error.__new__(error)
    Exception.__init__(made, "why")
    made.description = "why"
    vars(made).update({"retry_after_s": 7, "challenges": (), "allow": ()})
    said = error_response(made)
    headers = {name.decode().title(): text.decode() for name, text in said.headers}
    with pytest.raises(Refused) as refused:
        read_answer(said.status, headers | {"X-Openstack-Request-Id": "req-1"}, bytes(said.body))
    found = refused.value
    assert type(found) is REFUSALS[error.code]
    assert (found.status, found.code, found.title) == (STATUS[error.code], error.code, error.title)
    assert (found.description, found.request_id) == ("why", "req-1")
    assert found.retry_after_s == {429: 7, 503: 1}.get(found.status)


@pytest.mark.parametrize(
    ("status", "code", "name"),
    [
        (404, "", "NotFound"),
        (404, "of_the_future", "NotFound"),
        (409, "", "Conflict"),
        (429, "", "TooManyRequests"),
        (503, "", "Unavailable"),
        (504, "", "Refused"),
        (502, "", "Refused"),
        (302, "", "Refused"),
    ],
)
def test_another_answer_has_the_class_of_its_status(status: int, code: str, name: str) -> None:
    assert refusal_of(status, code).__name__ == name


def test_every_class_is_in_the_reference() -> None:
    page = (ROOT / "docs/reference/sdk.md").read_text(encoding="utf-8")
    assert [kind.__name__ for kind in REFUSALS.values() if f"`{kind.__name__}`" not in page] == []
