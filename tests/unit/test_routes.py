"""Routes are found by the path of a request, however often and however long that is."""

import pytest

from sukkal.errors import MethodNotAllowed, RouteNotFound
from sukkal.transports.http.routing import Router, routes


@pytest.mark.parametrize("name", ["q", "q" * 1_000])
def test_a_path_has_the_same_route_each_time(name: str) -> None:
    router = Router(routes(with_v1_1=True))
    for _ in range(2):
        for method, operation in (("POST", "messages.post"), ("GET", "messages.list")):
            match = router.match(method, f"/v2/queues/{name}/messages")
            assert (match.route.operation.name, match.parameters) == (operation, {"queue_name": name})
        with pytest.raises(MethodNotAllowed):
            router.match("PATCH", f"/v2/queues/{name}/messages")
        with pytest.raises(RouteNotFound):
            router.match("POST", f"/v2/queues/{name}/nothing")
