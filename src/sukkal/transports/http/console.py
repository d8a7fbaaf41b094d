"""The pages of the console: files that a browser keeps and asks about again each time."""

from collections.abc import Iterable
from typing import Final

from sukkal.console import File
from sukkal.transports.http.exchange import Header, Page, Request, Response

__all__ = ["console_pages"]

_PREFIX: Final = "/console"
_INDEX: Final = "index.html"
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    b"form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing is loaded from elsewhere or written into the page as text, so what tenants post can do nothing there."""

_HEADERS: Final[tuple[Header, ...]] = (
    (b"content-security-policy", _POLICY),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-cache"),
)


class _Page:
    """A file under its path."""

    def __init__(self, file: File) -> None:
        self._tag = file.tag.encode("ascii")
        self._content = file.content
        self._headers = (*_HEADERS, (b"etag", self._tag), (b"content-type", file.media_type.encode("ascii")))

    async def __call__(self, request: Request) -> Response:
        """Return the file, or that it is still what the browser has."""
        known = request.headers.get(b"if-none-match", b"")
        if self._tag in (each.strip().removeprefix(b"W/") for each in known.split(b",")):
            return Response(304, b"", self._headers)
        return Response(200, self._content, self._headers)


async def _move(_: Request) -> Response:
    # The files' addresses are relative to the folder. Browsers keep what comes after the #.
    return Response(308, b"", ((b"location", b"console/"), *_HEADERS))


def console_pages(files: Iterable[File]) -> dict[str, Page]:
    """Return the pages by path."""
    pages: dict[str, Page] = {f"{_PREFIX}/{file.path}": _Page(file) for file in files}
    return {_PREFIX: _move, f"{_PREFIX}/": pages[f"{_PREFIX}/{_INDEX}"], **pages}
