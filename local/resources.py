"""What CloudFormation makes in AWS, made in the emulators: tables, user pool, keys, the media nodes' service.

Repeating it changes nothing.
"""

import hashlib
import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import boto3
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pynamodb.exceptions import TableError
from pynamodb.models import Model

from chalicelib.wire import limits


def make_keys(path: Path) -> None:
    """An ES256 key for tokens, readable by its owner only. An existing one is kept, so that tokens stay good."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    kid = hashlib.sha256(pem).hexdigest()[:16]
    body = json.dumps({"keys": [{"kid": kid, "pem": pem.decode()}]})
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(body)


def make_tables(
    models: Mapping[str, type[Model]], endpoint: str, region: str, go_on: Callable[[], None] = lambda: None
) -> None:
    """The tables that are missing, with their TTL. Each may take seconds: `go_on` ends it before one by what it raises."""
    dynamodb = boto3.client("dynamodb", endpoint_url=endpoint, region_name=region)
    for model in models.values():
        go_on()
        if not model.exists():
            make_table(model)
            dynamodb.update_time_to_live(
                TableName=model.Meta.table_name,
                TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"},
            )


def make_table(model: type[Model]) -> None:
    """A table, once it can be used. One that was made while its answer was lost is there when it is asked for again."""
    try:
        model.create_table(wait=True)
    except TableError as exc:
        if exc.cause_response_code != "ResourceInUseException":
            raise
        model.create_table(wait=True)  # it exists: this waits for it


def make_bucket(name: str, endpoint: str, region: str) -> None:
    """The bucket of documents' snapshots, if it is missing."""
    s3 = boto3.client("s3", endpoint_url=endpoint, region_name=region)
    if name not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        s3.create_bucket(Bucket=name)


def make_service(cluster: str, service: str, endpoint: str, region: str, nodes: int) -> None:
    """The ECS service of the media nodes, if it is missing: what it desires is what runs here as processes."""
    ecs = boto3.client("ecs", endpoint_url=endpoint, region_name=region)
    ecs.create_cluster(clusterName=cluster)
    found = ecs.describe_services(cluster=cluster, services=[service])["services"]
    if not found:
        container = {"name": service, "image": "holodeck-media", "memory": 512, "cpu": 256, "essential": True}
        ecs.register_task_definition(family=service, containerDefinitions=[container])
        ecs.create_service(cluster=cluster, serviceName=service, taskDefinition=service, desiredCount=nodes)


def make_user_pool(endpoint: str, region: str) -> dict[str, str]:
    """A Cognito pool with a client, and the settings that name them."""
    cognito = boto3.client("cognito-idp", endpoint_url=endpoint, region_name=region)
    pools = cognito.list_user_pools(MaxResults=10)["UserPools"]
    clients = cognito.list_user_pool_clients(UserPoolId=pools[0]["Id"])["UserPoolClients"] if pools else []
    if clients:
        pool_id, client_id = pools[0]["Id"], clients[0]["ClientId"]
    else:
        policy = {
            "MinimumLength": limits.PASSWORD_CHARS_MIN,
            "RequireUppercase": False,
            "RequireLowercase": False,
            "RequireNumbers": False,
            "RequireSymbols": False,
        }
        pool_id = cognito.create_user_pool(
            PoolName="holodeck",
            Policies={"PasswordPolicy": policy},
            UsernameAttributes=["email"],
            AutoVerifiedAttributes=["email"],
        )["UserPool"]["Id"]
        client_id = cognito.create_user_pool_client(
            UserPoolId=pool_id,
            ClientName="page",
            ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
            ReadAttributes=["email", "name"],
        )["UserPoolClient"]["ClientId"]
    return {
        "COGNITO_USER_POOL_ID": pool_id,
        "OIDC_AUDIENCE": client_id,
        "OIDC_ISSUER": f"https://cognito-idp.{region}.amazonaws.com/{pool_id}",
        "OIDC_JWKS_URL": f"{endpoint}/{pool_id}/.well-known/jwks.json",
    }
