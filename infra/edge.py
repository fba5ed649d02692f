"""API Gateway's own answers in our shape, wrong methods answered 405, throttles, and the functions' settings."""

import json
from typing import Any, Final

from chalicelib.wire.codes import MESSAGE, STATUS, Code
from infra.names import FUNCTIONS, REST_API, STAGE_NAME, WEBSOCKET_API, WEBSOCKET_STAGE, Resources, ref, sub

_RESPONSES: Final = {
    "MISSING_AUTHENTICATION_TOKEN": Code.ROUTE_UNKNOWN,
    "RESOURCE_NOT_FOUND": Code.ROUTE_UNKNOWN,
    "REQUEST_TOO_LARGE": Code.BODY_TOO_LARGE,
    "UNSUPPORTED_MEDIA_TYPE": Code.MEDIA_TYPE_UNSUPPORTED,
    "BAD_REQUEST_BODY": Code.BODY_MALFORMED,
    "BAD_REQUEST_PARAMETERS": Code.QUERY_INVALID,
    "THROTTLED": Code.RATE_LIMITED,
    "QUOTA_EXCEEDED": Code.RATE_LIMITED,
    "INTEGRATION_FAILURE": Code.UPSTREAM_UNAVAILABLE,
    "INTEGRATION_TIMEOUT": Code.UPSTREAM_UNAVAILABLE,
    "DEFAULT_5XX": Code.INTERNAL,
}
THROTTLE: Final = {"rate_per_s": 500, "burst": 1000}
"""For each stage; an account has 10,000 requests a second in all."""


def _body(code: Code) -> str:
    body = {"code": str(code), "message": MESSAGE[code], "correlation_id": "$context.requestId", "retry_after_ms": None}
    return json.dumps(body)


def gateway_responses() -> Resources:
    """What API Gateway refuses before a function sees it."""
    return {
        "Response" + name.title().replace("_", ""): {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": ref(REST_API),
                "ResponseType": name,
                "StatusCode": str(STATUS[code]),
                "ResponseTemplates": {"application/json": _body(code)},
                "ResponseParameters": {"gatewayresponse.header.X-Correlation-Id": "context.requestId"},
            },
        }
        for name, code in _RESPONSES.items()
    }


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
            "requestTemplates": {"application/json": f'{{"statusCode": {status}}}'},
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
        "CONNECTIONS_ENDPOINT": sub(f"https://{domain}"),
        "WEBSOCKET_URL": sub(f"wss://{domain}"),
        "OPEN_GUESTS": ref("OpenGuests"),
        "OIDC_ISSUER": sub(issuer),
        "OIDC_JWKS_URL": sub(f"{issuer}/.well-known/jwks.json"),
        "OIDC_AUDIENCE": ref("UserPoolClient"),
        "COGNITO_USER_POOL_ID": ref("UserPool"),
        "TOKEN_KEYS_PARAMETER": ref("TokenKeysParameter"),
        "LOG_LEVEL": ref("LogLevel"),
    }


def overrides(stage: str, routes: dict[str, list[str]]) -> Resources:
    """Merged over Chalice's own resources: environments, throttles, the other methods."""
    environment = {"Properties": {"Environment": {"Variables": settings(stage)}}}
    throttle = {"ThrottlingRateLimit": THROTTLE["rate_per_s"], "ThrottlingBurstLimit": THROTTLE["burst"]}
    return {
        **dict.fromkeys(FUNCTIONS.values(), environment),
        # Chalice names it after a resource that it spells otherwise.
        "ApiHandlerLogGroup": {"Properties": {"LogGroupName": sub("/aws/lambda/${APIHandler}")}},
        REST_API: {
            "Properties": {
                "DefinitionBody": {"paths": wrong_methods(routes)},
                "MethodSettings": [{"ResourcePath": "/*", "HttpMethod": "*", "MetricsEnabled": True, **throttle}],
                "TracingEnabled": True,
            }
        },
        WEBSOCKET_STAGE: {"Properties": {"DefaultRouteSettings": {"DetailedMetricsEnabled": True, **throttle}}},
    }
