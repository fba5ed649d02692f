"""What each function may do, by hand: named actions on named resources, nothing that it does not use.

tests/infra/test_policies.py plays sessions and compares this with what each function then asks for: neither may be more.
"""

from typing import Any, Final

from infra.data import logical_id
from infra.names import (
    LOGS,
    MEDIA_SERVICE,
    ROLES,
    STAGE_NAME,
    WEBSOCKET_API,
    Resource,
    Resources,
    att,
    media_cluster,
    sub,
)

Statement = dict[str, Any]

_MEDIA: Final = ("GetItem", "Query", "PutItem", "UpdateItem", "DeleteItem")
_PRESENCE: Final = ("Query", "PutItem", "UpdateItem", "DeleteItem")
TABLE_ACTIONS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "api": {
        "sessions": (
            "GetItem",
            "BatchGetItem",
            "Query",
            "PutItem",
            "UpdateItem",
            "DeleteItem",
            "BatchWriteItem",
        ),
        "sessions/index": ("Query",),
        "activity": ("Query", "PutItem", "BatchWriteItem"),
        "presence": _PRESENCE,
        "connections": ("DeleteItem",),
        "oplog": ("Query", "PutItem", "BatchWriteItem"),
        "queue": ("Query", "UpdateItem", "BatchWriteItem"),
        "documents": ("Query", "GetItem", "PutItem", "DeleteItem"),
        "media": (*_MEDIA, "BatchGetItem", "BatchWriteItem"),
    },
    "connect": {
        "sessions": ("GetItem", "BatchGetItem", "UpdateItem", "DeleteItem"),
        "activity": ("PutItem",),
        "presence": ("Query", "PutItem", "UpdateItem"),
        "connections": ("PutItem", "DeleteItem"),
        "tickets": ("PutItem",),
    },
    "message": {
        "sessions": ("BatchGetItem", "UpdateItem"),
        "activity": ("PutItem",),
        "presence": (*_PRESENCE, "BatchGetItem"),
        "connections": ("GetItem", "DeleteItem"),
        "oplog": ("Query", "PutItem"),
        "queue": ("Query", "PutItem", "UpdateItem", "BatchWriteItem"),
        "documents": ("Query", "GetItem", "PutItem"),
        "media": _MEDIA,
    },
    "disconnect": {
        "sessions": ("UpdateItem",),
        "activity": ("PutItem",),
        "presence": ("Query", "UpdateItem", "DeleteItem"),
        "connections": ("GetItem", "DeleteItem"),
        "queue": ("Query",),
        "media": _MEDIA,
    },
}
CONNECTION_METHODS: Final[dict[str, tuple[str, ...]]] = {
    "api": ("POST", "DELETE"),
    "connect": ("DELETE",),
    "message": ("POST", "DELETE"),
    "disconnect": ("POST",),
}
OBJECT_ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "api": ("GetObject", "PutObject", "DeleteObject"),
    "connect": (),
    "message": ("GetObject", "PutObject"),
    "disconnect": (),
}
"""Of the documents' bucket, of snapshots."""
RECORDING_ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "api": ("GetObject", "DeleteObject"),
    "connect": (),
    "message": (),
    "disconnect": (),
}
"""Of the same bucket, of recordings. What a signed address allows is what its signer may: hence GetObject."""
SERVICE_ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "api": ("DescribeServices", "UpdateService"),
    "connect": (),
    "message": ("DescribeServices", "UpdateService"),
    "disconnect": ("DescribeServices", "UpdateService"),
}
"""Of the media nodes' ECS service."""
PARAMETERS: Final[dict[str, tuple[str, ...]]] = {
    "api": ("TokenKeysParameter", "TurnSecretParameter"),
    "connect": ("TokenKeysParameter", "NodeKeysParameter"),
    "message": (),
    "disconnect": (),
}
"""The secrets that each function reads."""


def statements(function: str, stage: str) -> list[Statement]:
    """One function's policy."""
    found: list[Statement] = []
    for table, actions in TABLE_ACTIONS[function].items():
        name, _, index = table.partition("/")
        arn: Any = sub("${" + logical_id(name) + ".Arn}/index/*") if index else att(logical_id(name), "Arn")
        found.append(allow([f"dynamodb:{a}" for a in actions], [arn]))
    if OBJECT_ACTIONS[function]:
        objects = sub("${DocumentsBucket.Arn}/snapshots/*")
        found.append(allow([f"s3:{action}" for action in OBJECT_ACTIONS[function]], [objects]))
        # Without it S3 answers 403 where nothing is, and not 404.
        found.append(allow(["s3:ListBucket"], [att("DocumentsBucket", "Arn")]))
    if RECORDING_ACTIONS[function]:
        recorded = [sub("${DocumentsBucket.Arn}/recordings/*"), sub("${DocumentsBucket.Arn}/parts/*")]
        found.append(allow([f"s3:{action}" for action in RECORDING_ACTIONS[function]], recorded))
    connections = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${" + WEBSOCKET_API + "}"
    found.append(
        allow(
            ["execute-api:ManageConnections"],
            [sub(f"{connections}/{STAGE_NAME}/{m}/@connections/*") for m in CONNECTION_METHODS[function]],
        )
    )
    if SERVICE_ACTIONS[function]:
        service = f"service/{media_cluster(stage)}/{MEDIA_SERVICE}"
        arn = sub("arn:${AWS::Partition}:ecs:${AWS::Region}:${AWS::AccountId}:" + service)
        found.append(allow([f"ecs:{action}" for action in SERVICE_ACTIONS[function]], [arn]))
    if PARAMETERS[function]:
        parameter = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter"
        found.append(allow(["ssm:GetParameter"], [sub(f"{parameter}${{{name}}}") for name in PARAMETERS[function]]))
    found.append(allow(["logs:CreateLogStream", "logs:PutLogEvents"], [att(LOGS[function], "Arn")]))
    # X-Ray has no resources to name.
    found.append(allow(["xray:PutTraceSegments", "xray:PutTelemetryRecords"], ["*"]))
    return found


def roles(stage: str) -> Resources:
    """The roles' policies, to be merged over what Chalice writes."""
    return {
        role: {
            "Properties": {
                "Policies": [
                    {
                        "PolicyName": f"holodeck-{function}",
                        "PolicyDocument": {"Version": "2012-10-17", "Statement": statements(function, stage)},
                    }
                ]
            }
        }
        for function, role in ROLES.items()
    }


def allow(actions: list[str], resources: list[Any]) -> Statement:
    """One statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def role(service: str, allowed: list[Statement]) -> Resource:
    """A role of one service of AWS."""
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    policy = {"Version": "2012-10-17", "Statement": allowed}
    properties = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [{"PolicyName": "holodeck", "PolicyDocument": policy}],
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}
