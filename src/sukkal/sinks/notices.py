"""Mails for people, instead of the JSON that programs get, when a subscription is to be confirmed or has ended."""

import re
from string import Template
from typing import Final, NamedTuple
from urllib.parse import urlencode

import msgspec

from sukkal.errors import SettingsError
from sukkal.sink import Delivery

__all__ = ["NoticeMails", "Written"]

_PLACES: Final = frozenset(["project", "queue", "subscription", "url"])
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_END: Final = "UnsubscribeConfirmation"


class Written(NamedTuple):
    """The subject and the text of a mail."""

    subject: str
    text: str


class _Notice(msgspec.Struct):
    """The part of a notice that matters here: the request that confirms, and what it is about."""

    queue_name: str
    kind: str = msgspec.field(name="Message_Type")
    project: str = msgspec.field(name="X-Project-ID")
    signature: str = msgspec.field(name="URL-Signature")
    methods: str = msgspec.field(name="URL-Methods")
    paths: str = msgspec.field(name="URL-Paths")
    expires: str = msgspec.field(name="URL-Expires")


_notices: Final = msgspec.json.Decoder(_Notice)


class NoticeMails(msgspec.Struct, frozen=True, kw_only=True):
    """How the mails are written, with places such as ``$queue`` in subjects and bodies, and the page they lead to.

    Raises ``SettingsError`` for a place that there is not.
    """

    page: str
    subject: str
    body: str
    end_subject: str
    end_body: str

    def __post_init__(self) -> None:
        """Refuse places that nothing could be put into."""
        texts = {
            "confirmation_mail_subject": self.subject,
            "confirmation_mail_body": self.body,
            "unsubscription_mail_subject": self.end_subject,
            "unsubscription_mail_body": self.end_body,
        }
        for setting, text in texts.items():
            template = Template(text)
            known = ", ".join(f"${place}" for place in sorted(_PLACES))
            if not template.is_valid() or not _PLACES.issuperset(template.get_identifiers()):
                raise SettingsError(
                    f"{setting} may have {known} and, for a dollar sign itself, $$; nothing else with $."
                )

    def write(self, delivery: Delivery) -> Written:
        """Return the mail for a notice."""
        notice = _notices.decode(delivery.body)
        places = {
            "project": notice.project,
            "queue": notice.queue_name,
            "subscription": delivery.subscription_id,
            "url": self._url(notice),
        }
        subject, body = (self.end_subject, self.end_body) if notice.kind == _END else (self.subject, self.body)
        written = Template(subject).substitute(places)
        return Written(_UNPRINTABLE.sub(" ", written), Template(body).substitute(places) + "\n")

    def _url(self, notice: _Notice) -> str:
        # Named as this service takes them in the query of a signed request.
        request = {
            "URL-Paths": notice.paths,
            "URL-Methods": notice.methods,
            "X-Project-Id": notice.project,
            "URL-Expires": notice.expires,
            "URL-Signature": notice.signature,
        }
        return f"{self.page}{'&' if '?' in self.page else '?'}{urlencode(request)}"
