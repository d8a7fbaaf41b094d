"""An issuer's documents are got over HTTP, within limits, and from nobody else than the one that was named."""

import itertools
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.identity.jwt import JwtAuthenticator, JwtConfiguration, fetching
from sukkal.identity.jwt.fetching import FetchFailed, fetch
from sukkal.testing import FakeClock
from tests.unit.issuing import AUDIENCE, claims, ed_signer, key_set, token
from tests.unit.jwt_rig import Rig

DOCUMENT: Final = b'{"keys": []}'


class Site:
    """A server of an issuer. Slow answers wait until it is closed."""

    def __init__(self) -> None:
        self.documents = {"/keys": DOCUMENT}
        self.asked: list[tuple[str, str | None]] = []
        self.closing = threading.Event()
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append((self.path, self.headers["Accept"]))
                site.answer(self)

            def log_message(self, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def answer(self, call: BaseHTTPRequestHandler) -> None:
        match call.path:
            case "/moved":
                call.send_response(302)
                call.send_header("Location", f"{self.url}/keys")
                call.end_headers()
            case "/garbage":
                call.wfile.write(b"what is this?\r\n\r\n")
            case "/silent":
                self.closing.wait(30)
            case "/half":
                call.send_response(200)
                call.send_header("Content-Length", "100")
                call.end_headers()
                call.wfile.write(b"{")
            case "/large":
                call.send_response(200)
                call.end_headers()
                call.wfile.write(b" " * (limits.JWT_KEYS_BYTES_MAX + 1))
            case path if path in self.documents:
                call.send_response(200)
                call.end_headers()
                call.wfile.write(self.documents[path])
            case _:
                call.send_error(404)

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.close()


def test_a_document_is_got(site: Site) -> None:
    assert fetch(f"{site.url}/keys") == DOCUMENT
    assert site.asked == [("/keys", "application/json")]


def test_a_document_may_be_as_large_as_the_limit(site: Site) -> None:
    site.documents["/keys"] = b" " * limits.JWT_KEYS_BYTES_MAX
    assert len(fetch(f"{site.url}/keys")) == limits.JWT_KEYS_BYTES_MAX


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/nowhere", "answered 404"),
        ("/moved", "answered 302"),
        ("/garbage", "cannot be reached"),
        ("/large", "answered with more than 262144 bytes"),
    ],
)
def test_any_other_answer_is_a_failure(site: Site, path: str, said: str) -> None:
    with pytest.raises(FetchFailed, match=f"^{site.url}{path} {said}"):
        fetch(f"{site.url}{path}")
    assert len(site.asked) == 1, "nobody else is asked"


def test_half_an_answer_is_no_document(site: Site) -> None:
    assert fetch(f"{site.url}/half") == b"{", "it is for the reader of the document to see"


def test_silence_ends_with_the_time_limit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "JWT_KEYS_TIMEOUT_S", 0.05)
    with pytest.raises(FetchFailed, match=r"cannot be reached: .*timed out"):
        fetch(f"{site.url}/silent")


def test_an_answer_that_comes_in_drops_ends_with_the_time_limit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = itertools.count(step=limits.JWT_KEYS_TIMEOUT_S + 1)
    monkeypatch.setattr(fetching, "elapsed_s", lambda: next(seconds))
    with pytest.raises(FetchFailed, match="it is still sending after 5 seconds"):
        fetch(f"{site.url}/keys")


def test_nobody_there_is_a_failure(site: Site) -> None:
    site.close()
    with pytest.raises(FetchFailed, match=r"cannot be reached: .*refused"):
        fetch(f"{site.url}/keys")


@pytest.mark.parametrize("url", ["http://issuer.example/keys", "file:///etc/hostname", "ftp://127.0.0.1/x", "keys", ""])
def test_what_could_be_anybodys_is_not_asked(url: str) -> None:
    with pytest.raises(FetchFailed, match="is not asked"):
        fetch(url)


def test_this_machine_is_not_asked_through_a_proxy(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)
    assert fetch(f"{site.url}/keys") == DOCUMENT


def test_a_token_is_checked_with_keys_that_were_got_so(site: Site) -> None:
    site.documents["/.well-known/openid-configuration"] = json.dumps(
        {"issuer": site.url, "jwks_uri": f"{site.url}/keys"}
    ).encode()
    site.documents["/keys"] = key_set(ed_signer())
    rig = Rig()
    rig.clock = FakeClock()
    rig.subject = JwtAuthenticator(JwtConfiguration(issuer=site.url, audience=AUDIENCE), rig.clock)
    assert rig.identify(token(ed_signer(), claims(rig.clock(), iss=site.url))).user == "u1"
    assert [path for path, _ in site.asked] == ["/.well-known/openid-configuration", "/keys"]
