"""TLS for the listener: certificates that may be replaced while it runs."""

import ssl

from sukkal.errors import SettingsError
from sukkal.settings import Settings

__all__ = ["Tls"]


class Tls:
    """The certificate, its key, and whose clients are let in. Raises ``SettingsError`` for files that do not do.

    A listener keeps the ``context`` that it was given for good, and what was loaded into one cannot be taken out again.
    So each connection is moved, when it begins, to the context of the files as they were read last.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._latest = self._read()
        self.context = self._read()
        self.context.sni_callback = self._move

    def reload(self) -> None:
        """Read the files again, for connections that begin from now on. A wrong file changes nothing."""
        self._latest = self._read()

    def _move(self, connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = self._latest

    def _read(self) -> ssl.SSLContext:
        context = _context()
        self._load(context)
        return context

    def _load(self, context: ssl.SSLContext) -> None:
        settings = self._settings
        try:
            context.load_cert_chain(settings.tls_cert_file, settings.tls_key_file, password=_no_password)
        except (OSError, ssl.SSLError, ValueError) as error:
            raise SettingsError(
                f"The certificate {settings.tls_cert_file} and the key {settings.tls_key_file} cannot be used: "
                f"{error}. The settings are `tls_cert_file` and `tls_key_file`: two PEM files that belong "
                "together, the key without a password."
            ) from error
        if not settings.tls_client_ca_file:
            return
        try:
            context.load_verify_locations(settings.tls_client_ca_file)
        except (OSError, ssl.SSLError) as error:
            raise SettingsError(
                f"The certificates in {settings.tls_client_ca_file} cannot be used: {error}. The setting is "
                "`tls_client_ca_file`: a PEM file."
            ) from error
        context.verify_mode = ssl.CERT_REQUIRED


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    return context


def _no_password() -> str:
    # Otherwise a key with a password would ask for it on the terminal.
    return ""
