"""API Gateway's own answers in our shape, wrong methods answered 405, throttles, logs, and the functions' settings."""

import json
from typing import Any, Final

from chalicelib.wire.codes import MESSAGE, STATUS, Code
from infra import turn_host
from infra.names import (
    FUNCTIONS,
    HAS_MEDIA,
    HAS_TURN,
    LOGS,
    MEDIA_SERVICE,
    REST_API,
    STAGE_NAME,
    WEBSOCKET_API,
    WEBSOCKET_STAGE,
    Resources,
    att,
    either,
    media_cluster,
    ref,
    sub,
)

_RESPONSES: Final = {
    # No route asks for IAM, so whatever API Gateway says of tokens and signatures means that no route was found: it takes
    # the bearer token of a request to nowhere for a broken signature.
    "MISSING_AUTHENTICATION_TOKEN": Code.ROUTE_UNKNOWN,
    "INVALID_SIGNATURE": Code.ROUTE_UNKNOWN,
    "EXPIRED_TOKEN": Code.ROUTE_UNKNOWN,
    "ACCESS_DENIED": Code.ROUTE_UNKNOWN,
    "RESOURCE_NOT_FOUND": Code.ROUTE_UNKNOWN,
    "DEFAULT_4XX": Code.ROUTE_UNKNOWN,
    "REQUEST_TOO_LARGE": Code.REQUEST_TOO_LARGE,
    "UNSUPPORTED_MEDIA_TYPE": Code.MEDIA_TYPE_UNSUPPORTED,
    "BAD_REQUEST_BODY": Code.BODY_MALFORMED,
    "BAD_REQUEST_PARAMETERS": Code.QUERY_INVALID,
    "THROTTLED": Code.RATE_LIMITED,
    "QUOTA_EXCEEDED": Code.RATE_LIMITED,
    "INTEGRATION_FAILURE": Code.UPSTREAM_UNAVAILABLE,
    "INTEGRATION_TIMEOUT": Code.UPSTREAM_UNAVAILABLE,
    "DEFAULT_5XX": Code.INTERNAL,
}
_RETRY_S: Final = 1
REST_THROTTLE: Final = {"ThrottlingRateLimit": 1000, "ThrottlingBurstLimit": 2000}
WEBSOCKET_THROTTLE: Final = {"ThrottlingRateLimit": 5000, "ThrottlingBurstLimit": 5000}
"""Of the 10,000 requests a second that an account has in all. A room of 50 sends at most 250 messages a second."""
_ACCESS_LOG: Final = {
    "correlation_id": "$context.requestId",
    "at_ms": "$context.requestTimeEpoch",
    "method": "$context.httpMethod",
    "route": "$context.resourcePath",
    "status": "$context.status",
    "total_ms": "$context.responseLatency",
    "function_ms": "$context.integrationLatency",
    "size_bytes": "$context.responseLength",
    "refused_as": "$context.error.responseType",
}
"""Of REST requests, by route: no ids of rooms, no addresses. The WebSocket has none: one line a message is too many."""


def _body(code: Code) -> str:
    wait_ms = _RETRY_S * 1000 if code is Code.RATE_LIMITED else None
    body = {"code": code, "message": MESSAGE[code], "correlation_id": "$context.requestId", "retry_after_ms": wait_ms}
    return json.dumps(body)


def gateway_responses() -> dict[str, Any]:
    """What API Gateway refuses before a function sees it.

    A part of the definition and not resources of their own: a stage serves the responses that were there when it was
    deployed, and SAM deploys it again only where the definition has changed.
    """
    found: dict[str, Any] = {}
    for name, code in _RESPONSES.items():
        headers = {"gatewayresponse.header.X-Correlation-Id": "context.requestId"}
        if code is Code.RATE_LIMITED:
            headers["gatewayresponse.header.Retry-After"] = f"'{_RETRY_S}'"
        found[name] = {
            "statusCode": str(STATUS[code]),
            "responseTemplates": {"application/json": _body(code)},
            "responseParameters": headers,
        }
    return found


_BODIES: Final = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data", "text/plain")


def wrong_methods(routes: dict[str, list[str]]) -> dict[str, Any]:
    """For each path, a mock integration for every other method: 405 with Allow, without a function."""
    return {path: {"x-amazon-apigateway-any-method": _refusal(sorted(methods))} for path, methods in routes.items()}


