"""What the tests of the forwarder share."""

from collections.abc import Iterator

import pytest
from tests.clients.rabbitmq import RabbitMQ


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """Return a RabbitMQ for the whole session; each test has exchanges or a pool of its own."""
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq")) as broker:
        yield broker
