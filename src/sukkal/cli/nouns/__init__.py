"""The nouns of the command line, one file for each."""

from typing import Final

from sukkal.cli.nouns.claim import CLAIM
from sukkal.cli.nouns.event import EVENT
from sukkal.cli.nouns.flavor import FLAVOR
from sukkal.cli.nouns.listener import LISTENER
from sukkal.cli.nouns.message import MESSAGE
from sukkal.cli.nouns.pool import POOL
from sukkal.cli.nouns.queue import QUEUE
from sukkal.cli.nouns.subscription import SUBSCRIPTION
from sukkal.cli.nouns.url import URL

__all__ = ["NOUNS"]

NOUNS: Final = {noun.name: noun for noun in (QUEUE, MESSAGE, CLAIM, SUBSCRIPTION, EVENT, LISTENER, URL, POOL, FLAVOR)}