def _refusal(allowed: list[str]) -> dict[str, Any]:
    status = str(STATUS[Code.METHOD_NOT_ALLOWED])
    headers = {name: {"type": "string"} for name in ("Allow", "X-Correlation-Id")}
    return {
        "produces": ["application/json"],
        "responses": {status: {"description": "Method not allowed", "headers": headers}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "passthroughBehavior": "never",
            "requestTemplates": dict.fromkeys(_BODIES, f'{{"statusCode": {status}}}'),
            "responses": {
                "default": {
                    "statusCode": status,
                    "responseParameters": {
                        "method.response.header.Allow": f"'{', '.join(allowed)}'",
                        "method.response.header.X-Correlation-Id": "context.requestId",
                    },
                    "responseTemplates": {"application/json": _body(Code.METHOD_NOT_ALLOWED)},
                }
            },
        },
    }


def settings(stage: str) -> dict[str, Any]:
    """The functions' environment; the names are those of chalicelib/aws/settings.py."""
    domain = "${" + WEBSOCKET_API + "}.execute-api.${AWS::Region}.amazonaws.com/" + STAGE_NAME
    issuer = "https://cognito-idp.${AWS::Region}.amazonaws.com/${UserPool}"
    return {
        "STAGE": stage,
        "TABLE_PREFIX": f"holodeck-{stage}-",
        "DOCUMENTS_BUCKET": ref("DocumentsBucket"),
        "CONNECTIONS_ENDPOINT": sub(f"https://{domain}"),
        "WEBSOCKET_URL": sub(f"wss://{domain}"),
        "STUN_URLS": either(HAS_TURN, turn_host.stun(), ref("StunUrls")),
        "TURN_URLS": either(HAS_TURN, turn_host.turn(), ref("TurnUrls")),
        "TURN_SECRET_PARAMETER": ref("TurnSecretParameter"),
        "TURN_SECRET_VERSION": ref("TurnSecretVersion"),
        "OPEN_GUESTS": ref("OpenGuests"),
        "OIDC_ISSUER": sub(issuer),
        "OIDC_JWKS_URL": sub(f"{issuer}/.well-known/jwks.json"),
        "OIDC_AUDIENCE": ref("UserPoolClient"),
        "COGNITO_USER_POOL_ID": ref("UserPool"),
        "TOKEN_KEYS_PARAMETER": ref("TokenKeysParameter"),
        # Nothing reads it: another value ends the containers that hold an older list of keys.
        "TOKEN_KEYS_VERSION": ref("TokenKeysVersion"),
        "NODE_KEYS_PARAMETER": ref("NodeKeysParameter"),
        "NODE_KEYS_VERSION": ref("NodeKeysVersion"),
        "NODE_MAX": ref("NodeMax"),
        "ECS_CLUSTER": either(HAS_MEDIA, media_cluster(stage), ""),
        "ECS_SERVICE": MEDIA_SERVICE,
        "LOG_LEVEL": ref("LogLevel"),
    }


def log_groups(stage: str) -> Resources:
    """Logs that expire, under names of our own, so that a role can name its group and a function can wait for it."""
    days = 90 if stage == "prod" else 30
    groups = {group: f"/holodeck/{stage}/{name}" for name, group in LOGS.items()}
    groups["AccessLogGroup"] = f"/holodeck/{stage}/access"
    return {
        group: {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": name, "RetentionInDays": days}}
        for group, name in groups.items()
    }


def overrides(stage: str, routes: dict[str, list[str]]) -> Resources:
    """Merged over Chalice's own resources: environments, logs, throttles, the other methods."""
    return {
        **{logical_id: _function(stage, LOGS[name]) for name, logical_id in FUNCTIONS.items()},
        REST_API: {
            "Properties": {
                # Without a version SAM would make a second stage, "Stage", open to all and not throttled.
                "OpenApiVersion": "2.0",
                "DefinitionBody": {
                    "info": {"title": rest_name(stage)},
                    "paths": wrong_methods(routes),
                    "x-amazon-apigateway-gateway-responses": gateway_responses(),
                },
                "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", **REST_THROTTLE}],
                "AccessLogSetting": {"DestinationArn": att("AccessLogGroup", "Arn"), "Format": json.dumps(_ACCESS_LOG)},
                "TracingEnabled": True,
            }
        },
        WEBSOCKET_STAGE: {"Properties": {"DefaultRouteSettings": WEBSOCKET_THROTTLE}},
    }


def rest_name(stage: str) -> str:
    """The REST API's name, which its metrics go by."""
    return f"holodeck-{stage}"


def _function(stage: str, log_group: str) -> dict[str, Any]:
    log = {"LogFormat": "JSON", "ApplicationLogLevel": ref("LogLevel"), "LogGroup": ref(log_group)}
    return {"Properties": {"Environment": {"Variables": settings(stage)}, "LoggingConfig": log}}
