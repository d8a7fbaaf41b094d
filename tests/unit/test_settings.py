"""Reading settings: precedence, refusals, and what their messages say."""

from collections.abc import Callable, Mapping
from typing import Final

import pytest

from sukkal import limits
from sukkal.cli import welcome
from sukkal.cli.show import effective
from sukkal.errors import SettingsError
from sukkal.settings import FIELDS, Address, Field, Settings, check, load, resolve
from sukkal.settings.passwords import without_password

NO_FLAGS: Mapping[str, str] = {}
NO_VARIABLES: Mapping[str, str] = {}


def file(text: str) -> Callable[[str], str]:
    return lambda path: text


def no_file(path: str) -> str:
    raise FileNotFoundError(2, "No such file or directory", path)


def flags(**values: str) -> Settings:
    return load(values, NO_VARIABLES, no_file)


def refusal(flags: Mapping[str, str], environ: Mapping[str, str] = NO_VARIABLES, text: str = "") -> str:
    with pytest.raises(SettingsError) as refused:
        load(flags, environ, file(text))
    return str(refused.value)


def test_nothing_given_gives_the_defaults() -> None:
    assert load(NO_FLAGS, NO_VARIABLES, no_file) == Settings()


def test_what_tells_a_client_where_the_service_is_may_be_there_too() -> None:
    names = ("SUKKAL_URL", "SUKKAL_PROJECT", "SUKKAL_TOKEN", "SUKKAL_CLIENT_CONFIG")
    assert load(NO_FLAGS, dict.fromkeys(names, "x"), no_file) == Settings()


def test_the_defaults_are_the_limits_of_the_api() -> None:
    settings = Settings()
    assert settings.max_message_ttl == limits.MESSAGE_TTL_S_MAX
    assert settings.max_messages_post_size == limits.POST_BYTES_MAX
    assert settings.max_messages_per_page == limits.PAGE_MAX
    assert settings.wait_max_s == limits.WAIT_S_MAX


def test_the_default_address_can_be_reached_from_this_machine_only() -> None:
    assert Settings().address == Address("127.0.0.1", 8888)


def test_a_flag_beats_a_variable_beats_the_file_beats_the_default() -> None:
    text = "max_claim_ttl = 1001\nmax_message_ttl = 100001\nbacklog = 11"
    variables = {"SUKKAL_MAX_CLAIM_TTL": "1002", "SUKKAL_MAX_MESSAGE_TTL": "100002"}
    resolved = resolve({"max_claim_ttl": "1003", "config": "/etc/sukkal.toml"}, variables, file(text))
    settings = resolved.settings
    assert (settings.max_claim_ttl, settings.max_message_ttl, settings.backlog) == (1003, 100002, 11)
    assert settings.max_claim_grace == Settings().max_claim_grace
    names = ("max_claim_ttl", "max_message_ttl", "backlog", "max_claim_grace")
    assert [str(resolved.origins[name]) for name in names] == [
        "flag",
        "environment",
        "file /etc/sukkal.toml",
        "default",
    ]


def test_a_variable_names_the_file_and_a_flag_another_one() -> None:
    texts = {"/a": "backlog = 1", "/b": "backlog = 2"}
    assert load(NO_FLAGS, {"SUKKAL_CONFIG": "/a"}, texts.__getitem__).backlog == 1
    assert load({"config": "/b"}, {"SUKKAL_CONFIG": "/a"}, texts.__getitem__).backlog == 2


def test_other_variables_are_not_looked_at() -> None:
    assert load(NO_FLAGS, {"PATH": "/bin", "sukkal_backlog": "x"}, no_file) == Settings()


@pytest.mark.parametrize("text", ["true", "True", "1"])
def test_a_switch_is_turned_on_by_text(text: str) -> None:
    assert flags(enable_checksum=text).enable_checksum is True


@pytest.mark.parametrize("text", ["false", "FALSE", "0"])
def test_a_switch_is_turned_off_by_text(text: str) -> None:
    assert flags(metrics=text).metrics is False


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:0", Address("127.0.0.1", 0)),
        ("localhost:65535", Address("localhost", 65535)),
        ("[::1]:8888", Address("::1", 8888)),
    ],
)
def test_an_address_is_a_host_and_a_port(listen: str, address: Address) -> None:
    assert flags(listen=listen).address == address


@pytest.mark.parametrize(
    "listen", ["", "127.0.0.1", ":8888", "127.0.0.1:", "127.0.0.1:65536", "::1:8888", "a b:1", "h:1\n", "http://h:1"]
)
def test_what_is_no_address_is_refused(listen: str) -> None:
    assert "it takes HOST:PORT" in refusal({"listen": listen})


