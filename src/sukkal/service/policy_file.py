"""Reads a policy file: a mapping in YAML, of names to rules."""

from typing import Final, NoReturn

import yaml

from sukkal import limits
from sukkal.errors import SettingsError

__all__ = ["read_policy"]

_TEXT: Final = "tag:yaml.org,2002:str"
_NULL: Final = "tag:yaml.org,2002:null"
_SEQUENCE: Final = "tag:yaml.org,2002:seq"
_LISTS_DEEP_MAX: Final = 2
_QUOTE: Final = 'Write each line as "name": "rule", both in quotes.'


def read_policy(text: str, *, path: str) -> dict[str, object]:
    """Return the rules of a policy file as it gives them, texts or lists; they are not yet read themselves.

    Only texts and lists of texts are taken, and nothing is guessed: an unquoted ``!``, a missing value or a name given
    twice would otherwise open what was meant to be closed. Raises ``SettingsError``, which names the line.
    """
    if len(text) > limits.POLICY_FILE_CHARS_MAX:
        raise SettingsError(
            f"The policy file {path} has {len(text)} characters, {limits.POLICY_FILE_CHARS_MAX} are allowed."
        )
    file = _File(text, path)
    try:
        return file.rules()
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise SettingsError(f"The policy file {path}, line {line}, is not YAML: {error.problem}. {_QUOTE}") from error
    except (yaml.YAMLError, RecursionError) as error:
        problem = str(error).splitlines()[0]
        raise SettingsError(f"The policy file {path} is not YAML: {problem}. {_QUOTE}") from error


class _File:
    """The nodes of a YAML document, which know their lines and are no values yet."""

    def __init__(self, text: str, path: str) -> None:
        self._text = text
        self._path = path

    def rules(self) -> dict[str, object]:
        top = yaml.compose(self._text, Loader=yaml.SafeLoader)
        if top is None or top.tag == _NULL:
            return {}
        if not isinstance(top, yaml.MappingNode):
            self._fail(top, f"should be a mapping of names to rules. {_QUOTE}")
        found: dict[str, object] = {}
        for key, value in top.value:
            name = self._name(key)
            if name in found:
                self._fail(key, f"gives the rule {name!r} a second time. Keep one of them.")
            found[name] = self._rule(value, name)
        if len(found) > limits.POLICY_RULES_MAX:
            self._fail(top, f"begins {len(found)} rules, {limits.POLICY_RULES_MAX} are allowed.")
        return found

    def _name(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode) or node.tag != _TEXT or self._tagged(node):
            self._fail(node, f"has a name that is no text. {_QUOTE}")
        return str(node.value)

    def _rule(self, node: yaml.Node, name: str, deep: int = 0) -> object:
        if self._tagged(node):
            self._fail(node, f'gives the rule {name!r} a YAML tag or anchor. To allow nobody, write "!" in quotes.')
        if isinstance(node, yaml.SequenceNode) and node.tag == _SEQUENCE and deep < _LISTS_DEEP_MAX:
            return [self._rule(item, name, deep + 1) for item in node.value]
        if isinstance(node, yaml.ScalarNode) and node.tag == _TEXT:
            return str(node.value)
        return self._fail(
            node,
            f'gives the rule {name!r} something that is no text. Write "" to allow everybody, "!" to allow nobody, '
            "and quote all others.",
        )

    def _tagged(self, node: yaml.Node) -> bool:
        """Tell whether a tag is written before the node, or an anchor, which may stand before a tag."""
        return self._text[node.start_mark.index : node.start_mark.index + 1] in ("!", "&")

    def _fail(self, node: yaml.Node, problem: str) -> NoReturn:
        raise SettingsError(f"The policy file {self._path}, line {node.start_mark.line + 1}, {problem}")
