"""Operations on what projects keep and may keep."""

from sukkal import limits
from sukkal.service.project_limits import ProjectLimits
from sukkal.transports.http.bodies import decode_object, whole_body
from sukkal.transports.http.call import Call
from sukkal.transports.http.exchange import Response, json_response, no_content

__all__ = ["delete", "get", "list_limits", "update", "usage"]


async def usage(call: Call) -> Response:
    """Show what the caller's project keeps and may keep."""
    return await _shown(call, call.caller.project)


async def list_limits(call: Call) -> Response:
    """List what was set for projects."""
    given = call.services.limits.all_set()
    return json_response(200, {"limits": [{"project": name, "limits": given[name]} for name in sorted(given)]})


async def get(call: Call) -> Response:
    """Show what a project keeps and may keep."""
    return await _shown(call, call.parameters["project_id"])


async def update(call: Call) -> Response:
    """Set a project's limits."""
    most = limits.SMALL_BODY_BYTES_MAX
    body = whole_body(call.request, most=most, refusal=f"The body is too large. Max size: {most}")
    await call.services.limits.put(call.parameters["project_id"], decode_object(body))
    return await _shown(call, call.parameters["project_id"])


async def delete(call: Call) -> Response:
    """Forget what was set for a project."""
    await call.services.limits.delete(call.parameters["project_id"])
    return no_content()


async def _shown(call: Call, project: str) -> Response:
    allowed = call.services.limits.of(project)
    used = await call.services.quotas.usage(project)
    return json_response(
        200,
        {
            "project": project,
            "usage": used,
            "limits": {name: getattr(allowed, name) for name in ProjectLimits.__struct_fields__},
        },
    )
