"""A policy's rules decide who may do what; those that cannot be read are refused before the service starts."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from sukkal import limits
from sukkal.errors import SettingsError
from sukkal.service.policy import DEFAULT_RULES, Policy, read_policy
from sukkal.service.policy_checks import Role

HOWTO: Final = Path(__file__).parents[2] / "docs" / "howto" / "write-a-policy.md"
ATTRIBUTES: Final = {
    "domain_id": "d1",
    "is_admin_project": True,
    "nothing": None,
    "number": 5,
    "token": {"project": {"id": "p1"}, "groups": [{"id": "g1"}, {"id": "g2"}], "methods": ["password", "totp"]},
}


def allows(policy: Policy, rule: str = "r", **asked: Any) -> bool:
    return policy.allows(rule, **{"project": "p1", "user": "u1", "roles": frozenset({"Member"})} | asked)


def decide(rule: object, **asked: Any) -> bool:
    return allows(Policy({}, {"r": rule}), **asked)


def refusal(overrides: Mapping[str, object], path: str = "p.yaml") -> str:
    with pytest.raises(SettingsError) as caught:
        Policy(DEFAULT_RULES, overrides, path=path)
    return str(caught.value)


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("", True),
        ("@", True),
        ("!", False),
        ("role:member", True),
        ("role:MEMBER", True),
        ("role:admin", False),
        ("project_id:p1", True),
        ("project_id:P1", False),
        ("tenant:p1 and project:p1 and user_id:u1 and user:u1", True),
        ("project_id:%(project_id)s", True),
        ("project_id:%(nothing)s", False),
        ("role:%(nothing)s", False),
        ("roles:Member", True),
        ("nothing:None", False),
        ("no.such.name:x", False),
        ("rule:missing", False),
        ("project_id:%(project_id)s%%", False),
        ("'p1':%(project_id)s", True),
        ('"p1":%(project_id)s', True),
        ("True:True and None:None and 5:5 and 1.0:1.0", True),
        ("5:%(nothing)s", False),
    ],
)
def test_a_check_holds_or_not(rule: str, allowed: bool) -> None:
    assert decide(rule) is allowed


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("! or @ and !", False),
        ("@ or ! and !", True),
        ("(@ or !) and !", False),
        ("! and ! or @", True),
        ("! and (! or @)", False),
        ("not ! and !", False),
        ("not (! and !)", True),
        ("not not @", True),
        ("NOT ! And @ oR !", True),
        ("  (  role:member)\tor\n! ", True),
        ("((@))", True),
    ],
)
def test_not_binds_closest_then_and_then_or(rule: str, allowed: bool) -> None:
    assert decide(rule) is allowed


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ([], True),
        ([[]], False),
        ([""], False),
        (["!", "role:member"], True),
        ([["role:member", "!"], []], False),
        ([["role:member", "project_id:p1"], "!"], True),
        (["role:a or role:member"], False),
    ],
)
def test_a_list_in_the_old_form_is_any_of_all(rule: object, allowed: bool) -> None:
    assert decide(rule) is allowed


@pytest.mark.parametrize(
    ("rule", "allowed"),
    [
        ("domain_id:d1", True),
        ("is_admin_project:True", True),
        ("nothing:None", True),
        ("number:5", True),
        ("token.project.id:%(project_id)s", True),
        ("token.groups.id:g2", True),
        ("token.groups.id:g3", False),
        ("token.methods:totp", True),
        ("token.user.id:u1", False),
    ],
)
def test_a_path_leads_into_the_attributes(rule: str, allowed: bool) -> None:
    assert decide(rule, attributes=ATTRIBUTES) is allowed


@pytest.mark.parametrize("rule", ["number.of:5", "not number.of:5", "nothing.at.all:x or @", "token.methods.x:y or @"])
def test_a_path_through_what_has_no_parts_refuses_the_whole(rule: str) -> None:
    assert decide(rule, attributes=ATTRIBUTES) is False


def test_attributes_do_not_replace_what_a_caller_is() -> None:
    lies = {"project_id": "p2", "roles": ["admin"], "user_id": "u2", "is_admin": True, "x": 1}
    assert not decide("project_id:p2 or roles:admin or user_id:u2 or is_admin:True or x:2", attributes=lies)


def test_the_scope_of_the_system_has_both_of_its_names() -> None:
    assert decide("system:all and system_scope:all", attributes={"system_scope": "all"})


def test_a_target_is_the_callers_own_project_unless_given() -> None:
    own = "project_id:%(project_id)s and user_id:%(user_id)s"
    assert decide(own)
    assert decide(own, target={"project_id": "p1", "user_id": "u1"})
    assert not decide(own, target={"project_id": "p2", "user_id": "u1"})
    assert not decide(own, target={})
    assert decide("5:%(size)s and None:%(owner)s", target={"size": 5, "owner": None})


def test_whoever_the_admin_rule_allows_is_admin() -> None:
    policy = Policy(
        DEFAULT_RULES, {"context_is_admin": "role:boss and project_id:%(project_id)s", "r": "is_admin:True"}
    )
    assert allows(policy, roles=frozenset({"Boss"}))
    assert allows(policy, roles=frozenset({"Boss"}), target={"project_id": "another"})
    assert not allows(policy, roles=frozenset({"admin"}))


def test_nobody_is_admin_without_an_admin_rule_or_through_itself() -> None:
    assert not allows(Policy({}, {"default": "@", "r": "is_admin:True"}))
    assert not allows(Policy({}, {"context_is_admin": "is_admin:True or is_admin:False", "r": "is_admin:True"}))


def test_an_unknown_rule_falls_to_the_default_else_is_refused() -> None:
    assert not allows(Policy(DEFAULT_RULES, {}), "no:such")
    policy = Policy(DEFAULT_RULES, {"default": "role:member", "r": "rule:no_such"})
    assert allows(policy, "no:such")
    assert allows(policy)
    assert not allows(policy, "no:such", roles=frozenset())


def test_an_override_replaces_a_default_also_for_those_who_refer_to_it() -> None:
    overrides = {"admin_or_owner": "role:owner", "queues:create": "rule:admin_or_owner"}
    assert not allows(Policy(DEFAULT_RULES, overrides), "queues:create")
    assert allows(Policy(DEFAULT_RULES, overrides), "queues:create", roles=frozenset({"owner"}))


def test_rules_that_nothing_asks_and_references_to_nothing_are_told() -> None:
    overrides = {
        "default": "!",
        "queues:create": "rule:mine or rule:yours",
        "mine": "role:a",
        "queue:create": "role:b",
        "spare": "@",
    }
    policy = Policy(DEFAULT_RULES, overrides)
    assert policy.unknown == ("queue:create", "spare")
    assert policy.undefined == ("yours",)
    assert (Policy(DEFAULT_RULES, {}).unknown, Policy(DEFAULT_RULES, {}).undefined) == ((), ())


@pytest.mark.parametrize(
    ("rule", "character", "problem"),
    [
        (" ", 2, "here should be a check"),
        ("role:a and", 11, "here should be a check"),
        ("or role:a", 1, "here should be a check"),
        ("()", 2, "here should be a check"),
        ("role:a role:b", 8, "and, or"),
        ("role:a)", 7, "and, or"),
        ("role:a not role:b", 8, "and, or"),
        ("((role:a) or role:b", 20, "not closed"),
        ("(role:a or foo)", 12, "'foo' is no check"),
        ("role:a or 'b'", 11, "in quotes is no check"),
        ("'a':'a'", 1, "in quotes is no check"),
        ("role:a or http://example.org/%(x)s", 11, "remote service"),
        ("not https://example.org", 5, "remote service"),
        ("project_id:%(project_id)", 1, "%(name)s"),
        ("role:%(x)d", 1, "%(name)s"),
        ("project_id:100%", 1, "%(name)s"),
        ("class:x", 1, "neither the name of a credential nor a literal"),
        (":x", 1, "neither the name of a credential nor a literal"),
        ("a..b:x", 1, "neither the name of a credential nor a literal"),
        ("{[]}:x", 1, "neither the name of a credential nor a literal"),
        ("x" * limits.POLICY_CHECK_CHARS_MAX + ":", 1, f"{limits.POLICY_CHECK_CHARS_MAX} are allowed"),
        (".".join("x" * (limits.POLICY_DEPTH_MAX + 1)) + ":y", 1, f"{limits.POLICY_DEPTH_MAX} are allowed"),
        ("(" * 65 + "@" + ")" * 65, 65, "64 deep"),
        ("not " * 65 + "@", 257, "64 deep"),
        ("(" * 10_000, 65, "64 deep"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_with_its_place(rule: str, character: int, problem: str) -> None:
    found = refusal({"queues:create": rule})
    assert found.startswith(f"The policy file p.yaml, rule 'queues:create', character {character}: ")
    assert problem in found


@pytest.mark.parametrize("rule", [None, False, True, 0, 5, {}, {"role": "admin"}, ("role:a",)])
def test_a_rule_that_is_no_text_is_refused_and_not_taken_for_consent(rule: object) -> None:
    assert 'Write "" to allow everybody, "!" to allow nobody' in refusal({"queues:create": rule})


@pytest.mark.parametrize("rule", [[5], [[5]], [["role:a", ["role:b"]]], [None], [{}], ["role:a", ["foo"]]])
def test_a_list_of_something_else_is_refused_with_its_item(rule: list[object]) -> None:
    assert f"rule 'queues:create', item {len(rule)}: " in refusal({"queues:create": rule})


def test_a_bad_default_is_told_apart_from_the_file() -> None:
    with pytest.raises(SettingsError, match="The default of the policy rule 'r', character 1"):
        Policy({"r": "foo"}, {}, path="p.yaml")
    assert "The policy rule 'r', character 1" in refusal({"r": "foo"}, path="")


@pytest.mark.parametrize(
    ("overrides", "circle"),
    [
        ({"a": "rule:a"}, "a -> a"),
        ({"a": "role:x or not (rule:b and @)", "b": [["@", "rule:c"]], "c": "rule:a"}, "a -> b -> c -> a"),
        ({"default": "rule:missing"}, "default -> default"),
        ({"default": "rule:a", "a": "rule:missing"}, "default -> a -> default"),
    ],
)
def test_rules_that_refer_in_a_circle_are_refused(overrides: dict[str, object], circle: str) -> None:
    assert f"refers to itself: {circle}." in refusal(overrides)


def test_a_rule_may_be_referred_to_twice() -> None:
    assert allows(Policy({}, {"r": "rule:a and rule:a and rule:b", "b": "rule:a", "a": "role:member"}))


def test_a_long_chain_of_rules_is_refused() -> None:
    chain = {f"r{number}": f"rule:r{number + 1}" for number in range(5_000)}
    assert "'r0' is nested more than 64 deep, with the rules that it refers to" in refusal(chain)
    backwards = dict(reversed(chain.items()))
    assert "is nested more than 64 deep" in refusal(backwards)


def test_the_deepest_rules_are_decided() -> None:
    deep: dict[str, object] = {f"r{number}": f"not (@ and rule:r{number + 1})" for number in range(20)}
    assert allows(Policy({}, deep | {"r20": "role:member"}), "r0") is True
    assert allows(Policy({}, deep | {"r20": "role:member"}), "r0", roles=frozenset()) is False


def test_rules_that_multiply_are_refused() -> None:
    doubling = {f"r{number}": f"rule:r{number + 1} and rule:r{number + 1}" for number in range(20)}
    assert f"has more than {limits.POLICY_CHECKS_MAX} checks, with the rules" in refusal(doubling)


@pytest.mark.parametrize(
    "rule",
    [" and ".join(["@"] * 10_001), ["@"] * 10_001, [["@"] * 10_001]],
    ids=["text", "list", "inner list"],
)
def test_a_rule_of_too_many_checks_is_refused(rule: object) -> None:
    assert f"more than {limits.POLICY_CHECKS_MAX} checks" in refusal({"r": rule})


class Count:
    """How often roles were looked at: only an evaluation does that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.looks = 0
        look = Role.holds

        def counted(role: Role, asked: Any) -> bool:
            self.looks += 1
            return look(role, asked)

        monkeypatch.setattr(Role, "holds", counted)


