"""The cases of the main part, and those for a foreign server."""

from collections.abc import Sequence
from typing import Final

from bench.rounds import Case, Target
from bench.scripts import CLAIMED_AT_ONCE
from bench.workloads import Claiming, Getting, Listing, Mixed, NoOp, Posting, queues_of

__all__ = ["FOREIGN", "NAMES", "NOOP", "foreign_cases", "generator_cases", "main_cases"]

NOOP: Final = "no-op"
BARE: Final = "bare front"
POST1_WANTED: Final = {16: 0.30, 64: 0.50, 256: 0.65}
CLAIM_WANTED: Final = 0.20
NAMES: Final = ("post1", "post20", "claim10+delete10", "mixed", "list", "get")
FOREIGN: Final = ("post1", "claim10+delete10", "list")

_POSTED_AT_ONCE: Final = 20
_MESSAGES_PER_CYCLE_REQUEST: Final = CLAIMED_AT_ONCE / 2
_CONNECTIONS: Final = (1, 16, 64, 256)


def main_cases(noop: Target, bare: Target, service: Target, *, depth: int, only: Sequence[str]) -> list[Case]:
    """Return the cases, each soon after the no-op that it is compared with."""
    cases: list[Case] = []
    for connections in _CONNECTIONS:
        at_hand = [case for case in _service_cases(service, connections, depth) if not only or case.name in only]
        if at_hand:
            cases += [Case(NOOP, connections, noop, NoOp()), Case(BARE, connections, bare, NoOp()), *at_hand]
    return cases


def _service_cases(service: Target, connections: int, depth: int) -> list[Case]:
    posting = Posting(f"post1-{connections}", 1)
    cases = [Case("post1", connections, service, posting, 1, POST1_WANTED.get(connections))]
    if connections in (16, 64):
        cases.append(Case("post20", connections, service, Posting(f"post20-{connections}", _POSTED_AT_ONCE), 20))
    if connections == 16:
        claiming = Claiming("claim", depth)
        cases += [
            Case("claim10+delete10", connections, service, claiming, _MESSAGES_PER_CYCLE_REQUEST, CLAIM_WANTED),
            Case("list", connections, service, Listing(queues_of("list"))),
            Case("get", connections, service, Getting("get")),
        ]
    if connections == 64:
        cases.append(Case("mixed", connections, service, Mixed("mixed", depth)))
    return cases


def foreign_cases(server: Target, *, depth: int, only: Sequence[str]) -> list[Case]:
    """Return the cases that are measured on somebody else's server."""
    cases = [Case("post1", each, server, Posting(f"post1-{each}", 1), 1) for each in _CONNECTIONS]
    cases += [
        Case("claim10+delete10", 16, server, Claiming("claim", depth), _MESSAGES_PER_CYCLE_REQUEST),
        Case("list", 16, server, Listing(queues_of("list"))),
    ]
    return [case for case in cases if not only or case.name in only]


def generator_cases(trivial: Target) -> list[Case]:
    """Return the cases that show what the load generator can do."""
    return [Case("generator", connections, trivial, NoOp()) for connections in _CONNECTIONS]
