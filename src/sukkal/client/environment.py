"""Where a service is and who we are there, as the environment says it."""

from collections.abc import Mapping
from typing import Final

from sukkal.client.credentials import ApiToken, Credentials, KeystonePassword, ProjectName
from sukkal.client.errors import ClientError

__all__ = ["credentials_from", "url_from"]

_HERE: Final = "http://127.0.0.1:8888"
_KEYSTONE: Final = (
    *("auth_url", "username", "user_id", "password", "user_domain_name", "user_domain_id"),
    *("project_name", "project_id", "project_domain_name", "project_domain_id"),
)


def url_from(environment: Mapping[str, str]) -> str:
    """Return the URL of the service: ``SUKKAL_URL``, by default the one that ``sukkal serve`` has."""
    return environment.get("SUKKAL_URL") or _HERE


def credentials_from(environment: Mapping[str, str]) -> Credentials:
    """Return who we are: ``SUKKAL_TOKEN``, else ``OS_*`` with a password, else ``SUKKAL_PROJECT``.

    Raises ``ClientError`` if the environment does not say it.
    """
    project = environment.get("SUKKAL_PROJECT")
    if token := environment.get("SUKKAL_TOKEN") or environment.get("OS_TOKEN"):
        return ApiToken(token, project)
    if environment.get("OS_AUTH_URL") and environment.get("OS_PASSWORD"):
        given = {name: environment.get(f"OS_{name.upper()}") for name in _KEYSTONE}
        return KeystonePassword({name: value for name, value in given.items() if value})
    if project:
        return ProjectName(project)
    raise ClientError(
        "Who are you? Set SUKKAL_TOKEN to an API key or a token, or OS_AUTH_URL, OS_USERNAME, OS_PASSWORD and the "
        "others of OpenStack, or SUKKAL_PROJECT for a service that asks for no more than a project."
    )
