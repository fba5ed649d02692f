"""What Chalice calls its resources in the packaged template, and ours for its functions."""

from typing import Any, Final

Resource = dict[str, Any]
Resources = dict[str, Resource]

REST_API: Final = "RestAPI"
WEBSOCKET_API: Final = "WebsocketAPI"
WEBSOCKET_STAGE: Final = "WebsocketAPIStage"
STAGE_NAME: Final = "api"

FUNCTIONS: Final = {
    "api": "APIHandler",
    "connect": "WebsocketConnect",
    "message": "WebsocketMessage",
    "disconnect": "WebsocketDisconnect",
}
ROLES: Final = {
    "api": "ApiHandlerRole",
    "connect": "WebsocketConnectRole",
    "message": "WebsocketMessageRole",
    "disconnect": "WebsocketDisconnectRole",
}
LOGS: Final = {
    "api": "ApiHandlerLogGroup",
    "connect": "WebsocketConnectLogGroup",
    "message": "WebsocketMessageLogGroup",
    "disconnect": "WebsocketDisconnectLogGroup",
}

MEDIA_SERVICE: Final = "media"
"""The media nodes' ECS service."""

HAS_MEDIA: Final = "HasMedia"
HAS_TURN: Final = "HasTurn"
HAS_NETWORK: Final = "HasNetwork"
"""Conditions: what only some deployments have."""


def media_cluster(stage: str) -> str:
    """The media nodes' ECS cluster."""
    return f"holodeck-{stage}"


def sub(text: str) -> dict[str, str]:
    """Fn::Sub."""
    return {"Fn::Sub": text}


def ref(name: str) -> dict[str, str]:
    """Ref."""
    return {"Ref": name}


def att(name: str, attribute: str) -> dict[str, list[str]]:
    """Fn::GetAtt."""
    return {"Fn::GetAtt": [name, attribute]}


def either(condition: str, yes: Any, no: Any) -> dict[str, list[Any]]:
    """Fn::If."""
    return {"Fn::If": [condition, yes, no]}


def kept(lasting: bool) -> Resource:
    """What becomes of a resource that leaves the stack. A stack that could not be made leaves nothing behind."""
    if lasting:
        return {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
    return {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
