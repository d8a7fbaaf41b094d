"""What a transport URL of the driver may say: who we are, several hosts, TLS; and what is left at the end."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import trustme

from tests.clients.foreign import Script, script_runner
from tests.clients.keystone import PASSWORD, Keystone
from tests.clients.oslo_script import ENVIRONMENT, PRELUDE
from tests.serving import ServerProcess

EXECUTORS: Final = ("threading", "eventlet")
TOPIC: Final = "oslo1.topic.openstack.topic"

PARTS: Final = """
import sukkal.oslo.options as options
cfg.CONF.register_opts(options.OPTIONS, group=options.GROUP)
def option(name, value):
    cfg.CONF.set_override(name, value, group=options.GROUP)
class Adder:
    def add(self, context, a, b):
        return a + b
def added():
    server = serve(Adder())
    total = client().call({}, "add", a=1, b=2)
    end(server)
    return total
def refused(**more):
    try:
        client(**more).cast({}, "add", a=1, b=1)
        return ""
    except oslo_messaging.MessageDeliveryFailure as error:
        return str(error)
"""


def script(url: str, executor: str = "threading") -> Script:
    return script_runner(ENVIRONMENT, PRELUDE + PARTS, url, executor)


def with_user(server: ServerProcess, user: str, path: str = "") -> str:
    """Return the transport URL of a server with a user and a password."""
    return f"sukkal+{server.url.replace('://', f'://{user}@')}{path}"


# -- who we are -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_user_of_keystone_works_in_the_project_of_the_url(
    keystone: Keystone, guarded: ServerProcess, executor: str
) -> None:
    token = keystone.token("alpha-member", "alpha")
    found = script(with_user(guarded, f"alpha-member:{PASSWORD}", "/alpha"), executor)(f"""
    option("keystone_auth_url", {keystone.url!r})
    total = added()
    from sukkal.client import ApiToken, BlockingConnection
    look = BlockingConnection({guarded.url!r}, ApiToken({token!r}), client_id=CLIENT_ID)
    names = [each["name"] for each in look.request("GET", "/v2/queues?limit=1&marker={TOPIC[:-1]}").document["queues"]]
    answer(total=total, there={TOPIC!r} in names, threads=left())
    """)
    assert found == {"total": 3, "there": True, "threads": []}


@pytest.mark.parametrize("user", ["alpha-member:wrong", "nobody:secret"])
def test_whom_keystone_refuses_is_told_at_once_however_often_it_may_try(
    keystone: Keystone, guarded: ServerProcess, user: str
) -> None:
    found = script(with_user(guarded, user, "/alpha"))(f"""
    option("keystone_auth_url", {keystone.url!r})
    outcome = refused(retry=-1)
    end()
    answer(outcome=outcome)
    """)
    assert "Keystone refused the credentials" in found["outcome"]
    assert "secret" not in found["outcome"]


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[tuple[ServerProcess, str]]:
    """Return a service that asks for keys, and a key of the project nova."""
    keys = tmp_path / "keys.json"
    command = [sys.executable, "-m", "sukkal.cli", "key", "create", "--keys-file", str(keys), "--project", "nova"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    with ServerProcess(f"sqlite:///{tmp_path}/store", "--auth", "keys", "--keys-file", str(keys)) as server:
        yield server, made.stdout.strip()


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("path", ["", "/", "/nova", "/cinder"])
def test_an_api_key_works_in_its_own_project_whatever_the_url_names(
    keyed: tuple[ServerProcess, str], path: str, executor: str
) -> None:
    server, key = keyed
    found = script(with_user(server, f"key:{key}", path), executor)(f"""
    total = added()
    from sukkal.client import ApiToken, BlockingConnection
    look = BlockingConnection({server.url!r}, ApiToken({key!r}), client_id=CLIENT_ID)
    names = [each["name"] for each in look.request("GET", "/v2/queues?limit=1&marker={TOPIC[:-1]}").document["queues"]]
    answer(total=total, there={TOPIC!r} in names, threads=left())
    """)
    assert found == {"total": 3, "there": True, "threads": []}


@pytest.mark.parametrize("tried", [True, False])
def test_who_has_no_right_key_is_told_at_once_however_often_it_may_try(
    keyed: tuple[ServerProcess, str], tried: bool
) -> None:
    server, key = keyed
    url = with_user(server, f"key:{key[:-1]}") if tried else f"sukkal+{server.url}/nova"
    found = script(url)("""
    outcome = refused(retry=-1)
    end()
    answer(outcome=outcome)
    """)
    assert "401" in found["outcome"]
    assert key[:-1] not in found["outcome"]


# -- several hosts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", EXECUTORS)
@pytest.mark.parametrize("retry", [0, 1, -1])
def test_the_second_host_is_used_when_the_first_is_down(tmp_path: Path, retry: int, executor: str) -> None:
    with ServerProcess(f"sqlite:///{tmp_path}/store") as server:
        url = f"sukkal+http://127.0.0.1:1,127.0.0.1:{server.port}/p"
        found = script(url, executor)(f"""
        outcome = refused(retry={retry})
        total = added()
        answer(outcome=outcome, total=total, threads=left())
        """)
    assert found == {"outcome": "", "total": 3, "threads": []}


def test_each_host_may_repeat_the_key(keyed: tuple[ServerProcess, str]) -> None:
    server, key = keyed
    url = f"sukkal+http://key:{key}@127.0.0.1:1,key:{key}@127.0.0.1:{server.port}"
    assert script(url)("answer(total=added())") == {"total": 3}


HOSTS: Final = """
import sys
from sukkal.client import ProjectName
from sukkal.oslo.sending import Service
service = Service(["http://a", "http://b"], ProjectName("p"), client_id="x", timeout_s=1, tls=None)
"""


def test_many_that_fail_at_one_host_go_to_the_next_and_not_beyond() -> None:
    found = script_runner(ENVIRONMENT, HOSTS)("""
    failed = [service.connection() for _ in range(4)]
    for connection in failed:
        service.leave(connection)
    second = service.connection()
    service.leave(second)
    answer(urls=[second.url, service.connection().url])
    """)
    assert found == {"urls": ["http://b", "http://a"]}


# -- TLS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("executor", EXECUTORS)
def test_a_client_shows_its_certificate_to_a_service_that_demands_one(tmp_path: Path, executor: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    for name, certificate in {"its": authority.issue_cert("127.0.0.1"), "our": authority.issue_cert("nova")}.items():
        certificate.cert_chain_pems[0].write_to_path(tmp_path / f"{name}-cert.pem")
        certificate.private_key_pem.write_to_path(tmp_path / f"{name}-key.pem")
    files = {name: str(tmp_path / f"{name}.pem") for name in ("ca", "its-cert", "its-key", "our-cert", "our-key")}
    flags = ("--tls-cert-file", files["its-cert"], "--tls-key-file", files["its-key"])
    with ServerProcess(f"sqlite:///{tmp_path}/store", *flags, "--tls-client-ca-file", files["ca"]) as server:
        found = script(f"sukkal+{server.url}/p", executor)(f"""
        option("ca_file", {files["ca"]!r})
        without = refused(retry=0)
        option("cert_file", {files["our-cert"]!r})
        option("key_file", {files["our-key"]!r})
        total = added()
        answer(refused=without != "", total=total, threads=left())
        """)
    assert found == {"refused": True, "total": 3, "threads": []}


# -- the end ----------------------------------------------------------------------------------------------------------

OPEN_SOCKETS: Final = """
import os
def sockets():
    found = []
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        except FileNotFoundError:
            pass  # the one that lists them
    return sorted(each for each in found if each.startswith("socket:"))
