"""No operation lets a project see, change or even guess at what another one has."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from sukkal.service.operations import OPERATIONS
from tests.api.calling import Service
from tests.isolation import ROUTES, VARIANTS, Project, faults


def project(service: Service, name: str) -> Project:
    def ask(method: str, path: str, headers: Mapping[str, str], document: Any) -> httpx.Response:
        return service.call(method, path, project=name, headers=dict(headers), json=document)

    return Project(name, ask)


@pytest.fixture
def service(start: Callable[..., Service]) -> Service:
    return start(signed_url_keys="a key to sign URLs with")


def test_a_stranger_finds_nothing_and_changes_nothing(service: Service) -> None:
    assert list(faults(project(service, "alpha"), project(service, "beta"))) == []


def test_the_one_who_is_no_stranger_is_noticed(service: Service) -> None:
    owner = project(service, "alpha")
    routes = [route for route in ROUTES if route.operation.name in ("messages.get", "claims.delete", "queues.purge")]

    def ask(method: str, path: str, headers: Mapping[str, str], document: Any) -> httpx.Response:
        # A service that keeps projects apart but for deleting queues would be the same to somebody who tidies up.
        name = "beta" if method == "DELETE" and path.count("/") == 3 else "alpha"
        return service.call(method, path, project=name, headers=dict(headers), json=document)

    found = list(faults(owner, Project("beta", ask), routes))
    assert {fault.split(" ")[1].rpartition("/")[2] for fault in found} >= {"{message_id}?detailed=true", "purge"}
    assert len(found) >= 4


def test_every_operation_is_tried() -> None:
    assert {route.operation.name for route in ROUTES} == {operation.name for operation in OPERATIONS}
    assert set(VARIANTS) <= {operation.name for operation in OPERATIONS}
