"""The settings of a deployment: environment variables, read once, typed, with the defaults that are safe."""

import os
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """See docs/deploy.md for what each one does."""

    stage: str
    region: str
    table_prefix: str
    dynamodb_endpoint: str | None
    cognito_endpoint: str | None
    s3_endpoint: str | None
    documents_bucket: str
    files_url: str | None
    connections_endpoint: str
    websocket_url: str
    stun_urls: str
    turn_urls: str
    turn_secret_file: str | None
    turn_secret_parameter: str | None
    open_guests: bool
    oidc_issuer: str
    oidc_jwks_url: str
    oidc_audience: str
    cognito_user_pool_id: str
    token_keys_file: str | None
    token_keys_parameter: str | None
    log_level: str
    node_keys_file: str | None
    node_keys_parameter: str | None
    ecs_endpoint: str | None
    ecs_cluster: str
    ecs_service: str
    node_max: int

    @property
    def accounts(self) -> bool:
        """Whether an OIDC issuer is configured."""
        return bool(self.oidc_issuer and self.oidc_jwks_url and self.oidc_audience)


def from_environment(env: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process. Nothing is required but TABLE_PREFIX, so that packaging can import the app."""
    e = os.environ if env is None else env
    region = e.get("AWS_REGION") or e.get("AWS_DEFAULT_REGION") or "us-east-1"
    return Settings(
        stage=e.get("STAGE", "dev"),
        region=region,
        table_prefix=e.get("TABLE_PREFIX", "holodeck-dev-"),
        dynamodb_endpoint=e.get("AWS_ENDPOINT_URL_DYNAMODB") or None,
        cognito_endpoint=e.get("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER") or None,
        s3_endpoint=e.get("AWS_ENDPOINT_URL_S3") or None,
        documents_bucket=e.get("DOCUMENTS_BUCKET", ""),
        files_url=e.get("FILES_URL"),
        connections_endpoint=e.get("CONNECTIONS_ENDPOINT", ""),
        websocket_url=e.get("WEBSOCKET_URL", "/ws"),
        stun_urls=e.get("STUN_URLS", ""),
        turn_urls=e.get("TURN_URLS", ""),
        turn_secret_file=e.get("TURN_SECRET_FILE") or None,
        turn_secret_parameter=e.get("TURN_SECRET_PARAMETER") or None,
        open_guests=e.get("OPEN_GUESTS", "0") == "1",
        oidc_issuer=e.get("OIDC_ISSUER", ""),
        oidc_jwks_url=e.get("OIDC_JWKS_URL", ""),
        oidc_audience=e.get("OIDC_AUDIENCE", ""),
        cognito_user_pool_id=e.get("COGNITO_USER_POOL_ID", ""),
        token_keys_file=e.get("TOKEN_KEYS_FILE") or None,
        token_keys_parameter=e.get("TOKEN_KEYS_PARAMETER") or None,
        log_level=e.get("LOG_LEVEL", "INFO"),
        node_keys_file=e.get("NODE_KEYS_FILE") or None,
        node_keys_parameter=e.get("NODE_KEYS_PARAMETER") or None,
        ecs_endpoint=e.get("AWS_ENDPOINT_URL_ECS") or None,
        ecs_cluster=e.get("ECS_CLUSTER", ""),
        ecs_service=e.get("ECS_SERVICE", "media"),
        node_max=int(e.get("NODE_MAX", "1")),
    )
