"""``sukkal demo``: its arguments, and the whole of it."""

import asyncio
import json
import webbrowser
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from sukkal.cli.demo.acts import QUEUES, Acts
from sukkal.cli.demo.listening import hear, stream_url
from sukkal.cli.demo.serving import serving
from sukkal.cli.demo.story import Story
from sukkal.cli.demo.web import Web
from sukkal.cli.output import Output
from sukkal.errors import StartupError

__all__ = ["add_to", "run"]

_SUMMARY: Final = "Show the main job in a minute, on a store that is thrown away; it needs nothing else."
_PAUSE_S: Final = 9.0
_PROJECT: Final = "demo"
_HEARD_S: Final = 30.0


def add_to(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser = commands.add_parser("demo", help=_SUMMARY, description=_SUMMARY, allow_abbrev=False)
    parser.add_argument("--fast", action="store_true", help="Leave no time for reading between the acts.")
    parser.add_argument("--open", action="store_true", help="Open the page in a browser.")


def run(options: Mapping[str, Any]) -> int:
    """Show everything, and return the exit code."""
    from sukkal.client import ClientError

    try:
        asyncio.run(_demo(Output(), pause_s=0 if options["fast"] else _PAUSE_S, browser=options["open"]))
    except ClientError as error:
        raise StartupError(f"The demo failed: {error}") from error
    return 0


async def _demo(out: Output, *, pause_s: float, browser: bool) -> None:
    from sukkal.client import Client
    from sukkal.client.chance import SystemChance

    story = Story(out)
    web = Web(story)
    async with web.running():
        flags = ("--webhook-allow", "127.0.0.0/8", "--cors-origins", web.url)
        async with (
            serving(*flags, secret=SystemChance().name()) as url,
            Client(url, project=_PROJECT) as client,
            Client(url, credentials=_Nobody()) as stranger,
        ):
            web.streams = {queue: await stream_url(client, url, queue) for queue in QUEUES}
            await _show_page(story, web.url, url, browser=browser)
            acts = Acts(client, stranger, story, web)
            for act in (
                acts.heat_posts_metadata,
                acts.the_machine_signals_back,
                acts.heat_reads_the_signal,
                acts.a_workflow_reaches_a_webhook,
                lambda: _all_was_heard(story, web.streams),
            ):
                await _play(act, pause_s)
            await story.say("That was all. The service stops now, and its data goes.")
            await story.end()


async def _play(act: Callable[[], Awaitable[None]], pause_s: float) -> None:
    await asyncio.sleep(pause_s)
    await act()


async def _show_page(story: Story, page: str, url: str, *, browser: bool) -> None:
    await story.say(f"A service runs at {url}, with its data in a directory that goes with it.")
    await story.say(f"This page shows everything live: {page}")
    await story.say(f"What is in the queues, the console shows: {url}/console, with the project {_PROJECT}.")
    if browser and not webbrowser.open(page):
        await story.say("There is no browser here that could be opened.")


async def _all_was_heard(story: Story, streams: Mapping[str, str]) -> None:
    """Hear what a page hears that is opened only now, and tell it."""
    await story.act("5. A page hears all of it")
    await story.say(
        "A browser listens to the three queues. If it loses the connection, or is opened only now, it is told what "
        "it missed, also what others have taken since."
    )
    for queue, url in streams.items():
        try:
            async with asyncio.timeout(_HEARD_S):
                body = await _first(url)
        except TimeoutError:
            raise StartupError(f"The page of the demo did not hear of {queue}.") from None
        await story.fact(f"{queue}: {json.dumps(body, ensure_ascii=False)}")


async def _first(url: str) -> Any:
    async for event in hear(url):
        if not event.name:
            return json.loads(event.data)["body"]
    return None


class _Nobody:
    """No credentials at all."""

    async def headers(self) -> Mapping[str, str]:
        """Return nothing."""
        return {}

    async def renew(self) -> bool:
        """Tell that there is nothing else."""
        return False
