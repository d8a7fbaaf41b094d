"""Mails that ask people to confirm, received by a real mail server, and the page that they lead to."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

import pytest

from sukkal.app.sinks import installed_sinks
from sukkal.errors import SettingsError
from sukkal.settings import Settings
from tests.api.calling import Service
from tests.sinks.mail_receiver import MailReceiver

SUBSCRIPTIONS: Final = "/v2/queues/q/subscriptions"
PAGE: Final = "https://portal.example.org/confirm"
SERVER: Final[dict[str, Any]] = {
    "require_confirmation": True,
    "signed_url_keys": "a key to sign URLs with",
    "smtp_host": "127.0.0.1",
    "smtp_security": "none",
    "smtp_from": "sukkal@example.org",
}


@pytest.fixture
def receiver() -> Iterator[MailReceiver]:
    """Return a mail server that runs beside the test, so that its port is known before the service is made."""
    loop, receiver = asyncio.new_event_loop(), MailReceiver()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(receiver.__aenter__(), loop).result()
    yield receiver
    asyncio.run_coroutine_threadsafe(receiver.__aexit__(None, None, None), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def start(receiver: MailReceiver) -> Iterator[Callable[..., Service]]:
    """Return a function that starts a service with settings."""
    started: list[Service] = []

    def start_service(**settings: Any) -> Service:
        started.append(Service("memory://", **{**SERVER, "smtp_port": receiver.port, **settings}))
        return started[-1]

    yield start_service
    for service in started:
        service.close()


def subscribe(service: Service) -> str:
    document = {"subscriber": "mailto:ada@example.org?subject=Events", "ttl": 10**8}
    response = service.post(SUBSCRIPTIONS, json=document)
    service.deliver()
    return str(response.json()["subscription_id"])


def confirm(service: Service, url: str, *, confirmed: bool = True) -> int:
    """Do what the page does: send the request in its query to the service."""
    query = dict(parse_qsl(urlsplit(url).query))
    request = {
        name: query[name] for name in ("URL-Paths", "URL-Methods", "X-Project-Id", "URL-Expires", "URL-Signature")
    }
    body = {"confirmed": confirmed}
    response = service.call(query["URL-Methods"], query["URL-Paths"], params=request, json=body, project=None)
    return response.status_code


def test_a_person_is_asked_by_a_mail_and_confirms_on_a_page(
    start: Callable[..., Service], receiver: MailReceiver
) -> None:
    service = start(external_confirmation_url=PAGE)
    subscribe(service)
    [mail] = receiver.mails
    assert mail["Subject"] == "Please confirm your subscription to the queue q"
    assert receiver.recipients == ["ada@example.org"]
    text = " ".join(mail.get_content().split())
    assert text.startswith("This address was given for a subscription to the queue q of the project p.")
    url = text.rpartition(" ")[2]
    assert url.startswith(f"{PAGE}?URL-Paths=")
    service.post_bodies("unseen")
    assert confirm(service, url) == 204
    service.post_bodies({"a": 1})
    service.deliver()
    [_, event] = receiver.mails
    assert event["Subject"] == "Events"
    assert json.loads(event.get_content())["body"] == {"a": 1}


def test_who_has_unsubscribed_is_told_by_a_mail_and_may_come_back(
    start: Callable[..., Service], receiver: MailReceiver
) -> None:
    service = start(external_confirmation_url=PAGE)
    id_ = subscribe(service)
    assert service.put(f"{SUBSCRIPTIONS}/{id_}/confirm", json={"confirmed": False}).status_code == 204
    service.deliver()
    mail = receiver.mails[1]
    assert mail["Subject"] == "Your subscription to the queue q has ended"
    assert confirm(service, mail.get_content().split()[-1]) == 204
    assert service.get(f"{SUBSCRIPTIONS}/{id_}").json()["confirmed"] is True


def test_an_operator_words_the_mails(start: Callable[..., Service], receiver: MailReceiver) -> None:
    service = start(
        external_confirmation_url=f"{PAGE}?lang=fr",
        confirmation_mail_subject="Été: $queue",
        confirmation_mail_body="Bonjour,\n\n${project}/$queue ($subscription) coûte 5 $$:\n$url",
    )
    id_ = subscribe(service)
    [mail] = receiver.mails
    assert mail["Subject"] == "Été: q"
    lines = mail.get_content().splitlines()
    assert lines[:3] == ["Bonjour,", "", f"p/q ({id_}) coûte 5 $:"]
    assert lines[3].startswith(f"{PAGE}?lang=fr&URL-Paths=")
    assert confirm(service, lines[3]) == 204


def test_a_project_writes_no_other_header_into_a_mail(start: Callable[..., Service], receiver: MailReceiver) -> None:
    service = start(external_confirmation_url=PAGE, confirmation_mail_subject="For $project")
    project = "p\tBcc: x@example.org"
    document = {"subscriber": "mailto:ada@example.org", "ttl": 10**8}
    service.post(SUBSCRIPTIONS, json=document, project=project)
    service.deliver()
    [mail] = receiver.mails
    assert mail["Subject"] == "For p Bcc: x@example.org"
    assert mail["Bcc"] is None


def test_without_a_page_the_mail_has_what_a_webhook_gets(start: Callable[..., Service], receiver: MailReceiver) -> None:
    subscribe(start())
    [mail] = receiver.mails
    assert json.loads(mail.get_content())["Message_Type"] == "SubscriptionConfirmation"


@pytest.mark.parametrize("text", ["$name", "5 $", "${queue", "$queue.$url$"])
@pytest.mark.parametrize("setting", ["confirmation_mail_subject", "unsubscription_mail_body"])
def test_a_place_that_there_is_not_keeps_the_service_from_starting(setting: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"{setting} may have .project, .queue, .subscription, .url"):
        installed_sinks(Settings(**{**SERVER, setting: text}))
