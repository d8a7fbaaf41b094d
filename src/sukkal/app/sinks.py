"""The sinks that the settings and what is installed allow."""

from sukkal.settings import Settings
from sukkal.sink import Sink

__all__ = ["installed_sinks"]


def installed_sinks(settings: Settings) -> list[Sink]:
    """Return one sink for each kind of subscriber."""
    from sukkal.sinks.guard import Guard
    from sukkal.sinks.webhook import WebhookSink

    return [WebhookSink(Guard(settings.webhook_allow))]
