"""Every setting, its meaning, its limits and its default: one line each.

The flag, the environment variable, the TOML key, the help text and the reference page all follow from that line.
"""

from typing import Annotated, Final, Literal, NamedTuple

from sukkal import limits
from sukkal.settings.deliveries import DeliverySettings
from sukkal.settings.kinds import about, line, number, path, seconds, text

__all__ = ["Address", "Settings"]

_DAY_S: Final = 86_400
_YEAR_S: Final = 365 * _DAY_S
_PORT: Final = r"(6553[0-5]|655[0-2]\d|65[0-4]\d{2}|6[0-4]\d{3}|[1-5]?\d{1,4})"
_LISTEN: Final = rf"^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):{_PORT}\Z"
_LISTEN_OR_NOT: Final = rf"{_LISTEN}|^\Z"
_AUTH: Final = r"^(none|keystone|jwt|keys)(,(none|keystone|jwt|keys))*\Z"
_HTTP_URL: Final = r"^(https?://[^\s/]+\S*)?\Z"
_STORE: Final = r"^(memory://|sqlite:///[^\0\r\n]+|postgresql://[^\s/]+/[^\s]+)\Z"


class Address(NamedTuple):
    """A host and a TCP port to listen on; port 0 lets the system choose."""

    host: str
    port: int


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return Address(host.strip("[]"), int(port))


