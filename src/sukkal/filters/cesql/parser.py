"""How the text of an expression becomes a tree.

Signs and words bind in this order, the closest first: ``NOT`` and ``-`` before a value, ``LIKE`` and ``IN``, ``* / %``,
``+ -``, comparisons, and then ``AND``, ``OR`` and ``XOR`` alike, from the left.
"""

import re
from typing import Final, NoReturn

from sukkal import limits
from sukkal.filters.cesql.failures import BadExpression, Kind
from sukkal.filters.cesql.functions import problem_of_call
from sukkal.filters.cesql.tokens import Token, tokens_of
from sukkal.filters.cesql.tree import (
    INTEGER_MAX,
    INTEGER_MIN,
    Arithmetic,
    Attribute,
    Call,
    Comparison,
    Constant,
    Exists,
    In,
    Like,
    Logic,
    Negative,
    Node,
    Not,
)

__all__ = ["parse"]

_LOGIC, _COMPARISON, _SUM, _PRODUCT = range(1, 5)
_BINDS: Final = (
    dict.fromkeys(["AND", "OR", "XOR"], _LOGIC)
    | dict.fromkeys(["=", "!=", "<", "<=", ">", ">="], _COMPARISON)
    | dict.fromkeys(["+", "-"], _SUM)
    | dict.fromkeys(["*", "/", "%"], _PRODUCT)
)
_ATTRIBUTE: Final = re.compile(r"[A-Za-z0-9]+")
_FUNCTION: Final = re.compile(r"[A-Za-z][A-Za-z_]*")


def parse(text: str) -> Node:
    """Return what the text says. Raises ``BadExpression``, and nothing else, for any text."""
    if len(text) > limits.EXPRESSION_CHARS_MAX:
        over = limits.EXPRESSION_CHARS_MAX
        raise BadExpression(f"it has {len(text)} characters, {over} are allowed", over + 1)
    return _Parser(text).whole()