"""


@pytest.mark.parametrize("executor", EXECUTORS)
def test_nothing_is_left_at_the_end(tmp_path: Path, executor: str) -> None:
    with ServerProcess(f"sqlite:///{tmp_path}/store") as server:
        run = script_runner(ENVIRONMENT, PRELUDE + PARTS + OPEN_SOCKETS, f"sukkal+{server.url}/p", executor)
        found = run(f"""
        before = sockets()
        endpoint = Heard()
        listeners = [hear(endpoint), hear(endpoint, pool="a"), serve(Adder()), serve(Adder(), name="two")]
        for number in range(20):
            notifier().info({{}}, "event", number)
            client().call({{}}, "add", a=1, b=2)
        for _ in range(40):
            endpoint.events.get(timeout=20)
        during = sockets()
        end(*listeners)
        after, threads = sockets(), left()
        from sukkal.client import BlockingConnection, ProjectName
        look = BlockingConnection({server.url!r}, ProjectName("p"), client_id=CLIENT_ID)
        names = [each["name"] for each in look.request("GET", "/v2/queues", query={{"limit": "20"}}).document["queues"]]
        counts = [look.request("GET", f"/v2/queues/{{name}}/stats").document["messages"] for name in names]
        answer(more=len(during) > len(before), after=after == before, threads=threads,
               claimed=sum(count["claimed"] for count in counts), queues=len(names))
        """)
    assert found.pop("queues") >= 4
    assert found == {"more": True, "after": True, "threads": [], "claimed": 0}


def test_what_was_claimed_and_not_begun_is_free_again_at_the_end(tmp_path: Path) -> None:
    with ServerProcess(f"sqlite:///{tmp_path}/store") as server:
        run = script_runner(ENVIRONMENT, PRELUDE + PARTS + OPEN_SOCKETS, f"sukkal+{server.url}/p", "threading")
        found = run(f"""
        for number in range(10):
            client().prepare(server="one").cast({{}}, "add", a=number, b=1)
        before = sockets()
        transport = rpc_transport()
        listener = transport._driver.listen(Target(exchange="openstack", topic="topic", server="one"), 1, None)
        [begun] = listener._poll_style_listener.poll(timeout=20)
        from sukkal.client import BlockingConnection, ProjectName
        look = BlockingConnection({server.url!r}, ProjectName("p"), client_id=CLIENT_ID)
        def claimed():
            path = "/v2/queues/oslo1.server.openstack.topic.one/stats"
            return look.request("GET", path).document["messages"]["claimed"]
        held = claimed()
        listener._poll_style_listener.stop()
        begun.reply()
        listener._poll_style_listener.cleanup()
        end()
        free, threads = claimed(), left()
        total = look.request("GET", "/v2/queues/oslo1.server.openstack.topic.one/stats").document["messages"]["total"]
        look.close()
        answer(held=held, claimed=free, total=total, threads=threads)
        """)
    assert found == {"held": 10, "claimed": 0, "total": 9, "threads": []}


# -- the page ---------------------------------------------------------------------------------------------------------

PAGE: Final = Path(__file__).resolve().parents[2] / "docs/howto/use-oslo-messaging.md"

CONFIGURED: Final = """
import sys, warnings
warnings.simplefilter("ignore")
import oslo_messaging
from oslo_config import cfg
cfg.CONF(["--config-file", sys.argv[1]], project="tests")
transport = oslo_messaging.get_rpc_transport(cfg.CONF)
oslo_messaging.get_rpc_client(transport, oslo_messaging.Target(topic="topic")).cast({}, "do")
transport.cleanup()
answer(sent=True)
"""


def test_the_configurations_of_the_page_work(
    keyed: tuple[ServerProcess, str], keystone: Keystone, guarded: ServerProcess, tmp_path: Path
) -> None:
    with_key, with_keystone = re.findall(r"^```ini\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    server, key = keyed
    texts = [
        with_key.replace("API_KEY", key).replace("sukkal.example.org:8888", f"127.0.0.1:{server.port}"),
        with_keystone.replace("https://nova:PASSWORD@sukkal", f"http://alpha-member:{PASSWORD}@sukkal")
        .replace("sukkal.example.org:8888/service", f"127.0.0.1:{guarded.port}/alpha")
        .replace("https://keystone.example.org/v3", keystone.url),
    ]
    for text in texts:
        file = tmp_path / "service.conf"
        file.write_text(text, encoding="utf-8")
        assert "example.org" not in text
        assert script_runner(ENVIRONMENT, "", str(file))(CONFIGURED) == {"sent": True}
