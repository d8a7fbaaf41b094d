"""TLS of the listener: who is let in, and certificates that are replaced while it runs."""

import socket
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import pytest
import trustme

from tests.serving import FailedToStart, ServerProcess

HEADERS: Final = {"client-id": "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52", "x-project-id": "p"}
PATIENCE_S: Final = 30


class Files:
    """A certificate authority, and the files of a server that it trusts."""

    def __init__(self, folder: Path, server: str = "own") -> None:
        self.server = server
        self.authority = trustme.CA()
        self.cert = folder / "cert.pem"
        self.key = folder / "key.pem"
        self.clients = folder / "clients.pem"
        self.renew()

    def renew(self) -> None:
        """Write a new certificate and key."""
        issued = self.authority.issue_cert("127.0.0.1")
        self.cert.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        issued.private_key_pem.write_to_path(self.key)

    def flags(self) -> list[str]:
        """Return the flags that name them, and the server."""
        return ["--http-server", self.server, "--tls-cert-file", str(self.cert), "--tls-key-file", str(self.key)]

    def context(self) -> ssl.SSLContext:
        """Return what a client needs to know the server."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        return context


@pytest.fixture(params=["own", "uvicorn"])
def files(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    return Files(tmp_path, request.param)


def presented(server: ServerProcess, context: ssl.SSLContext) -> int:
    """Return the serial number of the certificate that the server shows."""
    with (
        socket.create_connection((server.host, server.port), timeout=PATIENCE_S) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as connection,
    ):
        certificate = connection.getpeercert()
        assert certificate is not None
        return int(str(certificate["serialNumber"]), 16)


def until(happens: Callable[[], bool], what: str) -> None:
    """Look again and again until something happens."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not happens():
        assert time.monotonic() < deadline_s, what


def test_it_serves_tls_and_nothing_else(files: Files) -> None:
    with ServerProcess("memory://", *files.flags()) as server:
        assert server.url.startswith("https://")
        with httpx.Client(verify=files.context(), base_url=server.url, headers=HEADERS) as client:
            for _ in range(2):
                assert client.put("/v2/queues/q").status_code in (201, 204)
            assert client.post("/v2/queues/q/messages/raw", content=b'"' + b"x" * 200_000 + b'"').status_code == 201
            assert len(client.get("/v2/queues/q/messages?echo=true").json()["messages"][0]["body"]) == 200_000
        with pytest.raises(httpx.TransportError):
            httpx.get(server.url.replace("https", "http") + "/v2/ping", headers=HEADERS)
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            httpx.get(server.url + "/v2/ping", headers=HEADERS)
        assert server.stop() == 0


def test_a_certificate_is_replaced_without_a_restart(files: Files) -> None:
    with ServerProcess("memory://", *files.flags()) as server:
        context = files.context()
        before = presented(server, context)
        with httpx.Client(verify=context, base_url=server.url, headers=HEADERS) as client:
            assert client.get("/v2/ping").status_code == 204
            files.renew()
            assert presented(server, context) == before
            server.reload()
            until(lambda: presented(server, context) != before, "the new certificate is never shown")
            renewed = presented(server, context)
            assert client.get("/v2/ping").status_code == 204
        files.key.write_text("no key")
        server.reload()
        until(lambda: "not reloaded: TLS certificate" in server.stderr, "nothing is said about the wrong key")
        assert presented(server, context) == renewed


def test_clients_may_have_to_show_a_certificate(files: Files, tmp_path: Path) -> None:
    strangers, clients = trustme.CA(), trustme.CA()
    clients.cert_pem.write_to_path(files.clients)
    with ServerProcess("memory://", *files.flags(), "--tls-client-ca-file", str(files.clients)) as server:
        known = files.context()
        clients.issue_cert("client.example.org").configure_cert(known)
        assert httpx.get(f"{server.url}/v2/ping", headers=HEADERS, verify=known).status_code == 204
        stranger = files.context()
        strangers.issue_cert("client.example.org").configure_cert(stranger)
        for context in (files.context(), stranger):
            with pytest.raises(httpx.TransportError):
                httpx.get(f"{server.url}/v2/ping", headers=HEADERS, verify=context)


def test_clients_whose_authority_was_removed_are_let_in_no_more(files: Files) -> None:
    leaving, staying = trustme.CA(), trustme.CA()
    files.clients.write_bytes(leaving.cert_pem.bytes() + staying.cert_pem.bytes())
    contexts = []
    for authority in (leaving, staying):
        context = files.context()
        authority.issue_cert("client.example.org").configure_cert(context)
        contexts.append(context)
    left, stayed = contexts
    with ServerProcess("memory://", *files.flags(), "--tls-client-ca-file", str(files.clients)) as server:

        def is_let_in(context: ssl.SSLContext) -> bool:
            try:
                return httpx.get(f"{server.url}/v2/ping", headers=HEADERS, verify=context).is_success
            except httpx.TransportError:
                return False

        assert is_let_in(left)
        assert is_let_in(stayed)
        staying.cert_pem.write_to_path(files.clients)
        server.reload()
        until(lambda: not is_let_in(left), "it goes on letting in whom it should not")
        assert is_let_in(stayed)


def test_a_connection_that_never_begins_tls_is_closed(files: Files) -> None:
    flags = [*files.flags(), "--request-headers-timeout-s", "1"]
    with ServerProcess("memory://", *flags) as server:
        silent = [socket.create_connection((server.host, server.port), timeout=PATIENCE_S) for _ in range(20)]
        for connection in silent:
            with connection:
                assert connection.recv(1) == b""


def test_a_key_of_another_certificate_keeps_it_from_starting(files: Files, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Files(tmp_path / "other")
    flags = ["--tls-cert-file", str(files.cert), "--tls-key-file", str(other.key)]
    with pytest.raises(FailedToStart, match="tls_key_file") as failed:
        ServerProcess("memory://", *flags)
    assert failed.value.code == 2
    with pytest.raises(FailedToStart, match="cannot be used"):
        ServerProcess("memory://", "--tls-cert-file", str(tmp_path / "none"), "--tls-key-file", str(files.key))
