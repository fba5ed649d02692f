"""Calls a Chalice app as API Gateway does, without a network."""

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from local.events import HttpRequest, rest_event


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app gave back."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.text)

    @property
    def code(self) -> str:
        """The error's code."""
        return str(self.json["code"])


def call(
    app: Any,
    method: str,
    resource: str,
    *,
    path: dict[str, str] | None = None,
    query: dict[str, str] | None = None,
    body: object = None,
    raw: bytes | None = None,
    token: str | None = None,
    headers: dict[str, str] | None = None,
    request_id: str = "req-1",
    event: dict[str, Any] | None = None,
) -> Answer:
    """One request. `body` is sent as JSON, `raw` as it is; `event` overwrites fields of the event."""
    sent = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
    all_headers = {"Host": "localhost", "Content-Type": "application/json", **(headers or {})}
    if token is not None:
        all_headers["Authorization"] = f"Bearer {token}"
    request = HttpRequest(
        method=method,
        path=resource.format(**(path or {})),
        raw_query=urlencode(query or {}),
        headers=list(all_headers.items()),
        body=sent,
        source_ip="127.0.0.1",
        host="localhost",
    )
    made = rest_event(request, resource, path or {}, request_id=request_id, now_s=1.8e9, binary_types=[])
    response = app({**made, **(event or {})}, SimpleNamespace(aws_request_id=request_id, function_name="api"))
    flat = {name: str(value) for name, value in response.get("headers", {}).items()}
    flat |= {name: str(values[-1]) for name, values in (response.get("multiValueHeaders") or {}).items()}
    return Answer(response["statusCode"], flat, response["body"])
