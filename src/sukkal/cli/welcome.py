"""What ``sukkal serve`` says when it is ready."""

from pathlib import Path

from sukkal.settings import Settings
from sukkal.settings.passwords import without_password

__all__ = ["commands", "text"]

_HEADERS = "-H 'Client-ID: 6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52' -H 'X-Project-Id: demo'"
_JSON = "-H 'Content-Type: application/json'"
_QUEUE = "/v2/queues/hello"


def text(url: str, settings: Settings) -> str:
    """Return the greeting: where it listens, where the data is, who may come in, and a first message to try."""
    return "\n".join(
        [
            f"Sukkal listens on {url}",
            _data(settings),
            *(_open(url) if "none" in settings.auth_methods else _guarded(settings)),
            "",
            *([f"Look at it in a browser: {url}/console{_door(settings)}"] if settings.console else []),
            "Settings: sukkal serve --help. Stop: Ctrl-C.",
        ]
    )


def _open(url: str) -> list[str]:
    return [
        "Whoever can connect may read and write every project (auth has none). Keep the address private, or turn on",
        "authentication: sukkal serve --auth keys, or keystone, or jwt.",
        "",
        "Try it from another terminal. These three post a message, claim it and delete it:",
        "",
        *commands(url),
    ]


def _guarded(settings: Settings) -> list[str]:
    return [f"Callers need a token ({', '.join(settings.auth_methods)}), in the header X-Auth-Token."]


def commands(url: str) -> tuple[str, str, str]:
    """Return three bash commands to be run one after the other: post a message, claim it, delete it.

    A claimed message's ``href`` carries the id of its claim, which is what allows deleting it.
    """
    hello = '{"messages": [{"body": "Hello", "ttl": 300}]}'
    post = f"curl -si -w '\\n' {url}{_QUEUE}/messages {_HEADERS} {_JSON} -d '{hello}'"
    claim = f"""claimed=$(curl -si {url}{_QUEUE}/claims {_HEADERS} {_JSON} -d '{{"ttl": 300}}'); echo "$claimed\""""
    href = f"""$(grep -o '{_QUEUE}/messages/[^"]*' <<< "$claimed" | head -n 1)"""
    return post, claim, f'curl -si -X DELETE "{url}{href}" {_HEADERS}'


def _door(settings: Settings) -> str:
    return " (no token; project: demo)" if "none" in settings.auth_methods else ""


def _data(settings: Settings) -> str:
    if settings.database is not None:
        return f"Data is in {without_password(settings.database)}"
    if settings.directory is None:
        return "Data is in memory only: it is gone when the process ends (store = memory://)"
    return f"Data is in {Path(settings.directory).absolute()}"
