"""The rules and what they are when an operator says nothing: Zaqar's, and those of operations that only we have."""

from typing import Final

__all__ = ["ADMIN_RULE", "DEFAULT_RULES"]

ADMIN_RULE: Final = "context_is_admin"
"""The rule that decides whether a caller's credential ``is_admin`` is true."""

_OPEN: Final = ""
_ADMIN: Final = "role:admin"

DEFAULT_RULES: Final[dict[str, str]] = {
    ADMIN_RULE: _ADMIN,
    "admin_or_owner": "is_admin:True or project_id:%(project_id)s",
    "claims:create": _OPEN,
    "claims:delete": _OPEN,
    "claims:get": _OPEN,
    "claims:update": _OPEN,
    "flavors:create": _ADMIN,
    "flavors:delete": _ADMIN,
    "flavors:get": _OPEN,
    "flavors:get_all": _OPEN,
    "flavors:update": _ADMIN,
    "health:get": _ADMIN,
    "messages:create": _OPEN,
    "messages:delete": _OPEN,
    "messages:delete_all": _OPEN,
    "messages:get": _OPEN,
    "messages:get_all": _OPEN,
    "ping:get": _OPEN,
    "pools:create": _ADMIN,
    "pools:delete": _ADMIN,
    "pools:get": _ADMIN,
    "pools:get_all": _ADMIN,
    "pools:update": _ADMIN,
    "queues:create": _OPEN,
    "queues:delete": _OPEN,
    "queues:get": _OPEN,
    "queues:get_all": _OPEN,
    "queues:purge": _OPEN,
    "queues:share": _OPEN,
    "queues:stats": _OPEN,
    "queues:update": _OPEN,
    "subscription:confirm": _OPEN,
    "subscription:create": _OPEN,
    "subscription:delete": _OPEN,
    "subscription:get": _OPEN,
    "subscription:get_all": _OPEN,
    "subscription:update": _OPEN,
    "topics:create": _OPEN,
    "topics:delete": _OPEN,
    "topics:get": _OPEN,
    "topics:get_all": _OPEN,
    "topics:purge": _OPEN,
    "topics:stats": _OPEN,
    "topics:update": _OPEN,
    # Beyond Zaqar's.
    "events:get_all": _OPEN,
    "events:get_types": _OPEN,
    "limits:delete": _ADMIN,
    "limits:get": _ADMIN,
    "limits:get_all": _ADMIN,
    "limits:update": _ADMIN,
    "resources:get_all": _OPEN,
    "searches:create": _OPEN,
    "searches:delete": _OPEN,
    "searches:get": _OPEN,
    "searches:get_all": _OPEN,
    "signed_urls:delete": _OPEN,
    "signed_urls:get_all": _OPEN,
    # It shows what a message is, and who subscribed and how.
    "subscription:explain": "rule:messages:get_all and rule:subscription:get_all",
    "subscription:forward": "rule:admin_or_owner",
    "usage:get": _OPEN,
}
