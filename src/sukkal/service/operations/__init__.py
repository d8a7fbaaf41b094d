"""The table of operations: everything a caller can ask for, once.

Routes, the OpenAPI document, the WebSocket actions and the policy rules are made from it.
"""

from typing import Final

from sukkal.service.operations.messages import MESSAGES_OPERATIONS
from sukkal.service.operations.operation import Operation, Version, path_of
from sukkal.service.operations.pools import POOLS_OPERATIONS
from sukkal.service.operations.push import PUSH_OPERATIONS
from sukkal.service.operations.queues import QUEUES_OPERATIONS
from sukkal.service.operations.search import SEARCH_OPERATIONS
from sukkal.service.operations.tenants import TENANTS_OPERATIONS

__all__ = ["OPERATIONS", "Operation", "Version", "path_of"]

OPERATIONS: Final[tuple[Operation, ...]] = (
    *QUEUES_OPERATIONS,
    *MESSAGES_OPERATIONS,
    *PUSH_OPERATIONS,
    *SEARCH_OPERATIONS,
    *TENANTS_OPERATIONS,
    *POOLS_OPERATIONS,
)
