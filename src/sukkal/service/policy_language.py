"""The policy language: how a rule's text, or its list in the old form, becomes a check.

Whatever oslo.policy would take for a refusal because it cannot read it, is an error here.
"""

import ast
import re
from typing import Final, NamedTuple, NoReturn

from sukkal import limits
from sukkal.errors import SettingsError
from sukkal.service.policy_checks import (
    ALWAYS,
    NEVER,
    AllOf,
    AnyOf,
    Check,
    Credential,
    Literal,
    Not,
    Reference,
    Role,
)

__all__ = ["parse"]

_REMOTE: Final = frozenset({"http", "https"})
_WORDS: Final = frozenset({"and", "or", "not"})
_QUOTES: Final = ("'", '"')
_TEMPLATE: Final = re.compile(r"(?:[^%]|%%|%\([^()]*\)s)*")


class _Token(NamedTuple):
    text: str
    at: int
    quoted: bool = False

    @property
    def word(self) -> str:
        """The operator or parenthesis that it is, or nothing for a check."""
        lowered = self.text.lower()
        return lowered if lowered in _WORDS or self.text in ("(", ")") else ""


def parse(rule: object, where: str) -> Check:
    """Return the check that a rule is. Raises ``SettingsError``, which begins with ``where`` the rule stands."""
    if isinstance(rule, str):
        return _Parser(rule, where).whole() if rule else ALWAYS
    if isinstance(rule, list):
        return _of_lists(rule, where)
    raise SettingsError(
        f'{where}: it is {_shown(rule)}, not a text. Write "" to allow everybody, "!" to allow nobody, '
        "and quote all others."
    )


def _of_lists(rule: list[object], where: str) -> Check:
    """Return what a list means: any of its items, each of which is a check or a list of checks that must all hold."""
    choices: list[Check] = []
    count = 0
    for number, item in enumerate(rule, 1):
        place = f"{where}, item {number}"
        texts = [item] if isinstance(item, str) else item
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise SettingsError(f"{place}: it is {_shown(item)}; an item is a check or a list of checks.")
        count = _counted(count + len(texts), where)
        if item:
            choices.append(_joined(AllOf, [_check(text, place) for text in texts]))
    if not rule:
        return ALWAYS
    return _joined(AnyOf, choices) if choices else NEVER


def _joined(kind: type[AllOf | AnyOf], checks: list[Check]) -> Check:
    return checks[0] if len(checks) == 1 else kind(tuple(checks))


def _counted(count: int, where: str) -> int:
    if count > limits.POLICY_CHECKS_MAX:
        raise SettingsError(f"{where}: it has more than {limits.POLICY_CHECKS_MAX} checks. Split or shorten it.")
    return count


class _Parser:
    """Reads a rule's text from the left. ``not`` binds closest, then ``and``, then ``or``."""

    def __init__(self, text: str, where: str) -> None:
        self._where = where
        self._end = len(text) + 1
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0
        _counted(sum(not token.word for token in self._tokens), where)

    def whole(self) -> Check:
        """Return the check that the whole text is."""
        check = self._either()
        if self._next < len(self._tokens):
            self._fail("here the rule should end, or go on with and, or")
        return check

    def _either(self) -> Check:
        checks = [self._both()]
        while self._takes("or"):
            checks.append(self._both())
        return _joined(AnyOf, checks)

    def _both(self) -> Check:
        checks = [self._one()]
        while self._takes("and"):
            checks.append(self._one())
        return _joined(AllOf, checks)

    def _one(self) -> Check:
        self._depth += 1
        if self._depth > limits.POLICY_DEPTH_MAX:
            self._fail(f"it is nested more than {limits.POLICY_DEPTH_MAX} deep")
        if self._takes("not"):
            check: Check = Not(self._one())
        elif self._takes("("):
            check = self._either()
            if not self._takes(")"):
                self._fail("a parenthesis is not closed before this")
        else:
            check = self._leaf()
        self._depth -= 1
        return check

    def _leaf(self) -> Check:
        if self._next == len(self._tokens) or self._tokens[self._next].word:
            self._fail("here should be a check, such as role:admin")
        token = self._tokens[self._next]
        if token.quoted:
            self._fail("a text in quotes is no check; to compare a literal, write 'text':%(name)s")
        self._next += 1
        return _check(token.text, f"{self._where}, character {token.at}")

    def _takes(self, word: str) -> bool:
        """Go past the word if it is the next."""
        if self._next < len(self._tokens) and self._tokens[self._next].word == word:
            self._next += 1
            return True
        return False

    def _fail(self, problem: str) -> NoReturn:
        at = self._tokens[self._next].at if self._next < len(self._tokens) else self._end
        raise SettingsError(f"{self._where}, character {at}: {problem}.")


def _tokens(text: str) -> list[_Token]:
    """Split at white space, then parentheses off both ends of what is between: inside, they belong to the check."""
    found = []
    for match in re.finditer(r"\S+", text):
        chunk, at = match[0], match.start() + 1
        opened = chunk.lstrip("(")
        inside = opened.rstrip(")")
        start = at + len(chunk) - len(opened)
        end = start + len(inside)
        found += [_Token("(", at + offset) for offset in range(start - at)]
        if inside:
            found.append(_Token(inside, start, len(opened) > 1 and opened[0] in _QUOTES and opened[0] == opened[-1]))
        found += [_Token(")", end + offset) for offset in range(len(opened) - len(inside))]
    return found


def _check(text: str, where: str) -> Check:
    """Return one check, ``kind:wanted``."""
    if text in ("@", "!"):
        return ALWAYS if text == "@" else NEVER
    kind, colon, wanted = text.partition(":")
    if not colon:
        raise SettingsError(f"{where}: {_shown(text)} is no check. A check is kind:value, @ or !.")
    if len(text) > limits.POLICY_CHECK_CHARS_MAX:
        raise SettingsError(
            f"{where}: the check has {len(text)} characters, {limits.POLICY_CHECK_CHARS_MAX} are allowed."
        )
    if kind in _REMOTE:
        raise SettingsError(
            f"{where}: {_shown(text)} would ask a remote service on every request, which is not supported. "
            "Write the condition with role: and credentials."
        )
    if kind == "rule":
        return Reference(wanted)
    if not _TEMPLATE.fullmatch(wanted):
        raise SettingsError(f"{where}: in {_shown(text)} a % must be part of %(name)s, or be doubled.")
    return Role(wanted) if kind == "role" else _compared(kind, wanted, where)


def _compared(kind: str, wanted: str, where: str) -> Check:
    """Return the comparison with a literal if the kind is one, else with a credential of that name."""
    try:
        return Literal(str(ast.literal_eval(kind)), wanted)
    except ValueError:
        path = tuple(kind.split("."))
    except (SyntaxError, TypeError, MemoryError, RecursionError) as error:
        raise SettingsError(
            f"{where}: {_shown(kind)} is neither the name of a credential nor a literal such as True, 5 or 'text'."
        ) from error
    if len(path) > limits.POLICY_DEPTH_MAX:
        raise SettingsError(f"{where}: the path has {len(path)} names, {limits.POLICY_DEPTH_MAX} are allowed.")
    return Credential(path, wanted)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= limits.POLICY_SHOWN_CHARS_MAX else text[: limits.POLICY_SHOWN_CHARS_MAX] + "..."
