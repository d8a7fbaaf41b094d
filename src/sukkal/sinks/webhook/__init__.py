"""Webhooks: a delivery is one HTTP request, signed as Standard Webhooks 1.0 says."""

from sukkal.sinks.webhook.sink import WebhookSink

__all__ = ["WebhookSink"]
