"""A client of one room's REST routes; whoever's id is the token is believed."""

from typing import Any

from chalicelib.aws.app import HolodeckApp
from chalicelib.endpoint import Endpoint, Routes
from tests.fakes.rest import call


class Browser:
    """Calls an app that has only these routes."""

    def __init__(self, routes: Routes) -> None:
        self.app = HolodeckApp("test")
        self.routes = routes
        self.app.register_blueprint(routes.blueprint)

    def endpoint(self, method: str, path: str) -> Endpoint:
        """The route that a request is for."""
        return next(e for e in self.routes.endpoints if e.method == method and _fits(e.path, path))

    def call(
        self,
        method: str,
        path: str,
        user_id: str = "ann",
        body: object = None,
        query: dict[str, str] | None = None,
        if_match: str | None = None,
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, decoded body (None where empty) and headers."""
        resource = self.endpoint(method, path).path
        pairs = zip(resource.split("/"), path.split("/"), strict=True)
        values = {k[1:-1]: v for k, v in pairs if k.startswith("{")}
        headers = {} if if_match is None else {"If-Match": if_match}
        answer = call(self.app, method, resource, path=values, query=query, body=body, token=user_id, headers=headers)
        return answer.status, answer.json if answer.text else None, answer.headers


def _fits(pattern: str, path: str) -> bool:
    wanted, given = pattern.split("/"), path.split("/")
    pairs = zip(wanted, given, strict=False)
    return len(wanted) == len(given) and all(p == v or p.startswith("{") for p, v in pairs)
