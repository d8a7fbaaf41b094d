"""The real oslo.policy decides the same, for generated rules, callers and targets."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
import yaml

from sukkal.errors import SettingsError
from sukkal.service import policy_checks, policy_language
from sukkal.service.policy import Policy, read_policy
from sukkal.service.policy_checks import AllOf, AnyOf, Asked, Check, Credential, Not, Reference, Role
from tests.clients.foreign import Script, script_runner
from tests.clients.policy_cases import draw, draw_words

SEED: Final = 20_260_712
CASES: Final = 3_000
WRONG_CASES: Final = 1_000

PRELUDE: Final = """
import json, logging, sys
from oslo_config import cfg
from oslo_policy import policy

logging.disable(logging.CRITICAL)
conf = cfg.ConfigOpts()
conf([])

def enforcer(text):
    made = policy.Enforcer(conf, use_conf=False)
    made.set_rules(policy.Rules.load(text))
    return made

def ask(rules, question):
    own = {"project_id": question["project"], "user_id": question["user"]}
    names = own | {"tenant": question["project"], "project": question["project"], "user": question["user"]}
    credentials = question["attributes"] | names | {"roles": question["roles"]}
    admin = "context_is_admin" in rules.rules and enforce(rules, "context_is_admin", own, dict(credentials))
    credentials["is_admin"] = admin is True
    target = own if question["target"] is None else question["target"]
    return enforce(rules, question["rule"], target, credentials)

def enforce(rules, rule, target, credentials):
    # An exception ends the request, so it is a refusal too.
    try:
        return bool(rules.enforce(rule, target, credentials))
    except Exception as error:
        return type(error).__name__

with open(sys.argv[1], encoding="utf-8") as file:
    cases = json.load(file)
