"""What the tests of sinks share."""

from collections.abc import Iterator

import pytest

from tests.clients.rabbitmq import RabbitMQ
from tests.sinks.authority import Authority


class Broker(RabbitMQ):
    """A RabbitMQ, and whom to trust to know it by: it is ``localhost``, not 127.0.0.1."""

    authority: Authority


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Return a RabbitMQ for the whole session, with a port for TLS."""
    authority = Authority("localhost")
    tls = {"ca": authority.authority_pem, "cert": authority.certificate_pem, "key": authority.key_pem}
    with Broker(tmp_path_factory.mktemp("rabbitmq"), tls=tls) as broker:
        broker.authority = authority
        yield broker
