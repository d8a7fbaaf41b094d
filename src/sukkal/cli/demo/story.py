"""What the demo tells, on the terminal and on its page."""

import asyncio
import json
import re
import textwrap
from collections.abc import AsyncIterator
from typing import Any, Final

from sukkal.cli.output import Output, one_line

__all__ = ["Story"]

_WIDTH: Final = 88
_BOLD: Final = "1"
_DIM: Final = "2"
_CYAN: Final = "36"
_SHOWN_CHARS_MAX: Final = 400
_SIGNATURE: Final = re.compile(r'URL-[^"]*')


class Story:
    """Tells what happens; whoever ``follows`` is told all of it from the beginning."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._width = min(_WIDTH, out.width or _WIDTH)
        self._told: list[dict[str, str]] = []
        self._more = asyncio.Condition()
        self.ended = False

    async def act(self, title: str) -> None:
        """Begin an act."""
        await self._tell("act", title, f"\n{self._out.colour(_BOLD, title)}")

    async def say(self, text: str) -> None:
        """Tell in plain words what happens."""
        await self._tell("text", text, textwrap.fill(text, self._width))

    async def fact(self, text: str) -> None:
        """Show something as it is."""
        text = _SIGNATURE.sub("URL-...", text)
        await self._tell("answer", text, self._lines(one_line(text)))

    async def request(self, who: str, method: str, path: str, document: Any) -> None:
        """Show a request as it is made."""
        body = "" if document is None else f" {_brief(document)}"
        text = f"{method} {_SIGNATURE.sub('URL-...', path)}{body}"
        printed = self._lines(f"{who} {one_line(text)}").replace(who, self._out.colour(_CYAN, who), 1)
        await self._tell("request", f"{who}: {text}", printed)

    async def answer(self, status: int, document: Any) -> None:
        """Show the answer to a request."""
        text = f"{status}{'' if document is None else f' {_brief(document)}'}"
        await self._tell("answer", text, self._out.colour(_DIM, self._lines(f"-> {one_line(text)}")))

    async def end(self) -> None:
        """Tell that there is no more."""
        async with self._more:
            self.ended = True
            self._more.notify_all()

    async def follow(self) -> AsyncIterator[dict[str, str]]:
        """Yield everything that was told and will be told."""
        count = 0
        while True:
            async with self._more:
                while count == len(self._told) and not self.ended:
                    await self._more.wait()
            if count == len(self._told):
                return
            yield self._told[count]
            count += 1

    def _lines(self, text: str) -> str:
        """Return a text as it is, but on a terminal broken where there are spaces."""
        if self._out.width is None:
            return f"  {text}"
        return textwrap.fill(
            text,
            self._width,
            initial_indent="  ",
            subsequent_indent="     ",
            break_long_words=False,
            break_on_hyphens=False,
        )

    async def _tell(self, kind: str, text: str, printed: str) -> None:
        print(printed, file=self._out.out, flush=True)
        async with self._more:
            self._told.append({"kind": kind, "text": text})
            self._more.notify_all()


def _brief(document: Any) -> str:
    text = _SIGNATURE.sub("URL-...", json.dumps(document, ensure_ascii=False))
    return text if len(text) <= _SHOWN_CHARS_MAX else text[:_SHOWN_CHARS_MAX] + "..."
