"""The documentation is complete, its links lead somewhere, and its code blocks run."""

import base64
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from sukkal.cli import show, welcome
from sukkal.errors import StartupError, SukkalError
from sukkal.identity.keys.entries import format_keys
from sukkal.service.operations import OPERATIONS, Operation
from sukkal.service.policy import DEFAULT_RULES
from sukkal.settings import FIELDS, Field, Settings
from sukkal.transports.statuses import STATUS
from sukkal.transports.websocket.answering import ACTIONS
from sukkal.transports.websocket.schemas import forms
from tests.code_blocks import blocks, missing_lines, run_page, unrun
from tests.pages import PAGES, read, rows
from tests.serving import ServerProcess

ROOT: Final = Path(__file__).parents[1]
DOCS: Final = ROOT / "docs"
RUN_PAGES: Final = [page for page in PAGES if list(blocks((ROOT / page).read_text()))]


EVERYWHERE: Final = {"detailed"}
"""What the page tells once for all actions."""

NEXT_TO_IT: Final = {"claim_create": {"prefetch"}, "subscription_create": {"resume"}}
"""What a section of its own tells of an action."""


def errors(kind: type[SukkalError]) -> Iterator[type[SukkalError]]:
    yield kind
    for each in kind.__subclasses__():
        yield from errors(each)


ERRORS: Final = sorted(set(errors(SukkalError)), key=lambda error: error.code)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_setting_is_documented_with_its_meaning_and_default(field: Field) -> None:
    default = str(field.default).lower() if isinstance(field.default, bool) else str(field.default)
    assert rows("docs/reference/settings.md")[field.name] == [field.description, field.wants, f"`{default}`"]


def test_the_table_of_settings_is_the_one_that_the_command_prints() -> None:
    page = read("docs/reference/settings.md")
    assert page[page.index("| Setting") :] == show.reference() + "\n", "run: sukkal settings --reference"


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_an_error_is_documented_with_its_status_or_exit_code(error: type[SukkalError]) -> None:
    cells = rows("docs/reference/errors.md")[error.code]
    if issubclass(error, StartupError):
        assert cells[0] == ("2" if error.code == "settings" else "1")
    else:
        assert cells[:2] == [str(STATUS[error.code]), error.title]
    assert len(cells[-1]) > 10


def test_no_two_errors_share_a_code() -> None:
    assert len({error.code for error in ERRORS}) == len(ERRORS)


def test_no_error_is_documented_that_does_not_exist() -> None:
    assert rows("docs/reference/errors.md").keys() == {error.code for error in ERRORS}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_an_operation_is_documented_with_its_method_and_path(operation: Operation) -> None:
    assert rows("docs/reference/http-api.md")[operation.name][0].startswith(f"`{operation.method} {operation.path}`")


def test_every_action_is_documented_with_its_operation_and_no_other() -> None:
    table = {action: cells[0].strip("`") for action, cells in rows("docs/reference/websocket.md").items()}
    assert table.pop("authenticate") == ""
    assert table == {name: action.operation.name for name, action in ACTIONS.items()}


@pytest.mark.parametrize("action", ACTIONS)
def test_the_table_of_actions_names_the_members_that_the_document_has(action: str) -> None:
    takes = rows("docs/reference/websocket.md")[action][1]
    described = set(forms(Settings())[action].body["properties"]) - EVERYWHERE
    if "as the" in takes or "members of" in takes or "as `PUT" in takes or "as those" in takes:
        assert set(re.findall(r"`([a-z_]+)`", takes)) <= described
    else:
        assert set(re.findall(r"`([a-z_]+)`", takes)) - EVERYWHERE == described - NEXT_TO_IT.get(action, set())


@pytest.mark.parametrize("action", ACTIONS)
def test_the_table_of_actions_names_the_statuses_that_the_document_has(action: str) -> None:
    answers = set(forms(Settings())[action].answers)
    said = set(re.findall(r"\b[2-5]\d\d\b", rows("docs/reference/websocket.md")[action][2]))
    assert {status for status in said if status < "400"} <= answers
    assert answers - said <= ({"200"} if action == "claim_create" else set())


