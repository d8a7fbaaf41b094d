"""Operations on subscriptions and their deliveries."""

from typing import Final

from sukkal.service.operations.operation import SUBSCRIPTION, SUBSCRIPTIONS, Operation

__all__ = ["PUSH_OPERATIONS"]

PUSH_OPERATIONS: Final = (
    Operation(
        name="subscriptions.create",
        method="POST",
        path=SUBSCRIPTIONS,
        topics=True,
        policy="subscription:create",
        action="subscription_create",
        summary="Subscribe: have what is posted delivered.",
    ),
    Operation(
        name="subscriptions.list",
        method="GET",
        path=SUBSCRIPTIONS,
        topics=True,
        policy="subscription:get_all",
        action="subscription_list",
        summary="List a queue's subscriptions.",
    ),
    Operation(
        name="subscriptions.get",
        method="GET",
        path=SUBSCRIPTION,
        topics=True,
        policy="subscription:get",
        action="subscription_get",
        summary="Show a subscription.",
    ),
    Operation(
        name="subscriptions.update",
        method="PATCH",
        path=SUBSCRIPTION,
        topics=True,
        policy="subscription:update",
        action="subscription_update",
        summary="Change a subscription.",
    ),
    Operation(
        name="subscriptions.delete",
        method="DELETE",
        path=SUBSCRIPTION,
        topics=True,
        policy="subscription:delete",
        action="subscription_delete",
        summary="End a subscription.",
    ),
    Operation(
        name="subscriptions.confirm",
        method="PUT",
        path=SUBSCRIPTION + "/confirm",
        topics=True,
        policy="subscription:confirm",
        action="subscription_confirm",
        summary="Confirm or refuse a subscription.",
    ),
    Operation(
        name="deliveries.list",
        method="GET",
        path=SUBSCRIPTION + "/deliveries",
        topics=True,
        policy="subscription:get",
        action="delivery_list",
        summary="Show what waits, is tried again, was given up, and was delivered lately.",
    ),
    Operation(
        name="deliveries.redrive",
        method="POST",
        path=SUBSCRIPTION + "/redrive",
        topics=True,
        policy="subscription:update",
        action="delivery_redrive",
        summary="Try deliveries again that were given up.",
    ),
    Operation(
        name="deliveries.test",
        method="POST",
        path=SUBSCRIPTION + "/test",
        topics=True,
        policy="subscription:update",
        action="delivery_test",
        summary="Send a test now and show what the subscriber answered.",
    ),
)
