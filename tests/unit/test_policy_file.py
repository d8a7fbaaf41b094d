"""A policy file is YAML of names and rules, and nothing in it is guessed."""

import pytest

from sukkal import limits
from sukkal.errors import SettingsError
from sukkal.service.policy import read_policy


def refusal(text: str) -> str:
    with pytest.raises(SettingsError) as caught:
        read_policy(text, path="p.yaml")
    assert str(caught.value).startswith("The policy file p.yaml")
    return str(caught.value)


def test_it_gives_names_and_rules() -> None:
    text = """
# Who may do what.
"queues:create": "role:admin or project_id:%(project_id)s"
queues:get: role:reader
"queues:purge": "!"
"ping:get": ""
"messages:create":
  - role:writer
  - [role:reader, "project_id:p1"]
"claims:get": >-
  role:a
  or role:b
"""
    assert read_policy(text, path="p.yaml") == {
        "queues:create": "role:admin or project_id:%(project_id)s",
        "queues:get": "role:reader",
        "queues:purge": "!",
        "ping:get": "",
        "messages:create": ["role:writer", ["role:reader", "project_id:p1"]],
        "claims:get": "role:a or role:b",
    }


@pytest.mark.parametrize("text", ["", "\n# nothing but this\n", "---\n"])
def test_an_empty_file_changes_no_rule(text: str) -> None:
    assert read_policy(text, path="p.yaml") == {}


def test_json_is_read_too() -> None:
    assert read_policy('{"a": "role:x", "b": []}', path="p.yaml") == {"a": "role:x", "b": []}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("!", 'To allow nobody, write "!" in quotes'),
        ("!!str role:a", "a YAML tag"),
        ("&x !", "a YAML tag"),
        ("&x role:a", "a YAML tag"),
        ("[!, role:a]", "a YAML tag"),
        ("", 'Write "" to allow everybody'),
        ("~", 'Write "" to allow everybody'),
        ("false", "no text"),
        ("5", "no text"),
        ("2024-13-45", "no text"),
        ("{role: admin}", "no text"),
        ("[[[role:a]]]", "no text"),
        ("[1]", "no text"),
        ("@", "cannot start any token. Write each line as"),
        ("%(x)s", "cannot start any token. Write each line as"),
        ("[", "is not YAML"),
    ],
)
def test_a_value_that_would_have_to_be_guessed_is_refused_with_its_line(value: str, problem: str) -> None:
    found = refusal(f'"a": "@"\n"b": {value}\n')
    assert problem in found
    assert "line 2, " in found or "line 3, is not YAML" in found


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("role:admin", "line 1, should be a mapping"),
        ("- a", "line 1, should be a mapping"),
        ("5", "line 1, should be a mapping"),
        ("a: '@'\nb: '!'\n'a': '!'", "line 3, gives the rule 'a' a second time"),
        ("1: '@'", "line 1, has a name that is no text"),
        ("? [a]\n: '@'", "line 1, has a name that is no text"),
        ("a: '@'\n<<: {b: '@'}", "line 2, has a name that is no text"),
        ("a: '@'\n---\nb: '@'", "line 2, is not YAML"),
        ("a: '@'\nb: *nowhere", "line 2, is not YAML"),
        ("a: '\0'", "is not YAML"),
        ("a: " + "[" * 20_000, "is not YAML"),
        ("&a [*a]", "should be a mapping"),
        ("a: &x [*x]", "a YAML tag or anchor"),
    ],
)
def test_a_file_of_another_shape_is_refused(text: str, problem: str) -> None:
    assert problem in refusal(text)


def test_its_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "1048576 are allowed" in refusal("#" * (limits.POLICY_FILE_CHARS_MAX + 1))
    monkeypatch.setattr(limits, "POLICY_RULES_MAX", 2)
    assert "begins 3 rules, 2 are allowed" in refusal("a: '@'\nb: '@'\nc: '@'")
