"""Reading who sends a request: tokens, signatures, and what is merely claimed."""

from typing import Final
from urllib.parse import urlencode

from sukkal.errors import RouteNotFound
from sukkal.service.gate import Credentials
from sukkal.service.signatures import Signature
from sukkal.transports.http.exchange import Request
from sukkal.transports.http.query import Query

__all__ = ["SIGNED_PARAMETERS", "credentials_of", "names_itself", "signed_part", "signed_query"]

_BEARER: Final = "bearer "
_SIGNATURE: Final = "url-signature"
_PROJECT: Final = "x-project-id"
_SIGNED: Final = ("url-paths", "url-methods", _PROJECT, "url-expires", _SIGNATURE)
_SIGNED_HEADERS: Final = tuple(name.encode("ascii") for name in _SIGNED)

SIGNED_PARAMETERS: Final = ("URL-Paths", "URL-Methods", "X-Project-Id", "URL-Expires", "URL-Signature")
"""What a signed URL carries, as headers or as query parameters; names in any case."""


def credentials_of(request: Request, own_parameters: frozenset[str]) -> Credentials:
    """Return what a request says of its sender.

    A signed request may have no query parameters but those of its operation. Raises ``RouteNotFound`` for one that has,
    and for a signature that is incomplete or ambiguous.
    """
    headers = request.headers
    token = request.header(b"x-auth-token")
    if token is None:
        # What is no bearer's token is taken for a wrong one, not for none.
        token = request.header(b"authorization")
        if token is not None and token[: len(_BEARER)].lower() == _BEARER:
            token = token[len(_BEARER) :].strip()
    signature = None
    if b"url-signature" in headers or _SIGNATURE in request.query.lower():
        signature = _signature(request, own_parameters)
    return Credentials(token, request.header(b"x-project-id"), request.header(b"x-roles"), signature)


def names_itself(request: Request) -> bool:
    """Tell whether a request proves nothing of its sender: it has neither a token nor a signature."""
    headers = request.headers
    return (
        b"x-auth-token" not in headers
        and b"authorization" not in headers
        and b"url-signature" not in headers
        and (not request.query or _SIGNATURE not in request.query.lower())
    )


def signed_part(query: str) -> str:
    """Return those parameters of a query that sign the request, as a query."""
    pairs = Query(query).all_pairs() if query else []
    return urlencode([(name, value) for name, value in pairs if name.lower() in _SIGNED])


def signed_query(signature: Signature) -> dict[str, str]:
    """Return the query parameters that make a plain URL of a signature."""
    values = (
        ",".join(signature.paths),
        ",".join(signature.methods),
        signature.project,
        signature.expires,
        signature.text,
    )
    return dict(zip(SIGNED_PARAMETERS, values, strict=True))


def _signature(request: Request, own_parameters: frozenset[str]) -> Signature | None:
    pairs = Query(request.query).all_pairs() if request.query else []
    given = [(name.lower(), value) for name, value in pairs if name.lower() in _SIGNED]
    others = {name for name, _ in pairs if name.lower() not in _SIGNED}
    in_headers = {name.decode("ascii") for name in _SIGNED_HEADERS if name in request.headers}
    if _SIGNATURE not in in_headers and _SIGNATURE not in dict(given):
        return None  # The word stands in some other parameter's value.
    if not others <= own_parameters or len(dict(given)) < len(given):
        raise RouteNotFound
    if _SIGNATURE in dict(given):
        # A project that is named besides must be the same one: the header is what other parts of a request go by.
        claimed = request.header(b"x-project-id")
        if in_headers - {_PROJECT} or claimed not in (None, dict(given).get(_PROJECT)):
            raise RouteNotFound
        values = dict(given)
    else:
        if given:
            raise RouteNotFound
        values = {name: request.header(name.encode("ascii")) or "" for name in in_headers}
    if len(values) < len(_SIGNED):
        raise RouteNotFound
    paths, methods, project, expires, text = (values[name] for name in _SIGNED)
    return Signature(tuple(paths.split(",")), tuple(methods.split(",")), project, expires, text)
