"""What the AsyncAPI document says of frames, held against the frames themselves."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema

from sukkal.settings import Settings
from sukkal.transports.websocket.asyncapi import asyncapi_document

__all__ = ["check_answer", "check_push", "document", "payload_of"]


@cache
def document() -> dict[str, Any]:
    """Return the document of a service with its defaults."""
    return asyncapi_document(Settings())


@cache
def payload_of(message: str) -> jsonschema.Draft202012Validator:
    """Return what validates the payload of a message of the document."""
    found = document()
    payload = found["components"]["messages"][message]["payload"]
    return jsonschema.Draft202012Validator({**payload, "components": found["components"]})


def check_answer(frame: Mapping[str, Any]) -> None:
    """Assert that an answer is as the document says."""
    action = frame["request"]["action"]
    if action in document()["operations"]:
        _check(f"{action}.answer", frame)
    else:
        assert frame["headers"]["status"] >= 400


def check_push(frame: Mapping[str, Any]) -> None:
    """Assert that what came by itself is as the document says."""
    _check("delivery" if "claim_id" in frame else "notification", frame)


def _check(message: str, frame: Mapping[str, Any]) -> None:
    error = jsonschema.exceptions.best_match(payload_of(message).iter_errors(frame))
    assert error is None, f"{message}: {error.message} at {list(error.absolute_path)} of {frame}"
