"""Everything that decides who comes in and what it may keep, made from the settings."""

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from random import Random
from typing import TYPE_CHECKING, Final

import msgspec

from sukkal.app.reloading import Reloading, read_file
from sukkal.errors import SettingsError
from sukkal.extras import needs_extra
from sukkal.ids import CountedIds
from sukkal.logs import AuditFile
from sukkal.service.access import Authenticator
from sukkal.service.audit import Audit
from sukkal.service.encryption import Encryption, read_keys
from sukkal.service.gate import Gate
from sukkal.service.policy import DEFAULT_RULES, Policy, read_policy
from sukkal.service.project_limits import FileLimits, LimitsTable, read_limits
from sukkal.service.rates import Rates
from sukkal.service.signatures import Signer, keys_of
from sukkal.service.signed_urls import SignedUrls
from sukkal.service.trusts import Trusts
from sukkal.settings import Settings
from sukkal.store import Engine

if TYPE_CHECKING:
    from sukkal.identity.keystone import KeystoneAuthenticator, KeystoneSettings

__all__ = ["Entrance", "entrance", "keystone_settings"]

_log: Final = logging.getLogger("sukkal.app")

_SALT_BYTES: Final = 16


class Entrance(msgspec.Struct, frozen=True):
    """What stands between a request and the operations."""

    gate: Gate
    audit: Audit
    limits: LimitsTable
    signer: Signer
    signed_urls: SignedUrls
    encryption: Encryption
    trusts: Trusts | None


@contextlib.asynccontextmanager
async def entrance(
    settings: Settings, engine: Engine, reloading: Reloading, now_ms: Callable[[], int]
) -> AsyncIterator[Entrance]:
    """Make it, and let go of its files and threads at the end. Raises ``SettingsError``."""
    async with contextlib.AsyncExitStack() as stack:
        limits = LimitsTable(engine, now_ms, _limits(settings))
        await limits.load()
        if settings.limits_file:
            reloading.add("limits", lambda: limits.replace_file(_limits(settings)))
        encryption = Encryption(_encryption_keys(settings), lambda: os.urandom(_SALT_BYTES))
        if settings.encryption_keys_file:
            reloading.add("encryption keys", lambda: encryption.replace_keys(_encryption_keys(settings)))
        signer = _signer(settings)
        signed_urls = SignedUrls(engine, signer, lambda: gate.policy, now_ms)
        keystone = _keystone(settings, now_ms) if "keystone" in settings.auth_methods else None
        if keystone is not None:
            stack.push_async_callback(keystone.close)
        gate = Gate(
            _authenticators(settings, reloading, keystone, now_ms),
            _policy(settings),
            signed_urls,
            Rates(limits, now_ms),
            trusting="none" in settings.auth_methods,
        )

        def replace_policy() -> None:
            gate.policy = _policy(settings)

        if settings.policy_file:
            reloading.add("policy", replace_policy)
        audit = _audit(settings, reloading, now_ms, stack)
        trusts = None if keystone is None else keystone.trusts
        yield Entrance(gate, audit, limits, signer, signed_urls, encryption, trusts)


def _policy(settings: Settings) -> Policy:
    path = settings.policy_file
    policy = Policy(DEFAULT_RULES, read_policy(read_file("policy_file", path), path=path), path=path)
    for names, what in ((policy.unknown, "rules that nothing asks for"), (policy.undefined, "names of no rule")):
        if names:
            _log.warning("the policy file %s has %s: %s", path, what, ", ".join(names))
    return policy


def _limits(settings: Settings) -> FileLimits:
    return read_limits(read_file("limits_file", settings.limits_file), path=settings.limits_file)


def _encryption_keys(settings: Settings) -> dict[str, bytes]:
    path = settings.encryption_keys_file
    keys = read_keys(settings.encryption_keys, read_file("encryption_keys_file", path), path=path)
    if keys:
        with needs_extra("encryption", "To encrypt messages with the keys that are set"):
            import cryptography  # noqa: F401
    return keys


def _signer(settings: Settings) -> Signer:
    try:
        return Signer(keys_of(settings.signed_url_keys))
    except ValueError as error:
        raise SettingsError(f"signed_url_keys cannot be used: {error}.") from error


def _authenticators(
    settings: Settings, reloading: Reloading, keystone: "KeystoneAuthenticator | None", now_ms: Callable[[], int]
) -> list[Authenticator]:
    """Return those that are asked for, the ones that know their tokens for certain first."""
    found: list[Authenticator] = []
    if "keys" in settings.auth_methods:
        found.append(_keys(settings, reloading, now_ms))
    if "jwt" in settings.auth_methods:
        found.append(_jwt(settings, now_ms))
    if keystone is not None:
        found.append(keystone)
    return found


def _keys(settings: Settings, reloading: Reloading, now_ms: Callable[[], int]) -> Authenticator:
    from sukkal.identity.keys import KeyFile, Keys

    file = KeyFile(settings.keys_file)
    keys = Keys(file.read, now_ms, path=settings.keys_file, look=reloading.look)
    reloading.add("API keys", keys.reload, changed=file.changed)
    return keys


def _jwt(settings: Settings, now_ms: Callable[[], int]) -> Authenticator:
    from sukkal.identity.jwt import JwtAuthenticator, JwtConfiguration

    return JwtAuthenticator(
        JwtConfiguration(
            issuer=settings.jwt_issuer,
            audience=settings.jwt_audience,
            jwks_url=settings.jwt_jwks_url,
            project_claim=settings.jwt_project_claim,
            roles_claim=settings.jwt_roles_claim,
        ),
        now_ms,
    )


def _keystone(settings: Settings, now_ms: Callable[[], int]) -> "KeystoneAuthenticator":
    from sukkal.identity.keystone import KeystoneAuthenticator

    return KeystoneAuthenticator(keystone_settings(settings), now_ms)


def keystone_settings(settings: Settings) -> "KeystoneSettings":
    """Return what has to be known to ask the Keystone of the settings. Raises ``SettingsError``."""
    from sukkal.identity.keystone import KeystoneSettings

    return KeystoneSettings(
        auth_url=settings.keystone_auth_url,
        username=settings.keystone_username,
        password=settings.keystone_password,
        project_name=settings.keystone_project_name,
        user_domain_name=settings.keystone_user_domain_name,
        project_domain_name=settings.keystone_project_domain_name,
        timeout_s=settings.keystone_timeout_s,
        revalidate_s=settings.keystone_revalidate_s,
        cafile=settings.keystone_ca_file,
    )


def _audit(
    settings: Settings, reloading: Reloading, now_ms: Callable[[], int], stack: contextlib.AsyncExitStack
) -> Audit:
    write = None
    if settings.audit_log:
        file = AuditFile(settings.audit_log, asyncio.get_running_loop().call_later)
        stack.callback(file.close)
        reloading.add("audit log", file.reopen)
        write = file.write
    return Audit(write, now_ms, CountedIds(Random()), reads=settings.audit_reads)
