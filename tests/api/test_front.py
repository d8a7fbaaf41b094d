"""What every request goes through: paths, headers, media types, and the documents by which a client finds its way."""

from collections.abc import Callable

import httpx
import pytest
from openapi_spec_validator import validate

from sukkal.transports.http.routing import routes
from tests.api.calling import CLIENT, Service, refused

HOME_V2 = {
    "rel/queues": "/v2/queues{?marker,limit,detailed}",
    "rel/queue": "/v2/queues/{queue_name}",
    "rel/queue_stats": "/v2/queues/{queue_name}/stats",
    "rel/queue_purge": "/v2/queues/{queue_name}/purge",
    "rel/post_messages": "/v2/queues/{queue_name}/messages",
    "rel/messages_delete": "/v2/queues/{queue_name}/messages{?ids,pop}",
    "rel/message_delete": "/v2/queues/{queue_name}/messages/{message_id}{?claim}",
    "rel/claim": "/v2/queues/{queue_name}/claims/{claim_id}",
    "rel/post_claim": "/v2/queues/{queue_name}/claims{?limit}",
}


def test_versions_are_discovered_without_any_header(service: Service) -> None:
    response = service.get("/", client=None, project=None)
    assert response.status_code == 300
    versions = response.json()["versions"]
    assert [(each["id"], each["status"], each["links"][0]["href"]) for each in versions] == [
        ("1.1", "DEPRECATED", "/v1.1/"),
        ("2", "CURRENT", "/v2/"),
    ]


def test_v1_1_can_be_switched_off(start: Callable[..., Service]) -> None:
    service = start(enable_v1_1=False)
    assert [each["id"] for each in service.get("/").json()["versions"]] == ["2"]
    refused(service.get("/v1.1/queues"), 404)
    assert service.get("/v2/queues").status_code == 200


def test_the_home_document_names_the_resources(service: Service) -> None:
    response = service.get("/v2/")
    assert response.headers["content-type"] == "application/json-home"
    assert response.headers["cache-control"] == "max-age=86400"
    resources = response.json()["resources"]
    for name, template in HOME_V2.items():
        assert resources[name]["href-template"] == template
    assert resources["rel/queue"]["hints"]["allow"] == ["GET", "PUT", "DELETE", "PATCH"]
    assert "rel/queue_purge" not in service.get("/v1.1/").json()["resources"]


def test_it_answers_a_ping(service: Service) -> None:
    for method in ("GET", "HEAD"):
        for version in ("v1.1", "v2"):
            response = service.call(method, f"/{version}/ping")
            assert (response.status_code, response.content) == (204, b"")


@pytest.mark.parametrize(
    "path",
    ["/v3/queues", "/v2/nothing", "/v2/queues/q/other", "/queues", "/v2/queues/q/messages/a/b", "/v2/queues//messages"],
)
def test_an_unknown_path_is_told_before_headers_are_looked_at(service: Service, path: str) -> None:
    response = service.get(path, client=None, project=None)
    assert response.status_code == 404
    assert response.json() == {"title": "404 Not Found"}


def test_a_wrong_method_is_told_after_the_headers(service: Service) -> None:
    refused(service.post("/v2/queues", client=None), 400, title="Missing header value")
    response = service.post("/v2/queues")
    assert response.status_code == 405
    assert response.json() == {"title": "405 Method Not Allowed"}
    assert response.headers["allow"] == "GET, OPTIONS"
    assert service.call("HEAD", "/v2/queues").status_code == 405


def test_options_lists_the_methods(service: Service) -> None:
    response = service.call("OPTIONS", "/v2/queues/q/messages")
    assert response.status_code == 200
    assert set(response.headers["allow"].split(", ")) == {"GET", "POST", "DELETE"}


def test_a_client_id_and_a_project_are_needed_even_for_a_ping(service: Service) -> None:
    refused(
        service.get("/v2/ping", client=None),
        400,
        'The "Client-Id" header is required.',
        title="Missing header value",
    )
    refused(service.get("/v2/ping", client="me"), 400, "Malformed hexadecimal UUID", title="Wrong UUID value")
    refused(
        service.get("/v2/ping", project=None),
        400,
        "The header X-PROJECT-ID was missing",
        title="Project-Id Missing",
    )
    refused(service.get("/v2/ping", project=""), 400, title="Project-Id Missing")
    refused(service.get("/v2/ping", project="p" * 257), 400, "256", title="Invalid queue identification")
    assert service.get("/v2/ping", project="p" * 256).status_code == 204


