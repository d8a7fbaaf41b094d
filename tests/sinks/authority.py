"""A certificate authority of a test's own."""

import ssl

import trustme

__all__ = ["Authority"]


class Authority:
    """What a server that is ``host`` and a client that trusts it need."""

    def __init__(self, host: str) -> None:
        authority = trustme.CA()
        self.server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.client = ssl.create_default_context()
        issued = authority.issue_cert(host)
        issued.configure_cert(self.server)
        authority.configure_trust(self.client)
        self.authority_pem = authority.cert_pem.bytes()
        self.certificate_pem = b"".join(blob.bytes() for blob in issued.cert_chain_pems)
        self.key_pem = issued.private_key_pem.bytes()
