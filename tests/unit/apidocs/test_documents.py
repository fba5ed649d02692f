"""The served documents: complete, valid, and made of the declarations that serve."""

from typing import Any

import jsonschema
import pytest

import app
from chalicelib import wiring
from chalicelib.apidocs.asyncapi import asyncapi
from chalicelib.apidocs.openapi import openapi
from chalicelib.endpoint import Endpoint

ENDPOINTS: list[Endpoint] = [endpoint for room in app.rooms for endpoint in room.endpoints]
DOCUMENT = openapi(ENDPOINTS, version="0.0.0")
UNDOCUMENTED = {"/openapi.json", "/asyncapi.json", "/docs"}


def references(node: Any) -> list[str]:
    """Every $ref in a document."""
    if isinstance(node, dict):
        here = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return here + [ref for value in node.values() for ref in references(value)]
    if isinstance(node, list | tuple):
        return [ref for value in node for ref in references(value)]
    return []


def resolve(document: Any, ref: str) -> Any:
    """What a local reference points to."""
    found = document
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_every_route_is_documented() -> None:
    """What Chalice serves and what the document says are the same, method by method."""
    served = {
        (path, method) for path, methods in app.app.routes.items() for method in methods if path not in UNDOCUMENTED
    }
    documented = {(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods}
    assert served == documented


@pytest.mark.parametrize("document", [DOCUMENT, asyncapi(version="0.0.0")], ids=["openapi", "asyncapi"])
def test_references_resolve(document: dict[str, Any]) -> None:
    """No reference leads nowhere."""
    for ref in references(document):
        assert resolve(document, ref) is not None


def test_schemas_are_json_schema() -> None:
    """Every component is a valid JSON Schema 2020-12."""
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_only_what_is_meant_to_be_is_public() -> None:
    """Everything but health and entering needs a token."""
    public = {e.name for e in ENDPOINTS if e.public}
    assert public == {"get_health", "sign_up", "confirm", "log_in", "refresh", "enter_as_guest"}


def test_every_operation_says_what_it_does() -> None:
    """Each has a summary, a unique id, its errors, and 401 unless it is public."""
    names = [e.name for e in ENDPOINTS]
    assert len(names) == len(set(names))
    for e in ENDPOINTS:
        operation = DOCUMENT["paths"][e.path][e.method.lower()]
        assert operation["summary"].endswith("."), e.name
        assert ("401" in operation["responses"]) or e.public, e.name
        assert "500" in operation["responses"]


def test_queries_are_flat() -> None:
    """A query parameter is a scalar, never null, with its default and bounds."""
    parameters = [p for e in ENDPOINTS for p in DOCUMENT["paths"][e.path][e.method.lower()].get("parameters", [])]
    assert parameters
    for parameter in parameters:
        assert parameter["schema"]["type"] in {"string", "integer", "boolean"}, parameter
        assert parameter["schema"].get("default", 0) is not None


def test_asyncapi_has_every_message() -> None:
    """Each is sent or received on some channel, and has a payload and a summary; no operation names one twice."""
    document = asyncapi(version="0.0.0")
    named = [[m["$ref"].rpartition("/")[2] for m in op["messages"]] for op in document["operations"].values()]
    assert all(len(tags) == len(set(tags)) for tags in named)
    assert {tag for tags in named for tag in tags} == set(document["components"]["messages"])
    assert all(m["summary"] and m["payload"] for m in document["components"]["messages"].values())


def test_asyncapi_says_by_which_way_a_message_goes() -> None:
    """By the WebSocket all that the functions take of pages and nodes, and no more; the rest by the channel to a node."""
    operations = asyncapi(version="0.0.0")["operations"]
    sent = {
        name: {m["$ref"].rpartition("/")[2] for m in operations[name]["messages"]}
        for name in ("send", "receive", "send_to_node", "receive_from_node")
    }
    dispatch = wiring.dispatch()
    taken = {str(t.__struct_config__.tag) for t in (*dispatch._table, *dispatch._node_table)}
    assert sent["send"] == taken
    assert sent["send_to_node"] - sent["send"] == {"relay.prefer", "voice.prefer"}
    assert sent["receive_from_node"] - sent["receive"] == {"relay.roster", "voice.slots", "voice.speaking"}
