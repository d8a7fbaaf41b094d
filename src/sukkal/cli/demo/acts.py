"""The acts of the demo: what the services and the machine of a small cloud say to each other."""

import asyncio
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, urlsplit

from sukkal.cli.demo.story import Story
from sukkal.cli.demo.web import Web
from sukkal.errors import StartupError

if TYPE_CHECKING:
    from sukkal.client import Answer, Client

__all__ = ["QUEUES", "Acts"]

_SERVER: Final = "server-42"
_SIGNALS: Final = "deployment-42"
_WORKFLOWS: Final = "mistral"
QUEUES: Final = (_SERVER, _SIGNALS, _WORKFLOWS)

_HOOK_S: Final = 30.0
_DEPLOYMENT: Final = {"name": "install-web-server", "group": "script", "config": "apt-get install -y nginx"}
_RESULT: Final = {"deploy_status_code": 0, "deploy_stdout": "nginx is installed"}
_WORKFLOW: Final = {
    "event": "WORKFLOW_SUCCEEDED",
    "id": "3c1f4a3e-6d0b-4b7e-9b0e-5a2a8d6f1c77",
    "name": "backup",
    "workflow_name": "backup",
    "state": "SUCCESS",
}


class Acts:
    """Everybody in the cloud. ``stranger`` is a client without any rights but those of the URLs that it was given."""

    def __init__(self, client: "Client", stranger: "Client", story: Story, web: Web) -> None:
        self._client = client
        self._stranger = stranger
        self._story = story
        self._web = web

    async def heat_posts_metadata(self) -> None:
        """Have Heat tell a new machine what to do, and where to say how it went."""
        await self._story.act("1. Heat tells a machine what to do")
        await self._story.say(
            "Heat has made a server. The machine cannot be reached from outside, so Heat leaves what it should do in "
            "a queue. Queues come into being when they are used. With it goes a signed URL: it lets the machine post "
            "its result to one queue for a while, and nothing else."
        )
        shared = await self._ask(
            "Heat", "POST", f"{_queue(_SIGNALS)}/share", {"paths": ["messages"], "methods": ["POST"]}
        )
        deployment = {**_DEPLOYMENT, "signal": shared.member("post_url", str)}
        message = {"body": {"deployments": [deployment]}, "ttl": 3600}
        await self._ask("Heat", "POST", f"{_queue(_SERVER)}/messages", {"messages": [message]})

    async def the_machine_signals_back(self) -> None:
        """Have the machine collect its metadata, do the work, and say how it went."""
        await self._story.act("2. The machine collects it and signals back")
        await self._story.say("The machine has booted. Its agent takes what waits for it, and does it.")
        taken = await self._ask("machine", "DELETE", f"{_queue(_SERVER)}/messages?pop=1")
        [message] = taken.member("messages", list)
        [deployment] = message["body"]["deployments"]
        await self._story.say(
            f"It has done {deployment['name']}. With the signed URL alone, without any account, it says so."
        )
        await self._ask("machine", "POST", deployment["signal"], _RESULT, client=self._stranger)

    async def heat_reads_the_signal(self) -> None:
        """Have Heat find the result."""
        await self._story.act("3. Heat reads the signal")
        taken = await self._ask("Heat", "DELETE", f"{_queue(_SIGNALS)}/messages?pop=1")
        [message] = taken.member("messages", list)
        code = message["body"]["deploy_status_code"]
        await self._story.say(f"The deployment is complete, with status {code}.")

    async def a_workflow_reaches_a_webhook(self) -> None:
        """Have a URL called because a workflow has ended well."""
        await self._story.act("4. A workflow event reaches a webhook")
        await self._story.say("Somebody wants a URL called when the workflow `backup` succeeds.")
        wanted = {"workflow": "backup", "events": ["on-success"], "url": self._web.hook}
        await self._ask("you", "POST", "/v2/listeners", wanted)
        await self._story.say("The workflow ends, and Mistral tells the service in its own words.")
        await self._ask("Mistral", "POST", f"{_queue(_WORKFLOWS)}/ingest", _WORKFLOW)
        try:
            async with asyncio.timeout(_HOOK_S):
                call = await self._web.calls.get()
        except TimeoutError:
            raise StartupError("The webhook of the demo was not called in time.") from None
        await self._story.request("Sukkal", "POST", self._web.hook, call)
        await self._story.say("The URL was called. Were it down, the service would try again for hours.")

    async def _ask(
        self, who: str, method: str, target: str, document: Any = None, *, client: "Client | None" = None
    ) -> "Answer":
        parts = urlsplit(target)
        await self._story.request(who, method, target, document)
        answer = await (client or self._client).request(
            method, parts.path, document, query=dict(parse_qsl(parts.query)), repeatable=True
        )
        await self._story.answer(answer.status, answer.document)
        return answer


def _queue(name: str) -> str:
    return f"/v2/queues/{name}"
