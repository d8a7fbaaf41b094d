"""The sinks that the settings ask for."""

from typing import Final

from sukkal.extras import needs_extra
from sukkal.settings import Settings
from sukkal.sink import Sink
from sukkal.sinks.guard import Guard
from sukkal.sinks.notices import NoticeMails
from sukkal.sinks.third_party import SinkContext, third_party_sinks
from sukkal.sinks.webhook import WebhookSink

__all__ = ["installed_sinks"]

_OURS: Final = frozenset(["amqp", "amqps", "http", "https", "mailto", "queue", "trust+http", "trust+https"])
"""The schemes that are the service's own, switched on or not."""


def installed_sinks(settings: Settings) -> list[Sink]:
    """Return one sink for each kind of subscriber. Raises ``SettingsError``."""
    guard = Guard(settings.webhook_allow, deny=settings.webhook_deny)
    found: list[Sink] = [WebhookSink(guard)]
    if settings.smtp_host:
        found.append(_mail(settings))
    if settings.amqp_subscribers:
        found.append(_amqp(guard))
    context = SinkContext(guard=guard, timeout_s=settings.delivery_timeout_s)
    return [*found, *third_party_sinks(context, _OURS)]


def _amqp(guard: Guard) -> Sink:
    with needs_extra("amqp", "To deliver to AMQP subscribers"):
        from sukkal.sinks.amqp import AmqpSink
    return AmqpSink(guard)


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
    return MailSink(server, notices=_notices(settings))


def _notices(settings: Settings) -> NoticeMails | None:
    notices = NoticeMails(
        page=settings.external_confirmation_url,
        subject=settings.confirmation_mail_subject,
        body=settings.confirmation_mail_body,
        end_subject=settings.unsubscription_mail_subject,
        end_body=settings.unsubscription_mail_body,
    )
    return notices if notices.page else None
