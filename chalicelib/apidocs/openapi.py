"""OpenAPI 3.1 from the same declarations that decode, check and answer the requests. Pure."""

from collections import defaultdict
from typing import Any, Final

import msgspec

from chalicelib.endpoint import IF_MATCH, PATH_TYPES, Endpoint, Nothing
from chalicelib.wire.bodies import ErrorBody, Session
from chalicelib.wire.codes import Code

Schema = dict[str, Any]
_REF: Final = "#/components/schemas/{name}"
_PHRASES: Final = {
    400: "Bad request",
    401: "Not authenticated",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    410: "Gone",
    412: "Precondition failed",
    413: "Too large",
    415: "Unsupported media type",
    422: "Not valid",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


def openapi(endpoints: list[Endpoint], *, version: str) -> Schema:
    """The document. `endpoints` in any order; the result is deterministic."""
    ordered = sorted(endpoints, key=lambda e: (e.path, e.method))
    types: list[type[Any]] = [ErrorBody]
    for e in ordered:
        types += [e.input] if e.has_body else []
        types += [e.response] if e.response else []
    _, components = msgspec.json.schema_components(list(dict.fromkeys(types)), ref_template=_REF)
    paths: dict[str, Schema] = defaultdict(dict)
    for e in ordered:
        paths[e.path][e.method.lower()] = _operation(e)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Holodeck",
            "version": version,
            "description": "Real-time 3D rooms. Errors always have the shape of ErrorBody; "
            "the messages of the WebSocket are described by asyncapi.json beside this file.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api"}],
        "paths": dict(paths),
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }


def _operation(e: Endpoint) -> Schema:
    summary, _, rest = e.text.partition("\n")
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": msgspec.json.schema(PATH_TYPES[name])}
        for name in e.parameters
    ]
    if not e.has_body and e.input is not Nothing:
        parameters += _query(e)
    if e.if_match:
        parameters.append(
            {
                "name": "If-Match",
                "in": "header",
                "required": False,
                "description": "the ETag that was read; without it the last writer wins",
                "schema": {"type": "string", "pattern": rf"^({IF_MATCH}|\*)$"},
            }
        )
    operation: Schema = {"operationId": e.name, "tags": [e.tag], "summary": summary.strip()}
    if rest.strip():
        operation["description"] = " ".join(rest.split())
    operation["security"] = [] if e.public else [{"bearer": []}]
    if parameters:
        operation["parameters"] = parameters
    if e.has_body:
        schema = {"$ref": _REF.format(name=e.input.__name__)}
        operation["requestBody"] = {"required": e.body_required, "content": {"application/json": {"schema": schema}}}
    operation["responses"] = {str(e.status): _success(e), **_errors(e)}
    return operation


def _query(e: Endpoint) -> list[Schema]:
    (_,), components = msgspec.json.schema_components([e.input], ref_template=_REF)
    schema = components[e.input.__name__]
    found = []
    for name, property_ in schema["properties"].items():
        flat = _without_null(property_, components)
        found.append({"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": flat})
    return found


def _without_null(schema: Schema, components: dict[str, Schema]) -> Schema:
    """A query parameter is absent, never null; and refers to nothing outside itself."""
    options = [o for o in schema.get("anyOf", [schema]) if o.get("type") != "null"]
    flat = dict(options[0])
    if "$ref" in flat:
        flat = dict(components[flat["$ref"].rpartition("/")[2]])
    if "enum" in flat:
        flat.setdefault("type", "string")
    if schema.get("default") is not None:
        flat["default"] = schema["default"]
    return flat


def _success(e: Endpoint) -> Schema:
    if e.response is None:
        return {"description": "Done"}
    schema = {"$ref": _REF.format(name=e.response.__name__)}
    answer: Schema = {"description": "Done", "content": {"application/json": {"schema": schema}}}
    if e.response is Session:
        answer["headers"] = {"ETag": {"description": "for If-Match", "schema": {"type": "string"}}}
    return answer


def _errors(e: Endpoint) -> dict[str, Schema]:
    by_status: dict[int, list[Code]] = defaultdict(list)
    for code in sorted(e.errors):
        by_status[e.status_of(code)].append(code)
    schema = {"$ref": _REF.format(name="ErrorBody")}
    return {
        str(status): {
            "description": f"{_PHRASES[status]}: {', '.join(codes)}",
            "content": {"application/json": {"schema": schema}},
        }
        for status, codes in sorted(by_status.items())
    }
