"""A person with a browser: opens the console, presses keys, reads. Whatever the browser complains of is kept."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import httpx
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.closing import Closing

__all__ = ["CLIENT", "PATIENCE_MS", "Console", "Project", "faults_of"]

CLIENT: Final = "6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52"
PATIENCE_MS: Final = 15_000
_REFUSED: Final = re.compile(r"Failed to load resource: the server responded with a status of (\d+)")
_UNREACHABLE: Final = re.compile(
    r"net::ERR_(FAILED|CONNECTION|EMPTY|INCOMPLETE|NETWORK)|WebSocket connection to .* failed"
)

expect.set_options(timeout=PATIENCE_MS)


class Project(Closing):
    """What another client of the same project does."""

    def __init__(self, url: str, name: str, *, token: str = "") -> None:
        self.name = name
        who = {"x-auth-token": token} if token else {"x-project-id": name}
        self._client = httpx.Client(base_url=f"{url}/v2", headers={"client-id": CLIENT, **who}, trust_env=False)

    def call(self, method: str, path: str, document: object = None, **more: Any) -> Any:
        """Make a request, which has to succeed, and return what is in the answer."""
        if document is not None:
            more["json"] = document
        response = self._client.request(method, path, **more)
        assert response.status_code < 300, f"{method} {path}: {response.status_code} {response.text}"
        return response.json() if response.content else None

    def post(self, queue: str, *bodies: object, ttl: int = 3_600) -> list[str]:
        """Post messages and return their ids."""
        messages = [{"body": body, "ttl": ttl} for body in bodies]
        answer = self.call("POST", f"/queues/{queue}/messages", {"messages": messages})
        return [path.rpartition("/")[2] for path in answer["resources"]]

    def bodies(self, queue: str) -> list[Any]:
        """Return the bodies of a queue's messages."""
        found = self.call("GET", f"/queues/{queue}/messages?echo=true&include_claimed=true")
        return [message["body"] for message in found["messages"]]

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()


class Console(Closing):
    """The console in a tab of its own, with a storage of its own."""

    def __init__(self, browser: Browser, url: str, **look: Any) -> None:
        self.url = url
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self._expected: set[str] = set()
        self._gone = False
        self._context = browser.new_context(**({"viewport": {"width": 1_280, "height": 800}} | look))
        self._context.set_default_timeout(PATIENCE_MS)
        self.page: Page = self._context.new_page()
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", lambda request: self._note(request.url))
        self.page.on("dialog", lambda dialog: self.complaints.append(f"dialog: {dialog.message}"))

    def expect_refusals(self, *statuses: int) -> None:
        """Take it as right that the service refuses something; browsers report that as an error."""
        self._expected |= {str(status) for status in statuses}

    def expect_absence(self) -> None:
        """Take it as right that the service goes away; browsers report each attempt to reach it."""
        self._gone = True

    def open(self, at: str = "") -> None:
        """Open an address below the console."""
        self.page.goto(f"{self.url}/console/{at}")

    def sign_in(self, *, token: str = "", project: str = "", at: str = "#/queues") -> None:
        """Go through the door."""
        self.open(at)
        self.page.get_by_label("Token or API key").fill(token)
        self.page.get_by_label("Project").fill(project)
        self.page.get_by_role("button", name="Sign in").click()
        expect(self.page.get_by_role("navigation", name="Main")).to_be_visible()

    def go(self, at: str) -> None:
        """Follow an address of the console, as its own links do."""
        self.page.evaluate("(at) => { location.hash = at; }", at)

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        """Type a text."""
        self.page.keyboard.insert_text(text)

    @property
    def heading(self) -> Locator:
        """What the view says that it is."""
        return self.page.get_by_role("heading", level=1)

    @property
    def status(self) -> Locator:
        """What was said last."""
        return self.page.locator("#status")

    def button(self, name: str, **more: Any) -> Locator:
        """Return the button of a name."""
        return self.page.get_by_role("button", name=name, **more)

    def row(self, text: str) -> Locator:
        """Return the row with a text."""
        return self.page.get_by_role("row").filter(has_text=text)

    def focused(self) -> str:
        """Return the text of what has the focus."""
        return str(self.page.evaluate("() => document.activeElement.textContent || document.activeElement.name || ''"))

    def check(self) -> None:
        """Assert that the browser had nothing to complain of, and that the page asked nobody but the service."""
        assert self.complaints == []
        assert self.elsewhere == []

    def close(self) -> None:
        """Close the tab."""
        self._context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type not in ("error", "warning"):
            return
        if self._gone and _UNREACHABLE.search(message.text):
            return
        refused = _REFUSED.match(message.text)
        if refused is None or refused[1] not in self._expected:
            self.complaints.append(f"{message.type}: {message.text} {message.location}")

    def _note(self, url: str) -> None:
        if not url.startswith((f"{self.url}/console/", f"{self.url}/v2/", f"{self.url}/openapi.json")):
            self.elsewhere.append(url)


def faults_of(results: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Return what axe-core found wrong, with where."""
    return [
        f"{violation['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:200]}"
        for violation in results["violations"]
        for node in violation["nodes"]
    ]
