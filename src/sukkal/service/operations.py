"""The table of operations: everything a caller can ask for, once.

Routes, the OpenAPI document, the WebSocket actions and the policy rules are made from it.
"""

from typing import Final, Literal

import msgspec

from sukkal.model import QueueKey

__all__ = ["OPERATIONS", "Operation", "Version", "path_of"]

Version = Literal["v1.1", "v2"]
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]

_BOTH: Final[tuple[Version, ...]] = ("v1.1", "v2")
_V2: Final[tuple[Version, ...]] = ("v2",)


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a caller can ask for.

    ``path`` is that below the version, with parameters in braces. ``action`` names it on a WebSocket, ``policy`` the
    rule that allows it; both are ``None`` where there is none. With ``topics`` it is also served for topics, under
    ``/topics`` instead of ``/queues``. An operation with ``any_body`` takes JSON whatever its Content-Type says.
    """

    name: str
    method: Method
    path: str
    summary: str
    policy: str | None
    action: str | None = None
    versions: tuple[Version, ...] = _V2
    topics: bool = False
    any_body: bool = False

    def rule(self, *, topics: bool) -> str | None:
        """Return the policy rule, which for topics themselves is one of their own."""
        return self.policy.replace("queues:", "topics:", 1) if topics and self.policy else self.policy


def path_of(key: QueueKey, kind: str) -> str:
    """Return the path of all messages, claims or subscriptions of a queue."""
    return f"/v2/queues/{key.name}/{kind}"


_QUEUE: Final = "/queues/{queue_name}"
_MESSAGES: Final = _QUEUE + "/messages"
_CLAIMS: Final = _QUEUE + "/claims"
_SUBSCRIPTIONS: Final = _QUEUE + "/subscriptions"
_SUBSCRIPTION: Final = _SUBSCRIPTIONS + "/{subscription_id}"

OPERATIONS: Final[tuple[Operation, ...]] = (
    Operation(
        name="home.get", method="GET", path="/", versions=_BOTH, policy=None, summary="Show which resources there are."
    ),
    Operation(
        name="ping.get",
        method="GET",
        path="/ping",
        versions=_BOTH,
        policy="ping:get",
        summary="Tell whether the service answers.",
    ),
    Operation(
        name="ping.head",
        method="HEAD",
        path="/ping",
        versions=_BOTH,
        policy="ping:get",
        summary="Tell whether the service answers.",
    ),
    Operation(
        name="health.get",
        method="GET",
        path="/health",
        versions=_BOTH,
        policy="health:get",
        summary="Try the main operations and tell which of them work.",
    ),
    Operation(
        name="queues.list",
        method="GET",
        path="/queues",
        versions=_BOTH,
        topics=True,
        policy="queues:get_all",
        action="queue_list",
        summary="List the project's queues by name.",
    ),
    Operation(
        name="queues.create",
        method="PUT",
        path=_QUEUE,
        versions=_BOTH,
        topics=True,
        policy="queues:create",
        action="queue_create",
        summary="Create a queue.",
    ),
    Operation(
        name="queues.get",
        method="GET",
        path=_QUEUE,
        versions=_BOTH,
        topics=True,
        policy="queues:get",
        action="queue_get",
        summary="Show a queue's metadata.",
    ),
    Operation(
        name="queues.update",
        method="PATCH",
        path=_QUEUE,
        topics=True,
        policy="queues:update",
        summary="Change a queue's metadata.",
    ),
    Operation(
        name="queues.delete",
        method="DELETE",
        path=_QUEUE,
        versions=_BOTH,
        topics=True,
        policy="queues:delete",
        action="queue_delete",
        summary="Delete a queue with all that is in it.",
    ),
    Operation(
        name="queues.stats",
        method="GET",
        path=_QUEUE + "/stats",
        versions=_BOTH,
        topics=True,
        policy="queues:stats",
        action="queue_get_stats",
        summary="Count a queue's messages.",
    ),
    Operation(
        name="queues.purge",
        method="POST",
        path=_QUEUE + "/purge",
        topics=True,
        policy="queues:purge",
        action="queue_purge",
        summary="Empty a queue.",
    ),
    Operation(
        name="messages.post",
        method="POST",
        path=_MESSAGES,
        versions=_BOTH,
        topics=True,
        policy="messages:create",
        action="message_post",
        summary="Post messages.",
    ),
    Operation(
        name="messages.post_raw",
        method="POST",
        path=_MESSAGES + "/raw",
        topics=True,
        any_body=True,
        policy="messages:create",
        summary="Post one message: the whole body, any JSON.",
    ),
    Operation(
        name="messages.list",
        method="GET",
        path=_MESSAGES,
        versions=_BOTH,
        topics=True,
        policy="messages:get_all",
        action="message_list",
        summary="List a queue's messages, or get some by their ids.",
    ),
    Operation(
        name="messages.get",
        method="GET",
        path=_MESSAGES + "/{message_id}",
        versions=_BOTH,
        topics=True,
        policy="messages:get",
        action="message_get",
        summary="Get one message.",
    ),
    Operation(
        name="messages.delete_many",
        method="DELETE",
        path=_MESSAGES,
        versions=_BOTH,
        topics=True,
        policy="messages:delete_all",
        action="message_delete_many",
        summary="Delete messages by their ids, or pop the first ones.",
    ),
    Operation(
        name="messages.delete",
        method="DELETE",
        path=_MESSAGES + "/{message_id}",
        versions=_BOTH,
        topics=True,
        policy="messages:delete",
        action="message_delete",
        summary="Delete one message.",
    ),
    Operation(
        name="claims.create",
        method="POST",
        path=_CLAIMS,
        versions=_BOTH,
        policy="claims:create",
        action="claim_create",
        summary="Claim the first free messages.",
    ),
    Operation(
        name="claims.list", method="GET", path=_CLAIMS, policy="claims:get", summary="List a queue's live claims."
    ),
    Operation(
        name="claims.get",
        method="GET",
        path=_CLAIMS + "/{claim_id}",
        versions=_BOTH,
        policy="claims:get",
        action="claim_get",
        summary="Show a live claim and the messages it holds.",
    ),
    Operation(
        name="claims.update",
        method="PATCH",
        path=_CLAIMS + "/{claim_id}",
        versions=_BOTH,
        policy="claims:update",
        action="claim_update",
        summary="Begin a claim's time anew.",
    ),
    Operation(
        name="claims.delete",
        method="DELETE",
        path=_CLAIMS + "/{claim_id}",
        versions=_BOTH,
        policy="claims:delete",
        action="claim_delete",
        summary="End a claim and free its messages.",
    ),
    Operation(
        name="claims.release",
        method="PATCH",
        path=_CLAIMS + "/{claim_id}/messages/{message_id}",
        policy="claims:update",
        summary="Free one message of a claim alone.",
    ),
    Operation(
        name="signed_urls.create",
        method="POST",
        path=_QUEUE + "/share",
        policy="queues:share",
        summary="Sign a URL that opens a part of the queue to whoever has it.",
    ),
    Operation(
        name="signed_urls.list",
        method="GET",
        path=_QUEUE + "/share",
        policy="signed_urls:get_all",
        summary="List a queue's signed URLs.",
    ),
    Operation(
        name="signed_urls.delete",
        method="DELETE",
        path=_QUEUE + "/share/{signed_url_id}",
        policy="signed_urls:delete",
        summary="Revoke a signed URL.",
    ),
    Operation(
        name="subscriptions.create",
        method="POST",
        path=_SUBSCRIPTIONS,
        topics=True,
        policy="subscription:create",
        action="subscription_create",
        summary="Subscribe: have what is posted delivered.",
    ),
    Operation(
        name="subscriptions.list",
        method="GET",
        path=_SUBSCRIPTIONS,
        topics=True,
        policy="subscription:get_all",
        action="subscription_list",
        summary="List a queue's subscriptions.",
    ),
    Operation(
        name="subscriptions.get",
        method="GET",
        path=_SUBSCRIPTION,
        topics=True,
        policy="subscription:get",
        action="subscription_get",
        summary="Show a subscription.",
    ),
    Operation(
        name="subscriptions.update",
        method="PATCH",
        path=_SUBSCRIPTION,
        topics=True,
        policy="subscription:update",
        summary="Change a subscription.",
    ),
    Operation(
        name="subscriptions.delete",
        method="DELETE",
        path=_SUBSCRIPTION,
        topics=True,
        policy="subscription:delete",
        action="subscription_delete",
        summary="End a subscription.",
    ),
    Operation(
        name="subscriptions.confirm",
        method="PUT",
        path=_SUBSCRIPTION + "/confirm",
        topics=True,
        policy="subscription:confirm",
        summary="Confirm or refuse a subscription.",
    ),
    Operation(
        name="deliveries.list",
        method="GET",
        path=_SUBSCRIPTION + "/deliveries",
        topics=True,
        policy="subscription:get",
        summary="Show what waits, is tried again, was given up, and was delivered lately.",
    ),
    Operation(
        name="deliveries.redrive",
        method="POST",
        path=_SUBSCRIPTION + "/redrive",
        topics=True,
        policy="subscription:update",
        summary="Try deliveries again that were given up.",
    ),
    Operation(
        name="deliveries.test",
        method="POST",
        path=_SUBSCRIPTION + "/test",
        topics=True,
        policy="subscription:update",
        summary="Send a test now and show what the subscriber answered.",
    ),
    Operation(
        name="usage.get",
        method="GET",
        path="/usage",
        policy="usage:get",
        summary="Show what the project keeps and what it may keep.",
    ),
    Operation(
        name="limits.list",
        method="GET",
        path="/limits",
        policy="limits:get_all",
        summary="List the limits that were set for projects.",
    ),
    Operation(
        name="limits.get",
        method="GET",
        path="/limits/{project_id}",
        policy="limits:get",
        summary="Show a project's limits and what it keeps.",
    ),
    Operation(
        name="limits.update",
        method="PUT",
        path="/limits/{project_id}",
        policy="limits:update",
        summary="Set a project's limits.",
    ),
    Operation(
        name="limits.delete",
        method="DELETE",
        path="/limits/{project_id}",
        policy="limits:delete",
        summary="Let a project have the limits of the service's file again.",
    ),
)