class Settings(DeliverySettings, frozen=True, kw_only=True):
    """All settings of one process. Lengths of time are whole seconds, sizes are bytes."""

    # Where it listens, where its data is, who may come in.
    listen: Annotated[
        str,
        text(
            "Address and port that the service listens on. Port 0 lets the system choose one.",
            wants="HOST:PORT, an IPv6 host in brackets",
            pattern=_LISTEN,
            example="127.0.0.1:8888",
        ),
    ] = "127.0.0.1:8888"
    store: Annotated[
        str,
        text(
            "Where messages are kept: `sqlite:///DIR` (a directory below the working directory), `sqlite:////DIR` "
            "(an absolute one), `postgresql://USER:PASSWORD@HOST:PORT/DATABASE`, or `memory://` "
            "(nothing survives the process).",
            wants="sqlite:///DIR, sqlite:////ABSOLUTE/DIR, postgresql://USER:PASSWORD@HOST:PORT/DATABASE or memory://",
            pattern=_STORE,
            example="sqlite:////var/lib/sukkal",
        ),
    ] = "sqlite:///./sukkal-data"
    auth: Annotated[
        str,
        text(
            "How callers prove who they are; several ways, separated by commas, may be open at once. `none` trusts the "
            "X-Project-Id header of a request that brings no token.",
            wants="one or more of none, keystone, jwt and keys, separated by commas",
            pattern=_AUTH,
            example="keystone,keys",
        ),
    ] = "none"
    allow_remote_without_auth: Annotated[
        bool, about("Allow listening on an address that other machines can reach while `auth` has `none`.")
    ] = False

    # Keystone.
    keystone_auth_url: Annotated[
        str,
        text(
            "Where Keystone is.",
            wants="an http or https URL, or nothing",
            pattern=_HTTP_URL,
            example="https://keystone.example.org/v3",
        ),
    ] = ""
    keystone_username: Annotated[
        str, line("The user as which tokens are validated.", wants="a name", example="sukkal")
    ] = ""
    keystone_password: Annotated[
        str, line("That user's password.", wants="a password", example="secret", secret=True)
    ] = ""
    keystone_project_name: Annotated[str, line("The project of that user.", wants="a name", example="service")] = (
        "service"
    )
    keystone_user_domain_name: Annotated[str, line("The domain of that user.", wants="a name", example="Default")] = (
        "Default"
    )
    keystone_project_domain_name: Annotated[
        str, line("The domain of that project.", wants="a name", example="Default")
    ] = "Default"
    keystone_ca_file: Annotated[
        str, path("Certificates (PEM) to know Keystone by, instead of the system's.", "/etc/ssl/keystone.pem")
    ] = ""
    keystone_timeout_s: Annotated[int, seconds("How long Keystone may take to answer.", 1, 300)] = (
        limits.KEYSTONE_TIMEOUT_S_DEFAULT
    )
    keystone_revalidate_s: Annotated[
        int,
        seconds(
            "How long a token counts as valid before Keystone is asked again: a revoked one is refused by then.",
            1,
            3_600,
        ),
    ] = limits.KEYSTONE_REVALIDATE_S_DEFAULT

    # JSON Web Tokens.
    jwt_issuer: Annotated[
        str,
        text(
            "The OpenID Connect issuer whose tokens are accepted.",
            wants="an http or https URL, or nothing",
            pattern=_HTTP_URL,
            example="https://login.example.org",
        ),
    ] = ""
    jwt_jwks_url: Annotated[
        str,
        text(
            "Where the issuer's keys are. Without it the issuer's discovery document says so.",
            wants="an http or https URL, or nothing",
            pattern=_HTTP_URL,
            example="https://login.example.org/jwks",
        ),
    ] = ""
    jwt_audience: Annotated[
        str, line("The audience that tokens must be made for.", wants="a name", example="sukkal")
    ] = ""
    jwt_project_claim: Annotated[
        str, line("The claim that names the project.", wants="a name, with dots a path", example="project_id")
    ] = "project_id"
    jwt_roles_claim: Annotated[
        str,
        line("The claim that lists the roles.", wants="a name, with dots a path", example="realm_access.roles"),
    ] = "roles"

    # What callers may do.
    keys_file: Annotated[str, path("The file of API keys, which `sukkal key` writes.", "/etc/sukkal/keys.json")] = ""
    policy_file: Annotated[
        str,
        path("A YAML file of rules that say who may do what, instead of the default ones.", "/etc/sukkal/policy.yaml"),
    ] = ""
    limits_file: Annotated[str, path("A TOML file with the limits of projects.", "/etc/sukkal/limits.toml")] = ""
    signed_url_keys: Annotated[
        str,
        line(
            "Secrets that sign URLs, separated by commas, each of at least 16 characters: the first signs, all are "
            "accepted.",
            wants="secrets without commas",
            example="a-long-random-secret",
            secret=True,
        ),
    ] = ""
    encryption_keys: Annotated[
        str,
        line(
            "Keys for the messages of encrypted queues, separated by commas, each an id, a colon and 32 bytes in "
            "Base64: the first encrypts, all decrypt.",
            wants="ID:BASE64,...",
            example="k1:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            secret=True,
        ),
    ] = ""
    encryption_keys_file: Annotated[
        str, path("A file with such keys, one on each line.", "/etc/sukkal/encryption.keys")
    ] = ""
    audit_log: Annotated[
        str, path("A file to which a line of JSON is added for each operation.", "/var/log/sukkal/audit.jsonl")
    ] = ""
    audit_reads: Annotated[
        bool, about("Also write operations that only read to the audit log. Refused ones are always written.")
    ] = False

    # TLS and browsers.
    tls_cert_file: Annotated[
        str, path("The certificate to serve TLS with (PEM, followed by those of its issuers).", "/etc/sukkal/cert.pem")
    ] = ""
    tls_key_file: Annotated[str, path("The private key of that certificate (PEM).", "/etc/sukkal/key.pem")] = ""
    tls_client_ca_file: Annotated[
        str, path("Demand client certificates that one of these (PEM) has signed.", "/etc/sukkal/clients.pem")
    ] = ""
    cors_origins: Annotated[
        str,
        line(
            "Origins whose pages may call the service from a browser, separated by commas, or `*` for all.",
            wants="origins such as https://console.example.org",
            example="https://console.example.org",
        ),
    ] = ""

    # The HTTP API.
    enable_v1_1: Annotated[bool, about("Serve `/v1.1` beside `/v2`, for agents that still speak it.")] = True
    enable_checksum: Annotated[bool, about("Show an MD5 checksum of each message's body.")] = False
    client_id_uuid_safe: Annotated[
        Literal["strict", "off"],
        about("What a Client-ID header may be: `strict` takes UUIDs only, `off` any text of 10 to 36 characters."),
    ] = "strict"
    message_delete_with_claim_id: Annotated[
        bool, about("Refuse to delete several messages by id unless the request names their claims.")
    ] = False
    metrics: Annotated[bool, about("Serve Prometheus metrics at `/metrics`.")] = True
    traces: Annotated[bool, about("Export OpenTelemetry traces, as the variables `OTEL_...` say.")] = False
    console: Annotated[bool, about("Serve the web console at `/console`.")] = True

    # Messages.
    default_message_ttl: Annotated[
        int, seconds("Life of a message that does not say.", limits.MESSAGE_TTL_S_MIN, 10 * _YEAR_S)
    ] = limits.MESSAGE_TTL_S_DEFAULT
    max_message_ttl: Annotated[
        int, seconds("Longest life that a message may ask for.", limits.MESSAGE_TTL_S_MIN, 10 * _YEAR_S)
    ] = limits.MESSAGE_TTL_S_MAX
    default_message_delay: Annotated[
        int, seconds("Wait before a message that does not say can be claimed.", 0, _YEAR_S)
    ] = limits.MESSAGE_DELAY_S_DEFAULT
    max_message_delay: Annotated[int, seconds("Longest delay that a message may ask for.", 0, _YEAR_S)] = (
        limits.MESSAGE_DELAY_S_MAX
    )
    max_messages_post_size: Annotated[
        int, number("Largest body of one post, all its messages together.", "bytes", 1_024, 64 * 1_048_576)
    ] = limits.POST_BYTES_MAX
    idempotency_window_s: Annotated[
        int, seconds("How long the Idempotency-Key of a post is remembered.", 60, 30 * _DAY_S)
    ] = limits.IDEMPOTENCY_WINDOW_S

    # Claims.
    default_claim_ttl: Annotated[
        int, seconds("Length of a claim that does not say.", limits.CLAIM_TTL_S_MIN, _YEAR_S)
    ] = limits.CLAIM_TTL_S_DEFAULT
    max_claim_ttl: Annotated[int, seconds("Longest claim that may be asked for.", limits.CLAIM_TTL_S_MIN, _YEAR_S)] = (
        limits.CLAIM_TTL_S_MAX
    )
    default_claim_grace: Annotated[
        int, seconds("Grace of a claim that does not say.", limits.CLAIM_GRACE_S_MIN, _YEAR_S)
    ] = limits.CLAIM_GRACE_S_DEFAULT
    max_claim_grace: Annotated[
        int, seconds("Longest grace that a claim may ask for.", limits.CLAIM_GRACE_S_MIN, _YEAR_S)
    ] = limits.CLAIM_GRACE_S_MAX
    max_messages_per_claim_or_pop: Annotated[
        int, number("Most messages in one claim or pop.", "messages", 1, limits.BROWSE_SCAN_ROWS_MAX)
    ] = limits.CLAIM_MESSAGES_MAX

    # Pages and queues.
    max_queues_per_page: Annotated[
        int, number("Most queues in one page of a listing.", "queues", 1, limits.BROWSE_SCAN_ROWS_MAX)
    ] = limits.PAGE_MAX
    max_messages_per_page: Annotated[
        int, number("Most messages in one page of a listing.", "messages", 1, limits.BROWSE_SCAN_ROWS_MAX)
    ] = limits.PAGE_MAX
    max_subscriptions_per_page: Annotated[
        int, number("Most subscriptions in one page of a listing.", "subscriptions", 1, limits.BROWSE_SCAN_ROWS_MAX)
    ] = limits.PAGE_MAX
    max_queue_metadata: Annotated[int, number("Largest metadata of a queue.", "bytes", 64, 16 * 1_048_576)] = (
        limits.METADATA_BYTES_MAX
    )

    # Connections and waiting.
    http_server: Annotated[
        Literal["own", "uvicorn"],
        about("What reads requests and writes answers: the service's `own` server, or `uvicorn` over ASGI."),
    ] = "own"
    wait_max_s: Annotated[
        int, seconds("Longest time that a claim or a listing may wait for messages (`wait=`).", 0, 3_600)
    ] = limits.WAIT_S_MAX
    request_headers_timeout_s: Annotated[
        int, seconds("Time in which a connection must deliver the headers of a request.", 1, 3_600)
    ] = limits.REQUEST_HEADERS_TIMEOUT_S
    request_body_timeout_s: Annotated[
        int, seconds("Time in which a connection must deliver the body of a request.", 1, 3_600)
    ] = limits.REQUEST_BODY_TIMEOUT_S
    client_read_timeout_s: Annotated[
        int, seconds("Time in which a client must read on once what it has not read fills the buffers.", 1, 3_600)
    ] = limits.CLIENT_READ_TIMEOUT_S
    max_connections: Annotated[int, number("Most connections at once.", "connections", 1, 1_000_000)] = 10_000
    max_websocket_connections: Annotated[
        int, number("Most WebSocket connections at once; they count as connections too.", "connections", 1, 1_000_000)
    ] = limits.WEBSOCKET_CONNECTIONS_MAX
    max_listeners_per_project: Annotated[
        int,
        number(
            "Most WebSocket connections and streams of one project at once; 0 is without a limit of its own.",
            "connections",
            0,
            1_000_000,
        ),
    ] = limits.LISTENERS_PER_PROJECT_MAX
    websocket_authenticate_timeout_s: Annotated[
        int, seconds("Time in which the client of a WebSocket must prove who it is, where it has to.", 1, 3_600)
    ] = limits.WEBSOCKET_AUTHENTICATE_S
    websocket_idle_timeout_s: Annotated[
        int,
        seconds(
            "Time after which a WebSocket is closed from which nothing comes, not even an answer to a ping. Clients "
            "with a blocking library answer pings only while they wait for a frame.",
            1,
            604_800,
        ),
    ] = limits.WEBSOCKET_IDLE_S
    websocket_compression: Annotated[
        bool,
        about(
            "Compress the frames of WebSockets whose clients offer that (permessage-deflate). It costs time for each "
            "frame and some hundred kilobytes for each connection."
        ),
    ] = False
    websocket_listen: Annotated[
        str,
        text(
            "Address and port of a listener for WebSockets alone, besides the one at `listen`. Zaqar's usual port is "
            "9000.",
            wants="host:port, or nothing",
            pattern=_LISTEN_OR_NOT,
            example="127.0.0.1:9000",
        ),
    ] = ""
    backlog: Annotated[
        int, number("Connections that the system keeps waiting to be accepted.", "connections", 1, 65_535)
    ] = 2_048

    # Search.
    search_retention_s: Annotated[
        int,
        seconds(
            "How long events of queues with `_search` are found. Resources are found until they are gone.",
            60,
            10 * _YEAR_S,
        ),
    ] = 30 * _DAY_S
    search_bytes_max: Annotated[
        int,
        number(
            "Most of the events and resources of one project that is kept for searches; the oldest events go first.",
            "bytes",
            1_048_576,
            1 << 40,
        ),
    ] = 1 << 30

    # Operation.
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], about("The least severe log lines that are written.")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "console", "json"],
        about("How log lines look: `auto` is `console` on a terminal and `json` elsewhere."),
    ] = "auto"
    shutdown_grace_s: Annotated[
        int, seconds("How long a stopping service may take to finish the requests that run.", 0, 3_600)
    ] = 30
    stalled_after_s: Annotated[
        int, seconds("`/healthz` fails when a write has waited this long without any commit.", 1, 3_600)
    ] = 10
    store_timeout_s: Annotated[
        int, seconds("How long a PostgreSQL server may take to let a node in, and then for a statement.", 1, 300)
    ] = 10
    sweep_interval_s: Annotated[int, seconds("Pause between two sweeps of expired messages.", 1, _DAY_S)] = 1

    @property
    def address(self) -> Address:
        """The host, without brackets, and the port of ``listen``."""
        return _address(self.listen)

    @property
    def websocket_address(self) -> Address | None:
        """The same of ``websocket_listen``, if it is set."""
        return _address(self.websocket_listen) if self.websocket_listen else None

    @property
    def auth_methods(self) -> tuple[str, ...]:
        """The ways in which callers may prove who they are."""
        return tuple(dict.fromkeys(self.auth.split(",")))

    @property
    def directory(self) -> str | None:
        """The directory of an SQLite store, ``None`` for a store in memory."""
        return self.store.removeprefix("sqlite:///") if self.store.startswith("sqlite:///") else None

    @property
    def database(self) -> str | None:
        """The URL of a PostgreSQL database, ``None`` for another store."""
        return self.store if self.store.startswith("postgresql://") else None