@pytest.mark.parametrize(
    ("store", "directory"),
    [
        ("memory://", None),
        ("sqlite:///./data", "./data"),
        ("sqlite:///data", "data"),
        ("sqlite:////var/lib/sukkal", "/var/lib/sukkal"),
    ],
)
def test_a_store_is_a_directory_or_memory(store: str, directory: str | None) -> None:
    assert flags(store=store).directory == directory
    assert flags(store=store).database is None


def test_a_store_may_be_a_database() -> None:
    url = "postgresql://user:pass%40word@db1:5432,db2/name?target_session_attrs=read-write"
    settings = flags(store=url)
    assert (settings.database, settings.directory) == (url, None)


def test_the_password_of_a_database_is_not_shown() -> None:
    resolved = resolve({"store": "postgresql://user:secret@db/name"}, {}, no_file)
    shown = effective(resolved)
    assert "secret" not in shown
    assert '# store = "postgresql://user:***@db/name"' in shown
    assert "secret" not in welcome.text("http://x", resolved.settings)
    assert "secret" not in refusal({"store": "postgresql://user:secret@db"})
    assert without_password("postgresql://user@db/name") == "postgresql://user@db/name"


@pytest.mark.parametrize(
    "store", ["", "memory", "memory://x", "sqlite://data", "sqlite:///", "postgres://h/d", "postgresql://h", "/data"]
)
def test_what_is_no_store_is_refused(store: str) -> None:
    assert "it takes sqlite:///DIR" in refusal({"store": store})


def test_a_refused_flag_is_named_with_its_limits_and_an_example() -> None:
    assert refusal({"max_claim_ttl": "5"}) == (
        "--max-claim-ttl (flag) is '5'; it takes a whole number of seconds from 60 to 31536000, "
        "for example: --max-claim-ttl 43200"
    )


def test_a_refused_variable_is_named_as_it_was_written() -> None:
    assert refusal(NO_FLAGS, {"SUKKAL_LOG_LEVEL": "loud"}) == (
        "SUKKAL_LOG_LEVEL (environment) is 'loud'; it takes one of: debug, error, info, warning, "
        "for example: SUKKAL_LOG_LEVEL=info"
    )


def test_a_refused_key_is_named_with_its_file() -> None:
    assert refusal({"config": "s.toml"}, text='store = "redis://"') == (
        "store (file s.toml) is 'redis://'; it takes sqlite:///DIR, sqlite:////ABSOLUTE/DIR, "
        "postgresql://USER:PASSWORD@HOST:PORT/DATABASE or memory://, "
        'for example: store = "sqlite:////var/lib/sukkal"'
    )


@pytest.mark.parametrize("line", ["backlog = '5'", "backlog = true", "backlog = 1.0", "metrics = 1", "listen = 5"])
def test_a_value_of_the_file_must_have_the_type(line: str) -> None:
    assert refusal({"config": "s.toml"}, text=line).startswith(line.partition(" ")[0] + " (file s.toml) is ")


def test_an_endless_value_is_not_repeated_in_full() -> None:
    assert len(refusal({"backlog": "9" * 10_000})) < 300


@pytest.mark.parametrize("value", ["0", "65536", "-1", "", "many"])
def test_a_number_outside_its_range_is_refused(value: str) -> None:
    assert "from 1 to 65535" in refusal({"backlog": value})


@pytest.mark.parametrize("value", ["1", "65535"])
def test_a_number_at_the_end_of_its_range_is_taken(value: str) -> None:
    assert flags(backlog=value).backlog == int(value)


def test_an_unknown_flag_is_answered_with_the_nearest_one() -> None:
    assert refusal({"lisen": "x"}).startswith("--lisen (flag) is not a setting; the nearest is --listen.")


def test_an_unknown_variable_is_answered_with_the_nearest_one() -> None:
    message = refusal(NO_FLAGS, {"SUKKAL_STOER": "x"})
    assert message.startswith("SUKKAL_STOER (environment) is not a setting; the nearest is SUKKAL_STORE.")


def test_an_unknown_key_is_answered_with_the_nearest_one() -> None:
    message = refusal({"config": "s.toml"}, text="[backlogs]")
    assert message.startswith("backlogs (file s.toml) is not a setting; the nearest is backlog.")


def test_a_file_cannot_name_another_file() -> None:
    assert "config (file s.toml) is not a setting" in refusal({"config": "s.toml"}, text="config = 'other.toml'")


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(SettingsError, match=r"/nowhere\.toml cannot be read: .*No such file"):
        load({"config": "/nowhere.toml"}, NO_VARIABLES, no_file)


