"""Who may do what: the rules of an operator, in the language of oslo.policy, decide each operation."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from sukkal import limits
from sukkal.errors import SettingsError
from sukkal.service.policy_checks import FALLBACK, Asked, Check, Credential, Reference, Unanswerable, named
from sukkal.service.policy_file import read_policy
from sukkal.service.policy_language import parse
from sukkal.service.policy_rules import ADMIN_RULE, DEFAULT_RULES

__all__ = ["DEFAULT_RULES", "Policy", "read_policy"]

_NOTHING: Final[Mapping[str, object]] = MappingProxyType({})

# What a caller always has; all other credentials are attributes.
_OWN: Final = frozenset({"is_admin", "project", "project_id", "roles", "tenant", "user", "user_id"})


class Policy:
    """Which rule lets whom do what.

    ``overrides`` replace the ``defaults`` of the same name; ``path`` is the file that they came from, for messages. All
    is read at once. Raises ``SettingsError`` for a rule that is malformed, refers to itself, or costs too much.
    """

    def __init__(self, defaults: Mapping[str, str], overrides: Mapping[str, object], *, path: str = "") -> None:
        place = f"The policy file {path}, rule" if path else "The policy rule"
        kept = {name: rule for name, rule in defaults.items() if name not in overrides}
        self._rules = {name: parse(rule, f"The default of the policy rule {name!r}") for name, rule in kept.items()}
        self._rules |= {name: parse(rule, f"{place} {name!r}") for name, rule in overrides.items()}
        survey = _Survey(self._rules, place)
        for name in self._rules:
            survey.measure(name)
        checks = [each for check in self._rules.values() for each in _within(check)]
        referred = {check.name for check in checks if isinstance(check, Reference)}
        known = {*defaults, *referred, FALLBACK}
        self._unknown = tuple(name for name in overrides if name not in known)
        self._undefined = tuple(sorted(referred - self._rules.keys()))
        self._asks_attributes = any(isinstance(check, Credential) and check.path[0] not in _OWN for check in checks)
        self._decisions: dict[tuple[str, str, str, frozenset[str]], bool] = {}

    @property
    def unknown(self) -> tuple[str, ...]:
        """The rules of the operator that nothing asks: likely their names are misspelt."""
        return self._unknown

    @property
    def undefined(self) -> tuple[str, ...]:
        """The names that rules refer to and no rule has: such a reference is decided by ``default``, else refused."""
        return self._undefined

    def allows(
        self,
        rule: str,
        *,
        project: str,
        user: str,
        roles: frozenset[str],
        attributes: Mapping[str, object] = _NOTHING,
        target: Mapping[str, object] | None = None,
    ) -> bool:
        """Tell whether the rule lets the caller do it.

        ``attributes`` are more credentials, such as ``domain_id``. The ``target`` is the caller's own project unless
        given. A rule that does not exist is decided by ``default``, and refused if there is none.
        """
        if target is not None or (attributes and self._asks_attributes):
            return self._decide(rule, project, user, roles, attributes, target)
        question = (rule, project, user, roles)
        answer = self._decisions.get(question)
        if answer is None:
            answer = self._decide(rule, project, user, roles, attributes, target)
            # Emptying it all at once needs no order of use, and costs each caller one more evaluation.
            if len(self._decisions) >= limits.POLICY_DECISIONS_MAX:
                self._decisions.clear()
            self._decisions[question] = answer
        return answer

    def _decide(
        self,
        rule: str,
        project: str,
        user: str,
        roles: frozenset[str],
        attributes: Mapping[str, object],
        target: Mapping[str, object] | None,
    ) -> bool:
        check = named(self._rules, rule)
        if check is None:
            return False
        own = {"project_id": project, "user_id": user}
        credentials: dict[str, object] = {key: value for key, value in attributes.items() if key not in _OWN}
        credentials |= {"project_id": project, "project": project, "tenant": project}
        credentials |= {"user_id": user, "user": user, "roles": list(roles)}
        # Both names of the scope are in use.
        if scope := credentials.get("system_scope"):
            credentials["system"] = scope
        lowered = frozenset(role.lower() for role in roles)
        admin = self._rules.get(ADMIN_RULE)
        # The rule itself is asked without ``is_admin``, and always of the caller's own project.
        credentials["is_admin"] = admin is not None and _holds(admin, Asked(self._rules, credentials, lowered, own))
        return _holds(check, Asked(self._rules, credentials, lowered, own if target is None else target))


def _holds(check: Check, asked: Asked) -> bool:
    """Tell whether the check holds; what cannot be answered is refused as a whole, also below a ``not``."""
    try:
        return check.holds(asked)
    except Unanswerable:
        return False


def _within(check: Check) -> Iterator[Check]:
    yield check
    for part in check.parts():
        yield from _within(part)


class _Size(NamedTuple):
    depth: int
    checks: int


class _Survey:
    """Measures each rule with all that it refers to, so that no decision is endless or costs too much."""

    def __init__(self, rules: Mapping[str, Check], place: str) -> None:
        self._rules = rules
        self._place = place
        self._sizes: dict[str, _Size] = {}
        self._open: list[str] = []

    def measure(self, name: str) -> None:
        """Raise ``SettingsError`` when the rule leads back to itself, too deep, or to too many checks."""
        self._of_rule(name, 0)

    def _of_rule(self, name: str, above: int) -> _Size:
        if name in self._open:
            circle = " -> ".join([*self._open[self._open.index(name) :], name])
            raise SettingsError(f"{self._place} {name!r} refers to itself: {circle}. Break the circle.")
        if name not in self._sizes:
            self._open.append(name)
            self._sizes[name] = self._of_check(self._rules[name], above)
            self._open.pop()
        size = self._sizes[name]
        self._limit(above + size.depth, limits.POLICY_DEPTH_MAX, "is nested more than {} deep")
        self._limit(size.checks, limits.POLICY_CHECKS_MAX, "has more than {} checks", name)
        return size

    def _of_check(self, check: Check, above: int) -> _Size:
        self._limit(above, limits.POLICY_DEPTH_MAX, "is nested more than {} deep")
        if isinstance(check, Reference):
            name = check.name if check.name in self._rules else FALLBACK
            sizes = [self._of_rule(name, above + 1)] if name in self._rules else []
        else:
            sizes = [self._of_check(part, above + 1) for part in check.parts()]
        return _Size(1 + max((size.depth for size in sizes), default=0), 1 + sum(size.checks for size in sizes))

    def _limit(self, value: int, most: int, problem: str, name: str | None = None) -> None:
        if value > most:
            name = self._open[0] if name is None and self._open else name
            raise SettingsError(
                f"{self._place} {name!r} {problem.format(most)}, with the rules that it refers to. Make it simpler."
            )
