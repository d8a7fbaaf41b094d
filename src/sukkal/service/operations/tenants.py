"""Operations on who may do what, and how much of it."""

from typing import Final

from sukkal.service.operations.operation import QUEUE, Operation

__all__ = ["TENANTS_OPERATIONS"]

TENANTS_OPERATIONS: Final = (
    Operation(
        name="signed_urls.create",
        method="POST",
        path=QUEUE + "/share",
        policy="queues:share",
        action="signed_url_create",
        summary="Sign a URL that opens a part of the queue to whoever has it.",
    ),
    Operation(
        name="signed_urls.list",
        method="GET",
        path=QUEUE + "/share",
        policy="signed_urls:get_all",
        action="signed_url_list",
        summary="List a queue's signed URLs.",
    ),
    Operation(
        name="signed_urls.delete",
        method="DELETE",
        path=QUEUE + "/share/{signed_url_id}",
        policy="signed_urls:delete",
        action="signed_url_delete",
        summary="Revoke a signed URL.",
    ),
    Operation(
        name="usage.get",
        method="GET",
        path="/usage",
        policy="usage:get",
        action="usage_get",
        summary="Show what the project keeps and what it may keep.",
    ),
    Operation(
        name="limits.list",
        method="GET",
        path="/limits",
        policy="limits:get_all",
        action="limits_list",
        summary="List the limits that were set for projects.",
    ),
    Operation(
        name="limits.get",
        method="GET",
        path="/limits/{project_id}",
        policy="limits:get",
        action="limits_get",
        summary="Show a project's limits and what it keeps.",
    ),
    Operation(
        name="limits.update",
        method="PUT",
        path="/limits/{project_id}",
        policy="limits:update",
        action="limits_update",
        summary="Set a project's limits.",
    ),
    Operation(
        name="limits.delete",
        method="DELETE",
        path="/limits/{project_id}",
        policy="limits:delete",
        action="limits_delete",
        summary="Let a project have the limits of the service's file again.",
    ),
)