def test_a_file_that_is_no_toml_is_named_with_the_line() -> None:
    assert "s.toml is not TOML" in (message := refusal({"config": "s.toml"}, text="\nlisten = \n"))
    assert "line 2" in message


@pytest.mark.parametrize("name", ["message_ttl", "message_delay", "claim_ttl", "claim_grace"])
def test_a_default_cannot_exceed_its_maximum(name: str) -> None:
    most = str(getattr(Settings(), f"max_{name}"))
    message = refusal({f"max_{name}": "60", f"default_{name}": most})
    assert f"(flag) is {most}, which is more than --max-{name.replace('_', '-')} (flag), 60" in message
    assert message.endswith(f"for example: --max-{name.replace('_', '-')} {most}")
    assert getattr(flags(**{f"default_{name}": most}), f"default_{name}") == int(most)


@pytest.mark.parametrize("listen", ["0.0.0.0:8888", "[::]:8888", "10.0.0.5:8888", "example.org:8888", "[fe80::1]:1"])
def test_an_open_address_without_authentication_is_refused(listen: str) -> None:
    message = refusal({"listen": listen})
    assert repr(listen) in message
    assert message.endswith("--allow-remote-without-auth true")


def test_an_open_address_without_authentication_can_be_allowed() -> None:
    assert flags(listen="0.0.0.0:80", allow_remote_without_auth="true").address.host == "0.0.0.0"


@pytest.mark.parametrize("listen", ["127.0.0.1:1", "127.8.9.1:1", "[::1]:1", "localhost:1"])
def test_an_address_of_this_machine_needs_no_permission(listen: str) -> None:
    assert flags(listen=listen).listen == listen


def test_settings_made_in_code_can_be_checked_too() -> None:
    check(Settings())
    with pytest.raises(SettingsError, match=r"max_claim_ttl \(default\), 100"):
        check(Settings(max_claim_ttl=100))


# The names of settings that another one needs begin like this.
NEEDED_BY: Final = {
    "auth": ("keystone_", "keys_file"),
    "tls_cert_file": ("tls_key_file",),
    "tls_key_file": ("tls_cert_file",),
    "tls_client_ca_file": ("tls_cert_file", "tls_key_file"),
    "audit_reads": ("audit_log",),
    "require_confirmation": ("signed_url_keys",),
    "external_confirmation_url": ("smtp_host",),
}


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_the_default_and_the_example_of_a_setting_are_accepted(field: Field) -> None:
    name = field.name
    needed = {each.name: _text(each.example) for each in FIELDS if each.name.startswith(NEEDED_BY.get(name, ("-",)))}
    assert getattr(flags(**{name: _text(field.default)}), name) == field.default
    assert getattr(flags(**(needed | {name: _text(field.example)})), name) == field.example


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({"auth": "keystone"}, "keystone_auth_url"),
        ({"auth": "none,jwt", "jwt_issuer": "https://i"}, "jwt_audience"),
        ({"auth": "keys"}, "keys_file"),
        ({"tls_cert_file": "c"}, "tls_key_file"),
        ({"tls_key_file": "k"}, "tls_cert_file"),
        ({"tls_client_ca_file": "c"}, "tls_cert_file"),
        ({"audit_reads": "true"}, "audit_log"),
        ({"require_confirmation": "true"}, "signed_url_keys"),
        ({"external_confirmation_url": "https://a.example/"}, "smtp_host"),
    ],
)
def test_a_setting_that_another_one_needs_is_asked_for(given: dict[str, str], missing: str) -> None:
    assert f"{missing} is needed too, for example: --{missing.replace('_', '-')} " in refusal(given)


@pytest.mark.parametrize("auth", ["", "all", "none,", "none keys", "Keystone"])
def test_an_unknown_way_of_authentication_is_refused(auth: str) -> None:
    assert "none, keystone, jwt and keys" in refusal({"auth": auth})


def test_one_that_trusts_is_refused_on_an_open_address_also_beside_others() -> None:
    assert "could read and write" in refusal({"auth": "keys,none", "keys_file": "k", "listen": "0.0.0.0:80"})
    assert flags(auth="keys", keys_file="k", listen="0.0.0.0:80").auth_methods == ("keys",)


@pytest.mark.parametrize("origins", ["console.example.org", "https://a.example.org,b.example.org", "null"])
def test_an_origin_has_a_scheme(origins: str) -> None:
    assert "begins with http:// or https://" in refusal({"cors_origins": origins})


def test_a_secret_is_not_repeated_when_it_is_refused() -> None:
    assert "hunter2" not in refusal({"keystone_password": "hunter2\n"})


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_every_setting_is_described_in_a_sentence(field: Field) -> None:
    description = field.description
    assert description.endswith(".")
    assert "|" not in description, "it would break the table of the reference page"
