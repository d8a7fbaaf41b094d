"""Checks of who may come in: the files that say so, and Keystone."""

import asyncio
from collections.abc import Callable
from typing import Final

from sukkal.cli.doctor.verdict import Verdict, fail, ok, skipped
from sukkal.errors import StartupError
from sukkal.settings import Settings

__all__ = ["check_files", "check_keystone"]

_FILES: Final = "files"
_KEYSTONE: Final = "Keystone"


async def check_files(settings: Settings, now_ms: Callable[[], int]) -> Verdict:
    """Check that everything can be read that says who may do what: keys, policy, limits."""
    from sukkal.app.access import entrance
    from sukkal.app.reloading import Reloading
    from sukkal.engines.memory import MemoryEngine

    try:
        async with entrance(settings, MemoryEngine(), Reloading(), now_ms):
            return ok(_FILES, "keys, policy and limits can be read")
    except StartupError as error:
        return fail(_FILES, str(error), "Correct the file or the setting that names it.")
    except OSError as error:
        return fail(_FILES, str(error), f"Let this user read and write {error.filename}.")


async def check_keystone(settings: Settings, now_ms: Callable[[], int]) -> Verdict:
    """Check that Keystone answers and lets the service user in."""
    if "keystone" not in settings.auth_methods:
        return skipped(_KEYSTONE, "it is not asked: auth has no keystone")
    from sukkal.app.access import keystone_settings
    from sukkal.identity.keystone.failures import CannotAsk, ServiceUserRefused
    from sukkal.identity.keystone.service_user import ServiceUser

    asked = keystone_settings(settings)
    try:
        user = ServiceUser(asked, now_ms)
        try:
            await asyncio.to_thread(user.id)
        finally:
            user.close()
    except ServiceUserRefused as error:
        todo = "Correct keystone_username, keystone_password, keystone_project_name or their domains."
        return fail(_KEYSTONE, f"{asked.v3_url} refuses the user {asked.username}: {error}", todo)
    except CannotAsk as error:
        todo = "Check keystone_auth_url and the way there, and keystone_ca_file if it speaks TLS."
        return fail(_KEYSTONE, f"{asked.v3_url} cannot be asked: {error}", todo)
    except StartupError as error:
        return fail(_KEYSTONE, str(error), "Correct that setting.")
    return ok(_KEYSTONE, f"{asked.v3_url} knows the user {asked.username}")
