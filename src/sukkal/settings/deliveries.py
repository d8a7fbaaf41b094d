"""The settings of subscriptions and their deliveries."""

from typing import Annotated, Final, Literal

import msgspec

from sukkal import limits
from sukkal.settings.kinds import about, line, number, seconds, text

__all__ = ["DeliverySettings"]

_HTTP_URL: Final = r"^(https?://[^\s/]+\S*)?\Z"


def _template(description: str, example: str) -> msgspec.Meta:
    places = "$url, $project, $queue and $subscription"
    return text(
        f"{description} {places} stand for what they say.", wants="a text", pattern=r"^[^\0\r]+\Z", example=example
    )


class DeliverySettings(msgspec.Struct, frozen=True, kw_only=True):
    """How deliveries are made, and where they may go."""

    delivery_timeout_s: Annotated[
        int,
        seconds(
            "How long a subscriber may take to accept a delivery. One that was under way when the service died is "
            "repeated after somewhat more than twice that.",
            1,
            300,
        ),
    ] = limits.DELIVERY_TIMEOUT_S_DEFAULT
    max_backlog_size: Annotated[
        int,
        number(
            "How much may wait for one subscriber, with a kilobyte for each message besides its body. Where it is "
            "more, the oldest deliveries that were given up make room; else what is posted is not delivered there.",
            "bytes",
            limits.BACKLOG_BYTES_MAX_MIN,
            limits.INT64_MAX,
        ),
    ] = limits.BACKLOG_BYTES_MAX_DEFAULT
    smtp_host: Annotated[
        str,
        line("The mail server that takes mail for `mailto:` subscribers.", wants="a name", example="mail.example.org"),
    ] = ""
    smtp_port: Annotated[int, number("The port of that server.", "", 1, 65_535)] = 25
    smtp_security: Annotated[
        Literal["none", "starttls", "tls"],
        about(
            "How the connection to that server is protected: `starttls` upgrades it and sends nothing if that fails, "
            "`tls` is protected from its beginning."
        ),
    ] = "starttls"
    smtp_username: Annotated[
        str, line("The user of that server, if it wants one.", wants="a name", example="sukkal")
    ] = ""
    smtp_password: Annotated[str, line("That user's password.", wants="a password", example="secret", secret=True)] = ""
    smtp_from: Annotated[
        str, line("The address that mail comes from.", wants="a mail address", example="sukkal@example.org")
    ] = ""
    amqp_subscribers: Annotated[
        bool, about("Deliver to `amqp:` and `amqps:` subscribers, which needs the extra `sukkal[amqp]`.")
    ] = False
    webhook_allow: Annotated[
        str,
        line(
            "Networks and hosts of one's own that deliveries may go to, separated by commas. Addresses of this machine "
            "and of private networks that are not listed are refused.",
            wants="networks such as 10.0.0.0/8, or host names",
            example="10.0.0.0/8,hooks.example.org",
        ),
    ] = ""
    webhook_deny: Annotated[
        str,
        line(
            "Networks and hosts that deliveries may not go to although they are public, such as a NAT64 prefix of "
            "one's own, separated by commas. Of two networks in both lists that have an address, the smaller counts.",
            wants="networks such as 2001:db8:64::/96, or host names",
            example="2001:db8:64::/96,status.example.org",
        ),
    ] = ""
    require_confirmation: Annotated[
        bool, about("Deliver nothing to a subscriber before it has confirmed that it wants that.")
    ] = False
    external_confirmation_url: Annotated[
        str,
        text(
            "A page of one's own that mails which ask for a confirmation lead to, with the signed request in its "
            "query. With it such mails are written for people.",
            wants="an http or https URL, or nothing",
            pattern=_HTTP_URL,
            example="https://portal.example.org/confirm",
        ),
    ] = ""
    confirmation_mail_subject: Annotated[str, _template("The subject of such a mail.", "Subscribe to $queue?")] = (
        "Please confirm your subscription to the queue $queue"
    )
    confirmation_mail_body: Annotated[
        str, _template("The text of such a mail.", "Visit $url to get what comes to $queue.")
    ] = (
        "This address was given for a subscription to the queue $queue of the project $project. To get what comes to "
        "it, confirm that here: $url"
    )
    unsubscription_mail_subject: Annotated[
        str, _template("The subject of the mail that tells of the end of a subscription.", "No more of $queue")
    ] = "Your subscription to the queue $queue has ended"
    unsubscription_mail_body: Annotated[
        str, _template("The text of the mail that tells of the end of a subscription.", "Visit $url to come back.")
    ] = (
        "This address gets nothing more of the queue $queue of the project $project. To subscribe to it again, confirm "
        "that here: $url"
    )