def test_a_decision_is_made_once_for_each_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, count = Policy({}, {"r": "role:member", "s": "not role:member"}), Count(monkeypatch)
    assert [allows(policy) for _ in range(3)] == [True] * 3
    assert count.looks == 1
    assert not allows(policy, "s")
    assert not allows(policy, roles=frozenset())
    assert allows(policy, project="p2")
    assert allows(policy, user="u2")
    assert count.looks == 5


def test_a_decision_on_a_target_or_an_attribute_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, count = Policy({}, {"r": "role:member", "s": "domain_id:d1"}), Count(monkeypatch)
    for number in range(1, 4):
        assert allows(policy, target={"project_id": "p2"})
        assert count.looks == number
    assert [allows(policy, "s", attributes={"domain_id": each}) for each in ("d1", "d2")] == [True, False]


def test_attributes_that_no_rule_asks_for_do_not_hinder_the_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    policy, count = Policy(DEFAULT_RULES, {"r": "role:member or rule:admin_or_owner"}), Count(monkeypatch)
    assert [allows(policy, attributes={"domain_id": number}) for number in range(3)] == [True] * 3
    assert count.looks == 2


def test_the_cache_is_bounded_and_stays_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "POLICY_DECISIONS_MAX", 10)
    policy, count = Policy({}, {"r": "role:member and project_id:p3"}), Count(monkeypatch)
    for _ in range(3):
        assert [allows(policy, project=f"p{number}") for number in range(25)] == [number == 3 for number in range(25)]
    assert count.looks == 75
    assert len(policy._decisions) <= 10