class _Parser:
    """Reads from the left, one token ahead."""

    def __init__(self, text: str) -> None:
        self._tokens = list(tokens_of(text))
        self._next = 0
        self._nesting = 0
        self._parts = 0
        self._depths: dict[int, int] = {}  # by identity: the parts live as long as the parser

    def whole(self) -> Node:
        """Return the expression that the whole text is."""
        node = self._expression(_LOGIC)
        if self._token.kind != "end":
            self._fail("here the expression should end, or go on with an operator")
        return node

    def _expression(self, binding: int) -> Node:
        """Read operands as long as the operators between them bind at least so close."""
        self._nesting += 1
        if self._nesting > limits.EXPRESSION_DEPTH_MAX:
            self._too_deep(self._token)
        left = self._shaped()
        while (binds := _BINDS.get(self._sign, 0)) >= binding:
            left = self._row(left) if binds == _LOGIC else self._pair(left, binds)
        self._nesting -= 1
        return left

    def _row(self, first: Node) -> Node:
        """Read what one and the same word joins."""
        token = self._token
        operands = [first]
        while self._sign == token.text:
            self._next += 1
            operands.append(self._expression(_COMPARISON))
        return self._made(Logic(token.text, tuple(operands)), token, *operands)

    def _pair(self, left: Node, binds: int) -> Node:
        token = self._take()
        right = self._expression(binds + 1)
        kind = Comparison if binds == _COMPARISON else Arithmetic
        return self._made(kind(token.text, left, right), token, left, right)

    def _shaped(self) -> Node:
        """Read an operand and what LIKE and IN ask of it."""
        node = self._operand()
        while True:
            token = self._token
            negated = token.text == "NOT" and token.kind == "keyword"
            asked = self._tokens[self._next + 1] if negated else token
            if asked.kind != "keyword" or asked.text not in ("LIKE", "IN"):
                return node
            self._next += 2 if negated else 1
            if asked.text == "LIKE":
                if self._token.kind != "quoted":
                    self._fail("here should be the pattern of LIKE, a text in quotes")
                node = self._made(Like(node, self._take().text, negated), token, node)
            else:
                items = self._list("the list of IN", empty=False)
                node = self._made(In(node, items, negated), token, node, *items)

    def _operand(self) -> Node:
        token = self._take()
        match token.kind, token.text:
            case "keyword", "TRUE" | "FALSE":
                return self._made(Constant(token.text == "TRUE"), token)
            case "keyword", "EXISTS":
                return self._made(Exists(self._name()), token)
            case "keyword", "NOT":
                return self._prefixed(Not, token)
            case "sign", "(":
                return self._grouped()
            case "sign", "+" | "-" if self._token.kind == "number" and self._token.at == token.end:
                return self._number(self._take(), token)
            case "sign", "-":
                return self._prefixed(Negative, token)
            case "number", _:
                return self._number(token, token)
            case "quoted", _:
                return self._made(Constant(token.text), token)
            case "name", _:
                called = self._sign == "("
                self._next -= 1
                return self._called() if called else self._attribute()
        raise BadExpression("here should be a value, such as an attribute, a number or a text in quotes", token.at)

    def _prefixed(self, kind: type[Not | Negative], token: Token) -> Node:
        self._nesting += 1
        if self._nesting > limits.EXPRESSION_DEPTH_MAX:
            self._too_deep(token)
        operand = self._operand()
        self._nesting -= 1
        return self._made(kind(operand), token, operand)

    def _grouped(self) -> Node:
        node = self._expression(_LOGIC)
        self._close()
        return node

    def _number(self, token: Token, sign: Token) -> Node:
        # Longer ones are too large for sure, and costly to convert.
        digits = token.text.lstrip("0") or "0"
        number = int(digits[:11]) * (-1 if sign.text == "-" else 1)
        if not INTEGER_MIN <= number <= INTEGER_MAX:
            raise BadExpression(f"the number is not between {INTEGER_MIN} and {INTEGER_MAX}", sign.at)
        return self._made(Constant(number), token)

    def _attribute(self) -> Node:
        at = self._token
        return self._made(Attribute(self._name()), at)

    def _name(self) -> str:
        """Read the name of an attribute; as all attributes have lower case names, its case does not matter."""
        if self._token.kind != "name" or not _ATTRIBUTE.fullmatch(self._token.text):
            self._fail("here should be the name of an attribute, which has letters and digits")
        return self._take().text.lower()

    def _called(self) -> Node:
        token = self._take()
        if not _FUNCTION.fullmatch(token.text):
            raise BadExpression("the name of a function has letters and underscores only", token.at)
        name = token.text.upper()
        arguments = self._list(f"the arguments of {name}", empty=True)
        if problem := problem_of_call(name, len(arguments)):
            raise BadExpression(problem, token.at, Kind.MISSING_FUNCTION)
        return self._made(Call(name, arguments), token, *arguments)

    def _list(self, what: str, *, empty: bool) -> tuple[Node, ...]:
        if self._sign != "(":
            self._fail(f"here should be {what}, in parentheses")
        self._next += 1
        items: list[Node] = []
        if empty and self._sign == ")":
            self._next += 1
            return ()
        items.append(self._expression(_LOGIC))
        while self._sign == ",":
            self._next += 1
            items.append(self._expression(_LOGIC))
        self._close()
        return tuple(items)

    def _close(self) -> None:
        if self._sign != ")":
            self._fail("a parenthesis is not closed before this")
        self._next += 1

    def _made(self, node: Node, token: Token, *parts: Node) -> Node:
        """Count the part."""
        self._parts += 1
        if self._parts > limits.EXPRESSION_PARTS_MAX:
            raise BadExpression(f"it has more than {limits.EXPRESSION_PARTS_MAX} parts; shorten it", token.at)
        depth = 1 + max((self._depths[id(part)] for part in parts), default=0)
        if depth > limits.EXPRESSION_DEPTH_MAX:
            self._too_deep(token)
        self._depths[id(node)] = depth
        return node

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    @property
    def _sign(self) -> str:
        """The sign or word that is next, or nothing for another token."""
        return self._token.text if self._token.kind in ("sign", "keyword") else ""

    def _take(self) -> Token:
        token = self._token
        if token.kind != "end":
            self._next += 1
        return token

    def _too_deep(self, token: Token) -> NoReturn:
        raise BadExpression(f"it is nested more than {limits.EXPRESSION_DEPTH_MAX} deep", token.at)

    def _fail(self, problem: str) -> NoReturn:
        raise BadExpression(problem, self._token.at)