"""

Answers = list[list[Any]]


def run(cases: Sequence[dict[str, Any]], folder: Path, script: str) -> Any:
    path = folder / "cases.json"
    path.write_text(json.dumps(cases), encoding="utf-8")
    runner: Script = script_runner("oslo_policy", PRELUDE, str(path))
    return runner(script)


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    # What is drawn goes through JSON once, so that both sides begin with the same kinds of values.
    drawn = json.loads(json.dumps(draw(Random(SEED), CASES)))
    return [case | {"text": yaml.safe_dump(case["rules"], allow_unicode=True)} for case in drawn]


@pytest.fixture(scope="module")
def theirs(cases: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Answers:
    script = """
        found = []
        for case in cases:
            rules = enforcer(case["text"])
            found.append([ask(rules, question) for question in case["questions"]])
        answer(found=found)
    """
    found: Answers = run(cases, tmp_path_factory.mktemp("policy"), script)["found"]
    return found


def ours(cases: Sequence[dict[str, Any]]) -> Answers:
    found = []
    for case in cases:
        policy = Policy({}, read_policy(case["text"], path="policy.yaml"))
        found.append([_ask(policy, question) for question in case["questions"]])
    return found


def _ask(policy: Policy, question: dict[str, Any]) -> bool:
    asked = question | {"roles": frozenset(question["roles"])}
    return policy.allows(**asked)


def disagreements(cases: Sequence[dict[str, Any]], ours: Answers, theirs: Answers) -> list[str]:
    return [
        f"{case['rules']}\n{question}\nwe: {we}, they: {they}"
        for case, all_ours, all_theirs in zip(cases, ours, theirs, strict=True)
        for question, we, they in zip(case["questions"], all_ours, all_theirs, strict=True)
        if we is not (they is True)
    ]


def test_it_is_the_release_that_we_mean_to_test(tmp_path: Path) -> None:
    script = """
        from importlib.metadata import version
        answer(version=version("oslo.policy"))
    """
    assert run([], tmp_path, script) == {"version": "6.0.1"}


def test_both_decide_the_same(cases: list[dict[str, Any]], theirs: Answers) -> None:
    found = disagreements(cases, ours(cases), theirs)
    assert not found, f"{len(found)} disagreements, the first:\n" + "\n\n".join(found[:3])


def test_a_repeated_decision_is_the_same(cases: list[dict[str, Any]]) -> None:
    for case in cases[:300]:
        policy = Policy({}, case["rules"])
        assert [_ask(policy, each) for each in case["questions"]] == [_ask(policy, each) for each in case["questions"]]


def test_the_questions_are_answered_in_every_way(theirs: Answers) -> None:
    answers = [answer for answers in theirs for answer in answers]
    allowed, refused = answers.count(True) / len(answers), answers.count(False) / len(answers)
    assert len(answers) == 4 * CASES
    assert allowed > 0.25
    assert refused > 0.25
    # That is a path through what has no parts; all other errors would be defects of the generator.
    assert {answer for answer in answers if isinstance(answer, str)} == {"TypeError"}
    assert answers.count("TypeError") > 50


def test_what_they_cannot_read_we_refuse_and_nothing_else(tmp_path: Path) -> None:
    rules = sorted(set(draw_words(Random(SEED), CASES)))
    script = """
        from oslo_policy import _parser
        logging.disable(logging.NOTSET)
        failures = []
        _parser.LOG.exception = lambda *found: failures.append(found)
        found = []
        for case in cases:
            failures.clear()
            rules = enforcer(case["text"])
            found.append("not read" if failures else ask(rules, case["questions"][0]))
        answer(found=found)
    """
    theirs = run([_alone(f"r: {json.dumps(rule)}\n") for rule in rules], tmp_path, script)["found"]
    assert {rule: outcome for rule, outcome in zip(rules, theirs, strict=True) if outcome != _read(rule)} == {}
    assert all(theirs.count(outcome) > 50 for outcome in (True, False, "not read"))


def _read(rule: str) -> bool | str:
    try:
        policy = Policy({}, {"r": rule})
    except SettingsError:
        return "not read"
    return policy.allows("r", project="p1", user="u1", roles=frozenset())


def _swapped(kind: type[AllOf | AnyOf], checks: list[Check]) -> Check:
    other = AnyOf if kind is AllOf else AllOf
    return checks[0] if len(checks) == 1 else other(tuple(checks))


def _or_first(parser: Any) -> Check:
    """Read ``or`` as binding closer than ``and``."""
    checks = [_ors(parser)]
    while parser._takes("and"):
        checks.append(_ors(parser))
    return policy_language._joined(AllOf, checks)


def _ors(parser: Any) -> Check:
    checks = [parser._one()]
    while parser._takes("or"):
        checks.append(parser._one())
    return policy_language._joined(AnyOf, checks)


def _empty_for_missing(text: str, target: dict[str, Any]) -> str:
    keys = ("project_id", "user_id", "role.name", "owner", "size", "missing")
    return text % {key: target.get(key, "") for key in keys}


def _first_item_only(value: object, path: Sequence[str], wanted: str) -> bool:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
        value = value[0] if isinstance(value, list) and value else value
    return str(value) == wanted


def _unanswerable_is_false(credential: Credential, asked: Asked) -> bool:
    wanted = policy_checks._filled(credential.wanted, asked.target)
    try:
        return wanted is not None and policy_checks._leads(asked.credentials, credential.path, wanted)
    except policy_checks.Unanswerable:
        return False


WRONG: Final[dict[str, tuple[Any, str, Callable[..., Any]]]] = {
    "and is or": (policy_language, "_joined", _swapped),
    "or binds closer than and": (policy_language._Parser, "_either", _or_first),
    "not is not": (Not, "holds", lambda check, asked: check.check.holds(asked)),
    "roles by case": (Role, "holds", lambda role, asked: role.wanted in asked.credentials["roles"]),
    "a missing key is empty": (policy_checks, "_filled", _empty_for_missing),
    "only the first item of a list": (policy_checks, "_leads", _first_item_only),
    "an error below not is consent": (Credential, "holds", _unanswerable_is_false),
    "references are refused": (Reference, "holds", lambda reference, asked: False),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_wrong_evaluator_is_noticed(
    wrong: tuple[Any, str, Callable[..., Any]],
    cases: list[dict[str, Any]],
    theirs: Answers,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(*wrong)
    assert disagreements(cases[:WRONG_CASES], ours(cases[:WRONG_CASES]), theirs[:WRONG_CASES])


# What we refuse when the service starts, and what becomes of it there: for them it is a refusal of each request, or an
# error in it; those that are consent are marked.
REFUSED: Final[dict[str, object]] = {
    "'a':'a' or @": False,
    "(@": False,
    "()": False,
    "5:%(size)d": "TypeError",
    ":x": "SyntaxError",
    "@ )": False,
    "@ @": False,
    "@ or": False,
    "class:x": "SyntaxError",
    "foo": False,
    "foo or @": True,
    "http://": "InvalidURL",
    "not foo": True,
    "project_id:%": "ValueError",
    "{[]}:x": "TypeError",
    " ": False,
}
REFUSED_YAML: Final[dict[str, object]] = {
    "!": True,
    "": True,
    "~": True,
    "false": True,
    "0": True,
    "{}": True,
    "[5, '@']": "TypeError",
    "[[5]]": False,
    "'!'\nr: '@'": True,
}


def _alone(text: str) -> dict[str, Any]:
    question = {"rule": "r", "project": "p1", "user": "u1", "roles": [], "attributes": {}, "target": {"size": "x"}}
    return {"text": text, "questions": [question]}


def test_what_is_refused_at_the_start_is_as_documented_there(tmp_path: Path) -> None:
    texts = {f"r: {json.dumps(rule)}\n": outcome for rule, outcome in REFUSED.items()}
    texts |= {f"r: {value}\n": outcome for value, outcome in REFUSED_YAML.items()}
    script = """
        found = []
        for case in cases:
            try:
                found.append(ask(enforcer(case["text"]), case["questions"][0]))
            except Exception as error:
                found.append(type(error).__name__)
        answer(found=found)
    """
    assert run([_alone(text) for text in texts], tmp_path, script)["found"] == list(texts.values())
    for text in texts:
        with pytest.raises(SettingsError):
            Policy({}, read_policy(text, path="policy.yaml"))
