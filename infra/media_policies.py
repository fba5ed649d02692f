"""What a media node may do, by hand, as infra/policies.py has it of the functions: named actions on named resources."""

from typing import Final

from infra.data import logical_id
from infra.names import MEDIA_SERVICE, STAGE_NAME, WEBSOCKET_API, att, media_cluster, sub
from infra.policies import Statement, allow

REPOSITORY: Final = "holodeck-media"
"""In ECR: the account's own, as the artifact bucket is, for the way back needs older images."""
NODE_ACTIONS: Final[dict[str, tuple[str, ...]]] = {
    "media": ("GetItem", "Query", "BatchGetItem"),
    "presence": ("Query",),
    "oplog": ("Query", "PutItem"),
    "queue": ("Query", "PutItem", "UpdateItem", "BatchWriteItem"),
    "documents": ("Query", "GetItem", "PutItem"),
}
REGISTRY_ACTIONS: Final = ("UpdateItem", "DeleteItem")
"""Of the rows `nodes` in `media` only: which room is whose, the functions write."""
RECORDING_ACTIONS: Final = ("PutItem", "DeleteItem")
"""Of the rows of recordings in `media`, and of the list of those that a node has to do with."""
RECORDING_ROWS: Final = ("recordings", "recordings#*")
RECORDING_OBJECT_ACTIONS: Final = (
    "GetObject",
    "PutObject",
    "DeleteObject",
    "AbortMultipartUpload",
    "ListMultipartUploadParts",
)
NODE_OBJECT_ACTIONS: Final = ("GetObject", "PutObject")
_ACCOUNT: Final = "${AWS::Region}:${AWS::AccountId}"


def service_arn(stage: str) -> dict[str, str]:
    """By its name, so that who may change it does not wait for it."""
    return sub("arn:${AWS::Partition}:ecs:" + f"{_ACCOUNT}:service/{media_cluster(stage)}/{MEDIA_SERVICE}")


def statements(stage: str) -> list[Statement]:
    """A node's policy."""
    found = [
        allow([f"dynamodb:{action}" for action in actions], [att(logical_id(table), "Arn")])
        for table, actions in NODE_ACTIONS.items()
    ]
    own = allow([f"dynamodb:{action}" for action in REGISTRY_ACTIONS], [att(logical_id("media"), "Arn")])
    found.append({**own, "Condition": {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["nodes"]}}})
    rows = allow([f"dynamodb:{action}" for action in RECORDING_ACTIONS], [att(logical_id("media"), "Arn")])
    found.append({**rows, "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": list(RECORDING_ROWS)}}})
    recordings = [sub("${DocumentsBucket.Arn}/recordings/*"), sub("${DocumentsBucket.Arn}/parts/*")]
    found.append(allow([f"s3:{action}" for action in RECORDING_OBJECT_ACTIONS], recordings))
    found.append(allow([f"s3:{action}" for action in NODE_OBJECT_ACTIONS], [sub("${DocumentsBucket.Arn}/snapshots/*")]))
    # Without it S3 answers 403 where nothing is, and not 404.
    found.append(allow(["s3:ListBucket"], [att("DocumentsBucket", "Arn")]))
    posts = "arn:${AWS::Partition}:execute-api:" + f"{_ACCOUNT}:${{{WEBSOCKET_API}}}/{STAGE_NAME}/POST/@connections/*"
    found.append(allow(["execute-api:ManageConnections"], [sub(posts)]))
    keys = "arn:${AWS::Partition}:ssm:" + _ACCOUNT + ":parameter${NodeKeysParameter}"
    found.append(allow(["ssm:GetParameter"], [sub(keys)]))
    found.append(allow(["ecs:DescribeServices", "ecs:UpdateService"], [service_arn(stage)]))
    tasks = "arn:${AWS::Partition}:ecs:" + f"{_ACCOUNT}:task/{media_cluster(stage)}/*"
    found.append(allow(["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"], [sub(tasks)]))
    return found


def execution() -> list[Statement]:
    """What ECS itself does for a task: pulls the image, writes the log."""
    repository = sub("arn:${AWS::Partition}:ecr:" + f"{_ACCOUNT}:repository/{REPOSITORY}")
    pull = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    return [
        allow(["ecr:GetAuthorizationToken"], ["*"]),  # it has no resources to name
        allow(pull, [repository]),
        allow(["logs:CreateLogStream", "logs:PutLogEvents"], [att("MediaLogGroup", "Arn")]),
    ]
