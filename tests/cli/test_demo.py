"""``sukkal demo``: every act to its end, the page, and nothing left behind."""

import json
import os
import re
import signal
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.cli.running import Process, Terminal, environment

from sukkal.cli.codes import INTERRUPTED


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a demo whose temporary files are in a folder of the test."""
    # A variable that another service would be told by: the demo needs nothing of the kind.
    return environment("http://127.0.0.1:1", "nobody", TMPDIR=str(tmp_path))


def test_every_act_is_played_with_real_requests(env: dict[str, str], tmp_path: Path) -> None:
    with Process(["demo", "--fast"], env) as process:
        text = process.rest()
        assert process.wait() == 0
    acts = re.split(r"\n(?=\d\. )", text)
    assert [act.splitlines()[0] for act in acts[1:]] == [
        "1. Heat tells a machine what to do",
        "2. The machine collects it and signals back",
        "3. Heat reads the signal",
        "4. A workflow event reaches a webhook",
        "5. A page hears all of it",
    ]
    assert re.search(r"Heat POST /v2/queues/server-42/messages .*install-web-server.*\n  -> 201 ", acts[1])
    assert re.search(r"machine DELETE /v2/queues/server-42/messages\?pop=1\n  -> 200 .*install-web-server", acts[2])
    assert re.search(r"machine POST /v2/queues/deployment-42/messages/raw\?URL-\.\.\. .*\n  -> 201 ", acts[2])
    assert re.search(r"Heat DELETE .*deployment-42.*\n  -> 200 .*nginx is installed", acts[3])
    assert "complete, with status 0" in acts[3]
    assert re.search(r"you POST /v2/listeners .*backup.*\n  -> 201 ", acts[4])
    assert re.search(r"Mistral POST /v2/queues/mistral/ingest .*WORKFLOW_SUCCEEDED.*\n  -> 201 ", acts[4])
    assert re.search(r"Sukkal POST http://127\.0\.0\.1:\d+/hook .*mistral\.workflow\.succeeded", acts[4])
    heard = [line.strip().partition(": ")[::2] for line in acts[5].splitlines() if line.startswith("  ")]
    assert [queue for queue, _ in heard] == ["server-42", "deployment-42", "mistral"]
    assert json.loads(heard[1][1])["deploy_status_code"] == 0
    assert "URL-Signature" not in text
    assert os.listdir(tmp_path) == []


def test_a_terminal_shows_lines_that_are_broken_between_words(env: dict[str, str]) -> None:
    with Terminal(["demo", "--fast"], env, columns=60) as terminal:
        text = re.sub(r"\x1b\[\d*m", "", terminal.rest())
        assert terminal.wait() == 0
    lines = text[text.index("1. Heat") :].splitlines()
    assert len(lines) > 60
    assert [line for line in lines if len(line) > 60 and " " in line.strip()] == []
    assert any(re.fullmatch(r"  -> 201 .*", line) for line in lines)


def test_the_page_tells_the_story_and_hears_the_queues_and_ctrl_c_leaves_nothing(
    env: dict[str, str], tmp_path: Path
) -> None:
    with Process(["demo"], env) as process:
        service = process.until(r"runs at (http://\S+),")[1]
        page = process.until(r"live: (http://\S+)")[1]
        with httpx.Client(trust_env=False, timeout=60) as browser:
            html = browser.get(page)
            assert html.headers["content-type"].startswith("text/html")
            assert "EventSource" in html.text
            streams = browser.get(f"{page}/streams").json()
            process.until(r"messages\?pop=1")  # The first message is taken; the page is told of it all the same.
            with browser.stream("GET", streams["server-42"], headers={"Origin": page}) as stream:
                assert stream.headers["access-control-allow-origin"] == page
                assert any("install-web-server" in line for line in stream.iter_lines())
            with browser.stream("GET", f"{page}/story") as story:
                first = next(line for line in story.iter_lines() if line.startswith("data: "))
        assert json.loads(first.removeprefix("data: "))["kind"] == "text"
        process.send(signal.SIGINT)
        assert process.wait() == INTERRUPTED
        assert "Traceback" not in process.rest()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{service}/healthz", trust_env=False)
    assert urlsplit(page).hostname == "127.0.0.1"
    assert os.listdir(tmp_path) == []
