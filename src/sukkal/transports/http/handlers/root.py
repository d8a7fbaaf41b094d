"""What is not about a queue: the home document, ping and health."""

from sukkal.transports.http.call import Call
from sukkal.transports.http.exchange import Response, json_response, no_content
from sukkal.transports.http.home import home_document

__all__ = ["health", "home", "ping"]


async def home(call: Call) -> Response:
    """Show which resources there are."""
    response = home_document(call.version)
    return Response(200, response, ((b"content-type", b"application/json-home"), (b"cache-control", b"max-age=86400")))


async def ping(call: Call) -> Response:
    """Say yes."""
    return no_content()


async def health(call: Call) -> Response:
    """Try the main operations."""
    return json_response(200, await call.services.health.check())
