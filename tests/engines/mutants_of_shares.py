"""Bugs of what keeps one project from taking the share of others, to be noticed by the suites that are about that."""

from typing import Final

from tests.engines.mutant import Mutant

__all__ = ["MUTANTS_OF_SHARES"]

_SUITES: Final = (
    "tests/unit/test_handing_over.py",
    "tests/api/test_audience.py",
    "tests/api/test_listening.py",
)
SERVICE: Final = ("src/sukkal/service", _SUITES)
SOCKETS: Final = ("src/sukkal/transports/websocket", _SUITES)
STREAMS: Final = ("src/sukkal/transports/http/handlers", _SUITES)

MUTANTS_OF_SHARES: Final = (
    Mutant(
        "what is posted behind what waits overtakes it",
        "handing_over.py",
        "if (share is None or key not in share.posts) and self._at_once > 0:",
        "if self._at_once > 0:",
        *SERVICE,
    ),
    Mutant(
        "a large post is told in one turn",
        "handing_over.py",
        "            if spent >= most:\n                return spent\n",
        "",
        *SERVICE,
    ),
    Mutant(
        "each post has a turn of its own",
        "handing_over.py",
        "            self._at_once -= post.tell(self._at_once)",
        "            post.tell(self._at_once)",
        *SERVICE,
    ),
    Mutant(
        "who has ended is told what waited",
        "handing_over.py",
        "            if hearer.ended:\n                break\n",
        "",
        *SERVICE,
    ),
    Mutant(
        "a project with many queues has as many turns",
        "handing_over.py",
        "                self._shares[project] = share\n",
        "                self._shares = {project: share} | self._shares\n",
        *SERVICE,
    ),
    Mutant(
        "what waits to be told has no bound",
        "handing_over.py",
        "elif share.bytes > limits.TELLINGS_WAITING_BYTES_MAX:",
        "elif share.bytes < 0:",
        *SERVICE,
    ),
    Mutant(
        "who is sent away keeps what waited for it in memory",
        "handing_over.py",
        "            share.drop(key)\n",
        "            pass\n",
        *SERVICE,
    ),
    Mutant(
        "posts are answered however much waits to be told",
        "posting.py",
        "            await self._listeners.eased(key)\n",
        "",
        *SERVICE,
    ),
    Mutant(
        "who left still counts for the project",
        "audience.py",
        "        self._present[project] -= 1\n",
        "        self._present[project] -= 0\n",
        *SERVICE,
    ),
    Mutant(
        "a stream that could not begin counts for the project",
        "stream.py",
        "    except BaseException:\n        audience.leave(key.project)\n",
        "    except BaseException:\n",
        *STREAMS,
    ),
    Mutant(
        "a connection that ends counts for the project",
        "adapter.py",
        "            self._senders.leave(connection)\n",
        "            pass\n",
        *SOCKETS,
    ),
    Mutant(
        "strangers may take all the room",
        "adapter.py",
        "if stranger and self.connections.full_of_strangers:",
        "if False:",
        *SOCKETS,
    ),
)
