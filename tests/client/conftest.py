"""What tests of the client share."""

from collections.abc import Iterator

import pytest

from tests.client.service_here import ServiceHere


@pytest.fixture
def service() -> Iterator[ServiceHere]:
    """Return a service with a clock of its own."""
    with ServiceHere() as service:
        yield service


@pytest.fixture(scope="module")
def shared_service() -> Iterator[ServiceHere]:
    """Return a service for all tests of a module that do not turn its clock."""
    with ServiceHere(signed_url_keys="a key to sign URLs with") as service:
        yield service
