"""The sinks that the settings ask for."""

from sukkal.extras import needs_extra
from sukkal.settings import Settings
from sukkal.sink import Sink
from sukkal.sinks.guard import Guard
from sukkal.sinks.webhook import WebhookSink

__all__ = ["installed_sinks"]


def installed_sinks(settings: Settings) -> list[Sink]:
    """Return one sink for each kind of subscriber. Raises ``SettingsError``."""
    found: list[Sink] = [WebhookSink(Guard(settings.webhook_allow))]
    if settings.smtp_host:
        found.append(_mail(settings))
    return found


def _mail(settings: Settings) -> Sink:
    with needs_extra("mail", "To deliver mail to smtp_host"):
        from sukkal.sinks.mail import MailServer, MailSink
    server = MailServer(
        host=settings.smtp_host,
        sender=settings.smtp_from,
        port=settings.smtp_port,
        security=settings.smtp_security,
        username=settings.smtp_username,
        password=settings.smtp_password,
    )
    return MailSink(server)
