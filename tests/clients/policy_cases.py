"""Draws rules, callers and targets for the comparison with oslo.policy, from a seed."""

from itertools import pairwise
from random import Random
from typing import Any, Final

__all__ = ["draw", "draw_words"]

_ROLES: Final = ("admin", "Member", "reader", "swift:operator", "é")
_PROJECTS: Final = ("p1", "p2")
_USERS: Final = ("u1", "u2")
_VALUES: Final = ("p1", "u1", "admin", "Member", "5", "True", "None", "x", "['x', 5]", "")
_LITERALS: Final = ("True", "None", "5", "-1", "0x5", "1.0", "'p1'", '"Member"', "'a.b'", "b'x'", "'é'", "[]")
_KEYS: Final = ("project_id", "user_id", "role.name", "owner", "size", "missing")
_PATHS: Final = (
    *("project_id", "user_id", "tenant", "is_admin", "roles", "domain_id", "system", "system_scope", "none", "number"),
    *("token.project.id", "token.roles.name", "token.tags", "token.deep.list.a", "token.none.x", "number.x", "missing"),
    *("user-name", "missing.x", "Role", "RULE", "token.deep", "token.numbers"),
)
_NAMES: Final = ("context_is_admin", "queues:create", "queues:get", "owner", "nested", "default")


def draw(random: Random, count: int) -> list[dict[str, Any]]:
    """Return cases: the rules of each and the questions asked of them."""
    return [_case(random) for _ in range(count)]


def draw_words(random: Random, count: int) -> list[str]:
    """Return rules of constants, of which many have a word too much, too few or in the wrong place."""
    return [_damaged(random, _constants(random, 2)) for _ in range(count)]


def _constants(random: Random, deep: int) -> list[str]:
    words: list[str] = []
    for _ in range(random.randint(1, 3)):
        words += [random.choice(["and", "or"])] * bool(words) + ["not"] * random.choice([0, 0, 1])
        words += ["(", *_constants(random, deep - 1), ")"] if deep and random.random() < 0.4 else [random.choice("@!")]
    return words


def _damaged(random: Random, words: list[str]) -> str:
    at = random.randrange(len(words))
    match random.randrange(5):
        case 0:
            del words[at]
        case 1:
            words.insert(at, random.choice(["and", "or", "not", "(", ")", "@", "foo", "'@'"]))
        case 2:
            random.shuffle(words)
    return " ".join(words) or "@"


def _case(random: Random) -> dict[str, Any]:
    names = random.sample(_NAMES, random.randint(1, len(_NAMES)))
    # A rule refers only to later ones and the default only to none, so that there are no circles.
    rules = {}
    for number, name in enumerate(names):
        later = [each for each in names[number + 1 :] if each != "default"]
        known = [] if name == "default" else [*later, "default" if "default" in names else "missing"]
        rules[name] = _rule(random, known)
    return {"rules": rules, "questions": [_question(random) for _ in range(4)]}


def _rule(random: Random, known: list[str]) -> Any:
    match random.randrange(10):
        case 0:
            return random.choice(["", "@", "!", [], [[]], [""], [[], "role:admin"]])
        case 1:
            return [_item(random, known) for _ in range(random.randint(1, 3))]
        case _:
            return _spaced(random, _expression(random, known, random.randint(0, 4)))


def _item(random: Random, known: list[str]) -> Any:
    if random.random() < 0.3:
        return _check(random, known)
    return [_check(random, known) for _ in range(random.randint(0, 3))]


def _expression(random: Random, known: list[str], deep: int) -> list[str]:
    """Return the words of an expression, mostly without parentheses, so that the precedence shows."""
    words = _term(random, known, deep)
    for _ in range(random.choice([0, 1, 1, 2, 3])):
        words += [_cased(random, random.choice(["and", "or"])), *_term(random, known, deep)]
    return words


def _term(random: Random, known: list[str], deep: int) -> list[str]:
    words = [_cased(random, "not")] * random.choice([0, 0, 0, 1, 1, 2])
    if deep and random.random() < 0.35:
        return [*words, "(", *_expression(random, known, deep - 1), ")"]
    return [*words, _check(random, known)]


def _cased(random: Random, word: str) -> str:
    return random.choice([word, word, word.upper(), word.title()])


def _check(random: Random, known: list[str]) -> str:
    match random.randrange(12):
        case 0 | 1 | 2:
            role = random.choice(_ROLES)
            return "role:" + random.choice([role, role.upper(), role.lower(), "%(role.name)s", "nobody"])
        case 3 | 4 if known:
            return "rule:" + random.choice(known)
        case 5:
            return random.choice(["@", "!"])
        case 6 | 7:
            return f"{random.choice(_LITERALS)}:{_wanted(random)}"
        case 8:
            return f"project_id:{random.choice([*_PROJECTS, '%(project_id)s'])}"
        case _:
            return f"{random.choice(_PATHS)}:{_wanted(random)}"


def _wanted(random: Random) -> str:
    key = f"%({random.choice(_KEYS)})s"
    # Neither a space nor a closing parenthesis may end a value in a text.
    value = random.choice([value for value in _VALUES if " " not in value])
    found = random.choice([value, value, key, key, key + ":" + value, value + "%%" + key])
    # A check that begins and ends with quotes would be no check.
    return found if found[-1:] not in ("'", '"') else found + "x"


def _spaced(random: Random, words: list[str]) -> str:
    """Join words by any white space; parentheses may also touch their neighbours."""
    text = words[0]
    for before, after in pairwise(words):
        touching = (before == "(" or after == ")") and random.random() < 0.7
        text += ("" if touching else random.choice([" ", " ", "  ", "\t", "\n ", "\u00a0"])) + after
    return random.choice(["", "", " "]) + text + random.choice(["", "", "\n"])


def _question(random: Random) -> dict[str, Any]:
    target = {
        "project_id": random.choice([*_PROJECTS, None]),
        "user_id": random.choice(_USERS),
        "role.name": random.choice(_ROLES),
        "owner": random.choice([None, True, "p1", ["x", 5], {"a": 1}]),
        "size": random.choice([5, 1.0, -1, "5"]),
    }
    return {
        "rule": random.choice([*_NAMES, "no:such"]),
        "project": random.choice(_PROJECTS),
        "user": random.choice(_USERS),
        "roles": sorted(random.sample(_ROLES, random.randint(0, 3))),
        "attributes": random.choice([{}, _attributes(random)]),
        "target": random.choice([None, dict(random.sample(sorted(target.items()), random.randint(0, len(target))))]),
    }


def _attributes(random: Random) -> dict[str, Any]:
    token = {
        "project": {"id": random.choice(_PROJECTS)},
        "roles": [{"name": role} for role in random.sample(_ROLES, 2)],
        "tags": random.choice([[], ["x", "p1"], [5, None, True], [["x", 5]]]),
        "deep": {"list": [{"a": [{"b": 1}, "x"]}, {"a": "p1"}, {}]},
        "none": None,
        "numbers": (1, 2),
    }
    return {
        "domain_id": random.choice([None, "p1"]),
        "system_scope": random.choice([None, "x", ""]),
        "user-name": random.choice(["u1", "x"]),
        "none": None,
        "number": random.choice([5, 1.0, True]),
        "token": {key: value for key, value in token.items() if random.random() < 0.9},
    }
