"""What is not about a queue: the home document, ping, health, and what projects keep and may keep."""

from typing import Any

from msgspec import Raw

from sukkal.service.project_limits import ProjectLimits
from sukkal.transports.http.home import home_document
from sukkal.transports.websocket.call import Call
from sukkal.transports.websocket.frames import Reply

__all__ = ["delete_limits", "get_limits", "health", "home", "list_limits", "ping", "update_limits", "usage"]


async def home(call: Call) -> Reply:
    """Show which resources there are."""
    return Reply(200, Raw(home_document("v2")))


async def ping(call: Call) -> Reply:
    """Say yes."""
    return Reply(204, {})


async def health(call: Call) -> Reply:
    """Try the main operations."""
    return Reply(200, await call.services.health.check())


async def usage(call: Call) -> Reply:
    """Show what the caller's project keeps and may keep."""
    return Reply(200, await _shown(call, call.caller.project))


async def list_limits(call: Call) -> Reply:
    """List what was set for projects."""
    given = call.services.limits.all_set()
    return Reply(200, {"limits": [{"project": name, "limits": given[name]} for name in sorted(given)]})


async def get_limits(call: Call) -> Reply:
    """Show what a project keeps and may keep."""
    return Reply(200, await _shown(call, call.required("project_id")))


async def update_limits(call: Call) -> Reply:
    """Set a project's limits."""
    project = call.required("project_id")
    await call.services.limits.put(project, call.mapping("limits"))
    return Reply(200, await _shown(call, project))


async def delete_limits(call: Call) -> Reply:
    """Forget what was set for a project."""
    await call.services.limits.delete(call.required("project_id"))
    return Reply(204, {})


async def _shown(call: Call, project: str) -> dict[str, Any]:
    allowed = call.services.limits.of(project)
    used = await call.services.quotas.usage(project)
    shown = {name: getattr(allowed, name) for name in ProjectLimits.__struct_fields__}
    return {"project": project, "usage": used, "limits": shown}
