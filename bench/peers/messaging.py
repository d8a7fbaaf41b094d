"""What Sukkal and Zaqar have in common: the API."""

from bench.load import Address
from bench.peers.http import Line
from bench.peers.peer import BODY, LISTED, QUEUES, TAKEN_AT_ONCE, Peer, queue_of
from bench.scripts import claim_of, queue_path
from bench.wire import BenchError, message_ids, request, status_line

__all__ = ["MessagingPeer"]

_CREATED = status_line(201)
_OK = status_line(200)
_GONE = status_line(204)
_FILLED_AT_ONCE = 100


class MessagingPeer(Peer):
    """A server that speaks the API."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[Line] = []

    @property
    def line(self) -> Line:
        """The first connection."""
        return self._lines[0]

    async def connect(self, address: Address, connections: int) -> None:
        """Have so many connections."""
        self._lines = [Line(address) for _ in range(connections)]
        for line in self._lines:
            self.opened.callback(line.close)

    async def make(self, case: str) -> None:
        """Make the queues."""
        for number in range(QUEUES):
            await self._lines[0].ask(request("PUT", queue_path(queue_of(case, number)), {}), b"HTTP/1.1 20")

    async def post(self, case: str, number: int) -> None:
        """Post a message."""
        await self._lines[number].ask(_post(queue_of(case, number), 1), _CREATED)

    async def fill(self, case: str, number: int, messages: int) -> None:
        """Post a hundred at once."""
        for _ in range(messages // _FILLED_AT_ONCE):
            await self._lines[number].ask(_post(queue_of(case, number), _FILLED_AT_ONCE), _CREATED)
        if rest := messages % _FILLED_AT_ONCE:
            await self._lines[number].ask(_post(queue_of(case, number), rest), _CREATED)

    async def take(self, case: str, number: int) -> None:
        """Claim ten messages and delete them by their ids."""
        queue, line = queue_of(case, number), self._lines[number]
        ids = message_ids(*await line.ask(claim_of(queue, TAKEN_AT_ONCE), _CREATED))
        if len(ids) != TAKEN_AT_ONCE:
            raise BenchError(f"{self.name}: a claim found {len(ids)} of {TAKEN_AT_ONCE} messages")
        await line.ask(request("DELETE", f"{queue_path(queue)}/messages?ids={','.join(ids)}"), _GONE)

    async def list(self, case: str, number: int) -> None:
        """Read the first page of a queue."""
        path = f"{queue_path(queue_of(case, number))}/messages?limit={LISTED}&echo=true"
        answer, body_at = await self._lines[number].ask(request("GET", path), _OK)
        if len(answer) - body_at < LISTED * len(BODY):
            raise BenchError(f"{self.name}: a listing has too little")


_posts: dict[tuple[str, int], bytes] = {}


def _post(queue: str, messages: int) -> bytes:
    if (queue, messages) not in _posts:
        document = {"messages": [{"body": BODY, "ttl": 3_600}] * messages}
        _posts[queue, messages] = request("POST", f"{queue_path(queue)}/messages", document)
    return _posts[queue, messages]
