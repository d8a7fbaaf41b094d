"""What an operator can set: the options of the group ``oslo_messaging_sukkal``, and what the URL says."""

import ssl
from typing import Any, Final

from oslo_config import cfg

from sukkal.client import ApiToken, BlockingCredentials, KeystonePassword, ProjectName

__all__ = ["GROUP", "OPTIONS", "credentials_of", "list_opts", "roots_of", "tls_of"]

GROUP: Final = "oslo_messaging_sukkal"
_PORT: Final = 8888
_PROJECT: Final = "oslo"

OPTIONS: Final = (
    cfg.IntOpt("request_timeout", default=30, min=1, help="Seconds of silence after which a request is repeated."),
    cfg.IntOpt("wait", default=20, min=1, max=3600, help="Seconds that a listener's request for messages may wait."),
    cfg.IntOpt("claim_ttl", default=60, min=60, help="Seconds after which what a server that died had is done again."),
    cfg.IntOpt("cast_ttl", default=86_400, min=60, help="Seconds that a cast waits for a server."),
    cfg.IntOpt("fanout_ttl", default=600, min=60, help="Seconds in which a server that was cut off hears a fanout."),
    cfg.IntOpt("notification_ttl", default=1_209_600, min=60, help="Seconds that a notification waits for a listener."),
    cfg.IntOpt(
        "pool_ttl", default=315_360_000, min=60, help="Seconds for which a pool gets copies after it was last joined."
    ),
    cfg.IntOpt("reply_timeout", default=60, min=0, help="Seconds for which sending a reply is tried again."),
    cfg.IntOpt("prefetch", default=64, min=1, help="Messages of one queue that a listener has at most."),
    cfg.IntOpt("requeue_delay", default=1, min=0, help="Seconds until a requeued notification comes again."),
    cfg.BoolOpt(
        "acknowledge_early",
        default=False,
        help="Acknowledge an RPC request before it is processed: a server that dies loses it, and none does it twice.",
    ),
    cfg.StrOpt("ca_file", help="Certificates (PEM) to know the service by, instead of the system's."),
    cfg.StrOpt("cert_file", help="The certificate (PEM) to show to a service that demands one."),
    cfg.StrOpt("key_file", help="The private key of that certificate (PEM)."),
    cfg.StrOpt("keystone_auth_url", help="Where Keystone is, if the URL has a user of Keystone and not an API key."),
    cfg.StrOpt("keystone_user_domain_name", default="Default", help="The domain of that user."),
    cfg.StrOpt("keystone_project_domain_name", default="Default", help="The domain of the project."),
)


def list_opts() -> list[tuple[str, tuple[Any, ...]]]:
    """Return the options, for ``oslo-config-generator``."""
    return [(GROUP, OPTIONS)]


def roots_of(url: Any) -> list[str]:
    """Return where the service is, several times if the transport URL has several hosts."""
    scheme = "https" if url.transport.endswith("+https") else "http"
    hosts = [(host.hostname or "127.0.0.1", host.port or _PORT) for host in url.hosts] or [("127.0.0.1", _PORT)]
    return [f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}" for name, port in hosts]


def credentials_of(url: Any, options: Any) -> BlockingCredentials:
    """Return who we are: a user of Keystone, else the password as an API key, else the virtual host as a project."""
    host = next((host for host in url.hosts if host.password), None)
    project = url.virtual_host or None
    if host is not None and options.keystone_auth_url:
        return KeystonePassword(
            {
                "auth_url": options.keystone_auth_url,
                "username": host.username,
                "password": host.password,
                "user_domain_name": options.keystone_user_domain_name,
                "project_name": project,
                "project_domain_name": options.keystone_project_domain_name,
            }
        )
    if host is not None:
        return ApiToken(host.password, project)
    return ProjectName(project or _PROJECT)


def tls_of(options: Any) -> ssl.SSLContext:
    """Return how the service is known, and how we are known to it."""
    context = ssl.create_default_context(cafile=options.ca_file)
    if options.cert_file:
        context.load_cert_chain(options.cert_file, options.key_file)
    return context
