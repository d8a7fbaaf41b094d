"""Requests generated from the OpenAPI document, good ones and bad ones: never a 5xx, always what the document says."""

import os
import uuid
from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sukkal.settings import Settings
from sukkal.transports.http.openapi import openapi_document
from tests.serving import ServerProcess

EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "15"))
CHECKS: Final[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


# The API's own media type for changes of metadata is JSON.
schemathesis.serializer.alias("application/openstack-messaging-v2.0-json-patch", "application/json")

# Nobody posts while a generated request waits.
SETTINGS: Final = Settings(wait_max_s=0)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    store = f"sqlite:///{tmp_path_factory.mktemp('fuzz')}/data"
    with ServerProcess(store, "--wait-max-s", "0") as server:
        yield server
        assert server.stop() == 0
        assert "failed" not in server.stderr


# Streams do not end by themselves; a call that nobody answers ends with 504. See tests/api, test_stream and test_calls.
schema = schemathesis.openapi.from_dict(openapi_document(SETTINGS)).exclude(path_regex="/(stream|call)$")


@schema.parametrize()
@settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
def test_every_answer_is_as_documented(case: Any, server: ServerProcess) -> None:
    # A few names, so that requests meet what others have made.
    for name in ("queue_name", "message_id", "claim_id"):
        if name in case.path_parameters and uuid.uuid5(uuid.NAMESPACE_OID, str(case.path_parameters[name])).int % 2:
            case.path_parameters[name] = "q"
    case.call_and_validate(base_url=server.url, checks=CHECKS, timeout=30)
