"""Checks of the certificate that the service shows."""

import ssl
from typing import Any, Final

from sukkal import limits
from sukkal.cli.doctor.verdict import Verdict, fail, ok, skipped, warn
from sukkal.errors import SettingsError
from sukkal.settings import Settings

__all__ = ["check_tls"]

_TLS: Final = "TLS"
_DAY_S: Final = 86_400
_SOON_DAYS: Final = 14
_TRIPS_MAX: Final = 10
_RENEW: Final = "Renew the certificate, put it at `tls_cert_file`, and send SIGHUP to the service."


def check_tls(settings: Settings, now_ms: int) -> Verdict:
    """Check that the certificate and the key can be read, belong together, and are valid for some days."""
    if not settings.tls_cert_file:
        return skipped(_TLS, "the service speaks plain HTTP")
    from sukkal.transports.http.tls import Tls

    try:
        Tls(settings)
    except SettingsError as error:
        return fail(_TLS, str(error), "Give the two files that belong together, readable for this user.")
    try:
        shown = _shown_to_a_client(settings)
    except ssl.SSLError as error:
        return fail(_TLS, f"{settings.tls_cert_file}: {getattr(error, 'verify_message', '') or error}", _RENEW)
    days = (ssl.cert_time_to_seconds(shown["notAfter"]) - now_ms // limits.SECOND_MS) // _DAY_S
    seen = f"{settings.tls_cert_file} is valid for {days} more days"
    return warn(_TLS, seen, _RENEW) if days < _SOON_DAYS else ok(_TLS, seen)


def _shown_to_a_client(settings: Settings) -> dict[str, Any]:
    """Return the certificate as a client reads it who trusts this one and no other; it refuses what has expired."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file, password="")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.load_verify_locations(settings.tls_cert_file)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server)
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(_TRIPS_MAX):
        if _is_done(client):
            break
        _is_done(server)
    return dict(client.getpeercert() or {})


def _is_done(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
