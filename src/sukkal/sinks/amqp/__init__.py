"""AMQP 0-9-1: a delivery is one message, published to an exchange of the subscriber's broker and confirmed by it."""

from sukkal.sinks.amqp.sink import AmqpSink

__all__ = ["AmqpSink"]