@pytest.mark.parametrize("rule", DEFAULT_RULES)
def test_a_policy_rule_is_documented_with_its_default_and_operations(rule: str) -> None:
    default, operations = rows("docs/reference/policy.md")[rule]
    topics = rule.startswith("topics:")
    asking = rule.replace("topics:", "queues:") if topics else rule
    names = [each.name for each in OPERATIONS if each.policy == asking and (each.topics or not topics)]
    assert default.strip("`") == (DEFAULT_RULES[rule] or '""')
    assert re.findall(r"`([^`/]+)`", operations) == names
    assert ("`/topics`" in operations) == (topics and bool(names))


def test_every_operation_asks_a_policy_rule_that_has_a_default() -> None:
    assert {each.policy for each in OPERATIONS if each.policy is not None} <= DEFAULT_RULES.keys()


def test_no_policy_rule_is_documented_that_does_not_exist() -> None:
    table = read("docs/reference/policy.md").partition("| rule | default |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([^`]+)`", table, re.MULTILINE) == list(DEFAULT_RULES)


def test_every_decision_is_in_the_list() -> None:
    pages = sorted(path.name for path in (DOCS / "decisions").glob("0*.md"))
    assert re.findall(r"\]\((0[^)]+)\)", read("docs/decisions/README.md").partition("\n- ")[2]) == pages
    assert [page[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "/" in page and page not in ("docs/README.md", "bench/README.md")]
)
def test_a_page_can_be_found_from_the_index(page: str) -> None:
    index = "docs/decisions/README.md" if page.startswith("docs/decisions/0") else "docs/README.md"
    relative = os.path.relpath(page, Path(index).parent)
    assert f"]({relative})" in read(index)


def broken_links(page: str, text: str) -> list[str]:
    """Return the relative links of a page that lead nowhere, headings included."""
    broken = []
    for target, heading in re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)", text):
        path = (ROOT / page).parent / target if target else ROOT / page
        if not path.exists() or (heading and heading not in headings(path.read_text() if target else text)):
            broken.append(f"{target}#{heading}" if heading else target)
    return broken


def headings(text: str) -> set[str]:
    """Return the anchors of a page's headings."""
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in found}


@pytest.mark.parametrize("page", PAGES)
def test_the_links_of_a_page_lead_somewhere(page: str) -> None:
    assert broken_links(page, read(page)) == []


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    text = "# A b\n[x](nowhere.md) [y](README.md) [z](#a-b) [z](#c) [w](https://example.org/x) [v](settings.md#no)"
    assert broken_links("docs/reference/settings.md", text) == ["nowhere.md", "README.md", "#c", "settings.md#no"]


GIVEN: Final = {
    "SUKKAL_SIGNED_URL_KEYS": "a key to sign URLs with",
    "SUKKAL_ENCRYPTION_KEYS": f"k1:{base64.b64encode(bytes(32)).decode()}",
    "SUKKAL_WEBHOOK_ALLOW": "127.0.0.0/8",
}
"""What an operator has set: pages that share queues and encrypt them say so, and those that are called back."""