def test_the_example_of_the_guide_can_be_read_and_decides_as_it_says() -> None:
    example = re.findall(r"```yaml\n(.*?)```", HOWTO.read_text(encoding="utf-8"), re.DOTALL)[0]
    policy = Policy(DEFAULT_RULES, read_policy(example, path="policy.yaml"))
    assert (policy.unknown, policy.undefined) == ((), ())
    reader, member, operator = (frozenset({role}) for role in ("reader", "member", "operator"))
    assert [allows(policy, "messages:create", roles=roles) for roles in (reader, member)] == [False, True]
    assert [allows(policy, "messages:get_all", roles=roles) for roles in (reader, member)] == [True, True]
    assert [allows(policy, "health:get", roles=roles) for roles in (member, operator)] == [False, True]
    assert not any(allows(policy, "queues:purge", roles=roles) for roles in (reader, member, operator))


def test_the_defaults_let_a_project_work_and_only_an_administrator_manage() -> None:
    policy = Policy(DEFAULT_RULES, {})
    closed = {name for name in DEFAULT_RULES if ":" in name and not allows(policy, name)}
    groups = {"flavors", "health", "limits", "pools"}
    assert {name.partition(":")[0] for name in closed} == groups
    assert all(allows(policy, name, roles=frozenset({"admin"})) for name in DEFAULT_RULES)
    assert allows(policy, "flavors:get")