def test_a_header_that_says_twice_who_is_asking_says_nothing(service: Service) -> None:
    usual = [("client-id", CLIENT), ("x-project-id", "p")]

    def ping(*more: tuple[str, str]) -> httpx.Response:
        return service.call("GET", "/v2/ping", client=None, project=None, headers=[*usual, *more])

    assert ping(("accept", "*/*"), ("accept", "application/json")).status_code == 204
    refused(ping(("x-project-id", "other")), 400, title="Project-Id Missing")
    refused(ping(("client-id", CLIENT)), 400, title="Wrong UUID value")


@pytest.mark.parametrize(
    "form",
    [
        "6ac2e86e94a14bd9a5f71d0c6e9a1b52",
        "{6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52}",
        "urn:uuid:6ac2e86e-94a1-4bd9-a5f7-1d0c6e9a1b52",
        "6AC2E86E-94A1-4BD9-A5F7-1D0C6E9A1B52",
    ],
)
def test_a_uuid_is_the_same_client_however_it_is_written(service: Service, form: str) -> None:
    service.post_bodies("mine")
    response = service.get("/v2/queues/q/messages", client=form)
    assert response.json()["messages"] == []


def test_any_text_can_be_a_client_id_if_the_service_is_told_so(start: Callable[..., Service]) -> None:
    service = start(client_id_uuid_safe="off")
    assert service.get("/v2/ping", client="ten-chars!").status_code == 204
    refused(service.get("/v2/ping", client="nine-char"), 400, "10", "36")
    refused(service.get("/v2/ping", client="x" * 37), 400, "10", "36")


def test_the_accept_header_must_allow_json(service: Service) -> None:
    for accept in ("application/json", "*/*", "text/html, application/*;q=0.5", ""):
        assert service.get("/v2/ping", headers={"accept": accept}).status_code == 204
    assert service.get("/v2/ping", headers={"accept": "text/html"}).status_code == 406
    assert service.get("/v2/ping", headers={"accept": "application/json;q=0"}).status_code == 406


def test_a_form_is_refused_and_any_other_content_type_taken(service: Service) -> None:
    body = b'{"messages": [{"body": 1}]}'
    form = {"content-type": "application/x-www-form-urlencoded"}
    refused(
        service.post("/v2/queues/q/messages", content=body, headers=form),
        400,
        "application/json",
        title="Invalid Content-Type",
    )
    assert service.get("/v2/ping", headers=form).status_code == 204
    for content_type in ("application/json", "text/plain", "application/octet-stream"):
        response = service.post("/v2/queues/q/messages", content=body, headers={"content-type": content_type})
        assert response.status_code == 201


@pytest.mark.parametrize("name", ["a", "A.b-c_9", "x" * 64])
def test_a_queue_may_be_called(service: Service, name: str) -> None:
    assert service.put(f"/v2/queues/{name}").status_code == 201


@pytest.mark.parametrize("name", ["x" * 65, "a%20b", "%C3%BC", "abc%0A", "a%2Bb", "a:b"])
def test_a_queue_may_not_be_called(service: Service, name: str) -> None:
    for method, path in (("PUT", ""), ("GET", ""), ("GET", "/messages"), ("POST", "/claims"), ("GET", "/stats")):
        response = service.call(method, f"/v2/queues/{name}{path}")
        refused(response, 400, "not valid", "64", title="Invalid queue identification")


def test_health_is_for_admins(service: Service) -> None:
    for version in ("v2", "v1.1"):
        refused(service.get(f"/{version}/health"), 403, title="Not authorized")
        document = service.get(f"/{version}/health", headers={"x-roles": "member, admin"}).json()
        assert document["storage_reachable"] is True
        assert all(step["succeeded"] for step in document["operation_status"].values())
    assert service.get("/v2/queues").json()["queues"] == []


def test_operators_pages_need_no_headers(service: Service) -> None:
    service.post_bodies(1)
    assert service.get("/healthz", client=None, project=None).json() == {"status": "ok", "stalled_seconds": 0.0}
    metrics = service.get("/metrics", client=None, project=None)
    assert 'sukkal_requests_total{operation="messages.post",outcome="ok"} 1.0' in metrics.text
    assert metrics.headers["content-type"].startswith("text/plain")
    refused(service.post("/healthz"), 405)


def test_metrics_can_be_switched_off(start: Callable[..., Service]) -> None:
    assert start(metrics=False).get("/metrics").status_code == 404


def test_the_openapi_document_is_valid_and_lists_every_route(service: Service) -> None:
    document = service.get("/openapi.json", client=None, project=None).json()
    validate(document)
    served = {(route.path, route.operation.method.lower()) for route in routes(with_v1_1=True)}
    assert {(path, method) for path, item in document["paths"].items() for method in item} == served
