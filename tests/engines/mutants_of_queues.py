"""Bugs of queues that go or keep the latest message only, of waiting in turn, of calls and of consumers."""

from typing import Final

from tests.engines.mutant import Mutant

__all__ = ["MUTANTS_OF_QUEUES"]

_IDLE: Final = ("src/sukkal/service", ("tests/api/test_idle_queues.py",))
_LATEST: Final = ("src/sukkal/service", ("tests/api/test_latest_only.py",))
_TURNS: Final = ("src/sukkal/service", ("tests/unit/test_waiting.py", "tests/unit/test_waiting_latecomers.py"))
_WAITING: Final = ("src/sukkal/service", ("tests/api/test_waiting.py",))
_CALLS: Final = ("src/sukkal/service", ("tests/api/test_calls.py",))
_CONSUMERS: Final = ("src/sukkal/service", ("tests/api/test_consumers.py",))

MUTANTS_OF_QUEUES: Final = (
    Mutant("what is claimed is replaced", "queries.sql", "AND (claim IS NULL OR visible_ms <= ?4)\n", "AND ?4 > 0\n"),
    Mutant(
        "what was claimed once is never replaced",
        "queries.sql",
        "AND (claim IS NULL OR visible_ms <= ?4)\n",
        "AND (claim IS NULL OR ?4 < 0)\n",
    ),
    Mutant(
        "a key reaches into other queues",
        "queries.sql",
        "DELETE FROM messages INDEXED BY messages_key\nWHERE queue = ?1 AND key = ?2",
        "DELETE FROM messages\nWHERE ?1 AND key = ?2",
    ),
    Mutant(
        "a message that is there already takes the place of others",
        "publishing.py",
        "    writer.execute(SQL.insert_message, row)\n    if writer.changes():\n        if message.key",
        "    writer.execute(SQL.insert_message, row)\n    if message.key is not None:\n"
        "        _replace_older(writer, catalogue, queue, message.key, row[0], now_ms)\n"
        "    if writer.changes():\n        if message.key",
    ),
    Mutant(
        "nobody is told that a message made place for another",
        "publishing.py",
        "        catalogue.removed(queue, gone)\n",
        "        pass\n",
    ),
    Mutant(
        "what becomes a dead letter is replaced",
        "queries.sql",
        "lifetime <> -1 AND (claim IS NULL",
        "(claim IS NULL",
    ),
    Mutant(
        "dead letters have no key",
        "letters.py",
        "msgspec.structs.replace(each, key=key) for each, key in keyed",
        "each for each, _ in keyed",
        *_LATEST,
    ),
    Mutant("a changed queue is idle", "idle.py", "entry.queue.revision != idle.revision or ", ""),
    Mutant("a queue with a subscription is idle", "idle.py", " or entry.queue.subscriptions:", ":"),
    Mutant(
        "a queue with a claim is idle",
        "queries.sql",
        "WHERE c.queue = ? AND c.expires_ms > ? LIMIT ?",
        "WHERE c.queue = ? AND c.expires_ms < ? - 1000000000 LIMIT ?",
    ),
    Mutant(
        "a queue whose claim has ended is not idle",
        "queries.sql",
        "WHERE c.queue = ? AND c.expires_ms > ? LIMIT ?",
        "WHERE c.queue = ? AND c.expires_ms >= ? LIMIT ?",
    ),
    Mutant("a queue that was posted to is idle", "idle.py", "max(entry.number, last or 0, ", "max(entry.number, "),
    Mutant(
        "a queue whose new messages are gone is idle",
        "idle.py",
        ", catalogue.last_removed(entry.number)) > idle",
        ") > idle",
    ),
    Mutant("a queue that was made anew is idle", "idle.py", "max(entry.number, last or 0", "max(last or 0"),
    Mutant("a queue goes while somebody listens", "idle.py", " or self._listeners.at(queue.key)", "", *_IDLE),
    Mutant("a queue goes as soon as nobody listens", "listening.py", "        self._uses.note(ear.key)\n", "", *_IDLE),
    Mutant(
        "looking again forgets the time",
        "idle.py",
        "        self._plan(key, idle_s)\n        return False",
        "        return False",
        *_IDLE,
    ),
    Mutant(
        "a queue that could not be looked at stays",
        "idle.py",
        "                if self.watches(key):\n",
        "                if False:\n",
        *_IDLE,
    ),
    Mutant(
        "what was planned before is kept",
        "idle.py",
        "if len(self._due) > 2 *",
        "if False and len(self._due) > 2 *",
        *_IDLE,
    ),
    Mutant(
        "a queue that is made while it is deleted stays",
        "idle.py",
        "            return  # Somebody has made it anew meanwhile.\n",
        "            pass\n",
        *_IDLE,
    ),
    Mutant("what an earlier process left stays", "idle.py", "if self._read_from is not None:", "if False:", *_IDLE),
    Mutant(
        "what an earlier process left goes at once",
        "idle.py",
        "                self._expect(key, term.idle_s, term.used_ms or None)",
        "                self._expect(key, 0)\n                self._uses._last_ms[key] = 0",
        *_IDLE,
    ),
    Mutant(
        "a history keeps the latest only", "posting.py", ", attributes=was, key=None)", ", attributes=was)", *_LATEST
    ),
    Mutant(
        "the key is that of the whole body", "conflation.py", "value = value.get(name)", "value = str(value)", *_LATEST
    ),
    Mutant(
        "null is a key", "conflation.py", "    if value is None:\n        return None\n    text", "    text", *_LATEST
    ),
    Mutant(
        "who came last is woken first",
        "waiting.py",
        "key=lambda each: order.get(each[1].client, 0)",
        "key=lambda each: -each[0]",
        *_TURNS,
    ),
    Mutant(
        "who comes overtakes those in line",
        "waiting.py",
        "key in self._places and self._places[key].taken",
        "key in ()",
        *_TURNS,
    ),
    Mutant(
        "who was woken in vain loses its place", "waiting.py", "if each.ticket > waiter.ticket)", "if False)", *_TURNS
    ),
    Mutant(
        "who goes away swallows the wake-up",
        "waiting.py",
        "(called if found is None",
        "(False if found is None",
        *_TURNS,
    ),
    Mutant(
        "who joins those who are called is not thought of",
        "waiting.py",
        "all(each.called for each in self.takers if each is not waiter)",
        "len(self.takers) == 1",
        *_TURNS,
    ),
    Mutant(
        "who looks in vain looks for those who come meanwhile",
        "waiting.py",
        "max(self.looked_for, waiter.looks_for)",
        "self.unseeing",
        *_TURNS,
    ),
    Mutant(
        "who has not looked is thought of for ever",
        "waiting.py",
        "max(self.looked_for, waiter.looks_for)",
        "self.looked_for",
        *_TURNS,
    ),
    Mutant(
        "a place is forgotten while one who was woken there looks",
        "waiting.py",
        "        if not place.present:\n",
        "        if not (place.takers or place.watchers or place.on_their_way):\n",
        *_TURNS,
    ),
    Mutant(
        "the end of a delay wakes all",
        "waiting.py",
        "        if place.takers:\n            place.call(passes=True)",
        "        while place.takers:\n            place.call()",
        *_TURNS,
    ),
    Mutant(
        "the end of a delay wakes one only",
        "waiting.py",
        "(found and (passes or again))",
        "(found and again)",
        *_TURNS,
    ),
    Mutant(
        "one whose time is over stays in line",
        "waiting.py",
        "                    waiters.remove(waiter)\n",
        "",
        *_TURNS,
    ),
    Mutant(
        "a reply reaches another project",
        "replies.py",
        "key._replace(name=f",
        'key._replace(project="", name=f',
        *_CALLS,
    ),
    Mutant(
        "a late reply makes a queue that stores replies",
        "attributes.py",
        "return is_reply_queue(key) or (queue",
        "return (queue",
        *_CALLS,
    ),
    Mutant(
        "any queue whose name begins so is one for replies",
        "names.py",
        " and _REPLY_QUEUE.fullmatch(key.name) is not None",
        "",
        *_CALLS,
    ),
    Mutant("the last reply counts", "replies.py", " and reply.body is None", "", *_CALLS),
    Mutant(
        "a call that nobody took stays",
        "calls.py",
        "        if body is None:\n            await self._withdraw(key, posted.ids)\n",
        "        if body is None:\n",
        *_CALLS,
    ),
    Mutant(
        "the call of one who went away stays",
        "calls.py",
        "                self._background.start(self._withdraw_when_posted(key, posting))\n",
        "",
        *_CALLS,
    ),
    Mutant("a call takes away what is claimed", "calls.py", "claimed=False", "claimed=True", *_CALLS),
    Mutant(
        "a dead letter forgets who waits",
        "letters.py",
        "msgspec.structs.replace(was, dead_letter=why, passed=passed)",
        "_Way(dead_letter=why, passed=passed)",
        *_CALLS,
    ),
    Mutant(
        "a consumer gets more than it asked for",
        "consuming.py",
        "self._prefetch - len(self._held)",
        "self._prefetch",
        *_CONSUMERS,
    ),
    Mutant(
        "what a consumer held stays claimed",
        "consuming.py",
        "            self._claims.let_go(self._key, set(self._held.values()))",
        "            pass",
        *_CONSUMERS,
    ),
    Mutant(
        "claims are not renewed",
        "consuming.py",
        "            await self._claims.extend(self._key, claim_id, ttl_s=self._ttl_s, grace_s=self._grace_s)\n",
        "",
        *_CONSUMERS,
    ),
    Mutant(
        "claims are renewed by the time that they had",
        "consuming.py",
        "            self._taking.cancel()\n        self.look_again()\n",
        "            self._taking.cancel()\n",
        *_CONSUMERS,
    ),
    Mutant(
        "a consumer that takes no more takes the room of others",
        "consuming.py",
        " and (self._prefetch or self._held):",
        ":",
        *_CONSUMERS,
    ),
    Mutant(
        "one claim that cannot be renewed ends the others",
        "consuming.py",
        "            with contextlib.suppress(SukkalError):  # There",
        "            with contextlib.nullcontext():  # There",
        *_CONSUMERS,
    ),
    Mutant("consumers are all one client", "consuming.py", "                client=self._client,\n", "", *_WAITING),
    Mutant("what was done elsewhere takes room", "consuming.py", "and id_ not in still", "and not id_", *_CONSUMERS),
    Mutant(
        "a consumer that takes no more takes one more",
        "consuming.py",
        "            self._taking.cancel()\n",
        "            pass\n",
        *_CONSUMERS,
    ),
)
