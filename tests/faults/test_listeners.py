"""The service is killed again and again while many listen, and nobody misses anything without being told."""

import asyncio
from pathlib import Path
from random import Random
from typing import Final

from tests.faults.exchange import Connection
from tests.faults.listeners import Crowd
from tests.faults.listening import Session, Watched
from tests.faults.listening_checker import check_listening
from tests.faults.test_kill import killer
from tests.serving import ServerProcess

KILLS: Final = 20
BUSY: Final = 6
LISTENERS_EACH: Final = 3
SEED: Final = 20_260_218
LAST_S_MAX: Final = 120


async def run(store: str, crowd: Crowd, logs: list[Watched], random: Random) -> int:
    """Kill the service ``KILLS`` times under load; at last let everybody hear all that there is."""
    killed = 0
    for number in range(KILLS):
        with ServerProcess(store, "--log-level", "warning") as server:
            if number == 0:
                connection = await Connection.open(server.host, server.port)
                for log in logs:
                    made = await connection.ask("PUT", f"/v2/queues/{log.queue}", {"_history": 3_600 * log.history})
                    assert made.status == 201
                await connection.close()
            await crowd.work(server, killer(server, random))
            killed += server.wait() == -9
    with ServerProcess(store, "--log-level", "warning") as server:
        async with asyncio.timeout(LAST_S_MAX):
            await crowd.finish(server)
        assert server.stop() == 0
    return killed


def sessions(log: Watched) -> list[Session]:
    return [session for listener in log.listeners for session in listener.sessions]


def test_kills_let_no_listener_miss_anything_unless_it_is_told(tmp_path: Path) -> None:
    kept, short = Watched("kept", history=True), Watched("short", history=False)
    crowd = Crowd([kept, short], seed=SEED, busy=BUSY, each=LISTENERS_EACH)
    assert asyncio.run(run(f"sqlite:///{tmp_path}", crowd, [kept, short], Random(SEED))) == KILLS
    assert crowd.strange == []
    assert check_listening(kept) == []
    assert check_listening(short) == []
    # The load was what it is meant to be: much was posted and taken, cut off by kills, and missed.
    assert crowd.cut_off == KILLS * 4 * LISTENERS_EACH
    for log in (kept, short):
        assert all(post.done for post in log.posts)
        assert len(log.posts) > KILLS
        assert len(log.pops) > KILLS
        assert any(not pop.answered for pop in log.pops)
        assert len(sessions(log)) > 2 * KILLS * LISTENERS_EACH
        assert sum(len(session.heard) for session in sessions(log)) > len(log.posts) * LISTENERS_EACH
    assert {session.recovered for session in sessions(kept)} == {None, True}
    assert {session.recovered for session in sessions(short)} == {None, True, False}