_KEYS: Final = {"SUKKAL_AUTH": "keys", "SUKKAL_KEYS_FILE": "keys.json"}
GIVEN_BESIDES: Final = {"docs/howto/use-api-keys.md": _KEYS, "docs/howto/use-pools.md": _KEYS}
"""What has been set for a page besides, as it says itself."""


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Run the service as a reader would, on a port of its own; each page begins with an empty one."""
    page = getattr(request.node, "callspec", None)
    env = {**GIVEN, **GIVEN_BESIDES.get(page.params["page"] if page else "", {})}
    monkeypatch.chdir(tmp_path)
    if "SUKKAL_KEYS_FILE" in env:
        Path(env["SUKKAL_KEYS_FILE"]).write_text(format_keys(()))
    with ServerProcess(f"sqlite:///{tmp_path / 'sukkal-data'}", env=env) as server:
        yield server.url
        assert server.stop() == 0


@pytest.mark.parametrize("page", RUN_PAGES)
def test_the_code_blocks_of_a_page_run(page: str, url: str, tmp_path: Path) -> None:
    assert "\n".join(run_page(read(page), tmp_path, url)) == ""


def test_the_pages_that_promise_to_run_do() -> None:
    assert {"README.md", "docs/tutorial/first-message.md", "docs/howto/configure.md"} <= set(RUN_PAGES)


def test_the_commands_of_the_welcome_post_claim_and_delete(url: str, tmp_path: Path) -> None:
    post, claim, delete = welcome.commands(url)
    page = "\n".join(
        [
            *("```bash run", post, "```", "```text output", "HTTP/1.1 201 Created", "```"),
            *("```bash run", claim, "```", "```text output", "HTTP/1.1 201 Created", '..."body":"Hello"...', "```"),
            *("```bash run", delete, "```", "```text output", "HTTP/1.1 204 No Content", "```"),
        ]
    )
    assert run_page(page, tmp_path, url) == []


NOT_RUN: Final = {
    "bash": "another machine, a path of the system, or a service that is not there",
    "ini": "files of other programs",
    "javascript": "a browser's",
    "json": "what is sent or answered, shown",
    "sql": "a database's",
    "text": "what goes over the wire, and the layout of the sources",
    "toml": "files of settings",
    "yaml": "files of other programs",
}
"""Why blocks of a language need not run."""

_STAYS: Final = "stays in the foreground; the test has a service of its own in its stead"
_OTHERS: Final = "needs a service or a certificate that is not there"
_INSTALLS: Final = "installs packages"

COMMANDS_NOT_RUN: Final[Mapping[str, Mapping[str, str]]] = {
    "README.md": {
        "make run": _STAYS,
        ".venv/bin/sukkal demo": "run by the tests of the command",
        "python3 -m pip --python .venv/bin/python install": _INSTALLS,
        'make run FLAGS="--listen 127.0.0.1:9999 --store memory://"': _STAYS,
    },
    "docs/howto/authenticate-with-keystone.md": {
        "openstack user create --domain Default --password-prompt sukkal": _OTHERS,
        "export SUKKAL_KEYSTONE_PASSWORD=...": _OTHERS,
        "token=$(openstack token issue -f value -c id)": _OTHERS,
    },
    "docs/howto/authenticate-with-openid-connect.md": {
        "pip install 'sukkal[jwt]'": _INSTALLS,
        'curl -H "Authorization: Bearer $token" -H "Client-ID: $(uuidgen)"': _OTHERS,
    },
    "docs/howto/configure.md": {"sukkal serve --listen 10.0.0.5:8888 --allow-remote-without-auth": _STAYS},
    "docs/howto/deliver-to-a-webhook.md": {"sukkal serve --webhook-allow": _STAYS},
    "docs/howto/deliver-to-amqp.md": {"pip install 'sukkal[amqp]'": _INSTALLS},
    "docs/howto/encrypt-queues.md": {
        "pip install 'sukkal[encryption]'": _INSTALLS,
    },
    "docs/howto/forward-openstack-notifications.md": {
        "openstack user create --password-prompt sukkal-forwarder": _OTHERS,
        "sukkal forward --config forward.yaml --check": _OTHERS,
    },
    "docs/howto/keep-messages-in-postgresql.md": {"pip install 'sukkal[postgresql]'": _INSTALLS},
    "docs/howto/move-from-zaqar.md": {"export SUKKAL_URL=http://sukkal.example.org:8888": _OTHERS},
    "docs/howto/observe.md": {
        "pip install 'sukkal[traces]'": _INSTALLS,
        "journalctl -u sukkal": _OTHERS,
        "sukkal subscription deliveries QUEUE SUBSCRIPTION": "names what is in no service of the test",
    },
    "docs/howto/run-as-a-service.md": {
        "python3 -m venv /opt/sukkal": _INSTALLS,
        "sukkal serve --listen 0.0.0.0:8888 --tls-cert-file": _OTHERS,
    },
    "docs/howto/use-an-existing-client.md": {"pip install python-zaqarclient": _INSTALLS},
    "docs/howto/use-pools.md": {"sukkal pool create db1": _OTHERS},
    "docs/howto/use-oslo-messaging.md": {"pip install 'sukkal[oslo]'": _INSTALLS},
    "docs/tutorial/first-message.md": {"make run": _STAYS},
    "docs/tutorial/five-minutes.md": {'make run FLAGS="--webhook-allow 127.0.0.0/8"': _STAYS},
    "examples/murano/README.md": {
        "make run": _STAYS,
        ".venv/bin/python -m examples.murano": "run by the tests of the example",
        "python3 -m pip --python .venv/bin/python install": _INSTALLS,
    },
}
"""How every block of commands begins that is not run, by its page, and why it is not."""


def test_only_blocks_that_cannot_run_do_not() -> None:
    assert {language for page in PAGES for language, _ in unrun(read(page))} == NOT_RUN.keys()


@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_commands_that_does_not_run_is_in_the_list(page: str) -> None:
    found = [text.splitlines()[0] for language, text in unrun(read(page)) if language in ("bash", "python")]
    listed = list(COMMANDS_NOT_RUN.get(page, ()))
    assert len(found) == len(listed), found
    assert all(line.startswith(beginning) for line, beginning in zip(found, listed, strict=True)), found


def test_the_list_of_blocks_that_do_not_run_names_pages() -> None:
    assert COMMANDS_NOT_RUN.keys() <= set(PAGES)


def test_the_tests_that_show_a_guarantee_exist() -> None:
    page = read("docs/explanation/guarantees.md")
    shown = re.findall(r"^\| (\d+) \| `(test_\w+)` \| \[[^]]+\]\(\.\./\.\./([^)]+)\) \|$", page, re.MULTILINE)
    assert {int(number) for number, _, _ in shown} == set(range(1, len(re.findall(r"^\d+\. ", page, re.MULTILINE)) + 1))
    for _, test, file in shown:
        assert f"def {test}(" in read(file), (file, test)


FAILING: Final = {
    "a block that fails": "```bash run\ntrue\n```\n```bash run\nfalse\n```\n",
    "another output": "```bash run\necho 1\n```\n```text output\n2\n```\n",
    "an early end": "```bash run\nexit 0\n```\n```bash run\ntrue\n```\n",
    "an exception": "```python run\n1 / 0\n```\n",
}


@pytest.mark.parametrize("page", FAILING.values(), ids=FAILING)
def test_a_page_that_does_not_run_is_noticed(page: str, tmp_path: Path) -> None:
    assert run_page(page, tmp_path, "http://127.0.0.1:1")


def test_blocks_of_a_page_are_one_session(tmp_path: Path) -> None:
    page = "```bash run\nx=1\n```\ntext\n```bash\nx=2\n```\n```bash run\necho $x\n```\n```text output\n1\n```\n"
    assert [block.line for block in blocks(page)] == [1, 8]
    assert run_page(page, tmp_path, "http://127.0.0.1:1") == []


@pytest.mark.parametrize("mark", ["```bash runs", "```ruby run", "```python run-with nothing", "```text output"])
def test_a_mark_without_effect_is_refused(mark: str) -> None:
    with pytest.raises(ValueError, match="line 3"):
        list(blocks(f"text\n\n{mark}\nx\n```\n"))


def test_output_is_compared_line_by_line_in_order() -> None:
    assert missing_lines(("a ... c", "..."), "x\na  b c\nz") == []
    assert missing_lines(("z", "x"), "x\nz") == ["x"]
    assert missing_lines(("a.c",), "abc") == ["a.c"]
