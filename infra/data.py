"""The tables, from the same pynamodb models that the stores use: one source of keys, indexes and TTL."""

from typing import Any, Final

from pynamodb.models import Model

from infra.names import Resource, Resources, att, kept, ref, sub

TTL: Final = "expires_at"
_KEPT: Final = {"sessions", "activity", "oplog", "documents", "media"}
"""Tables whose loss people would notice. The others hold what is gone in a minute."""
PARTS_DAYS: Final = 7
"""What is left of a recording that nobody finished, or that was deleted while it was written."""


def logical_id(table: str) -> str:
    """The template's name of a table."""
    return f"{table.capitalize()}Table"


def tables(models: dict[str, type[Model]], stage: str) -> Resources:
    """One AWS::DynamoDB::Table a model, on demand, encrypted; in prod the lasting ones are kept and can be wound back."""
    return {logical_id(name): _table(name, model, stage) for name, model in models.items()}


def documents_bucket(stage: str) -> Resources:
    """Snapshots of documents, made again from the log if they are lost; recordings, and their parts while they go on.

    Nothing of it is versioned: what people delete is gone. Whoever has a signed address reads from any page: an address is
    the whole permission, no cookie is asked for, and so no origin needs to be known here.
    """
    return {
        "DocumentsBucket": {
            "Type": "AWS::S3::Bucket",
            **kept(stage == "prod"),
            "Properties": {
                **private_bucket(
                    {
                        "Id": "uploads",
                        "Status": "Enabled",
                        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
                    },
                    {"Id": "parts", "Status": "Enabled", "Prefix": "parts/", "ExpirationInDays": PARTS_DAYS},
                ),
                "CorsConfiguration": {
                    "CorsRules": [
                        {
                            "AllowedMethods": ["GET"],
                            "AllowedOrigins": ["*"],
                            "AllowedHeaders": ["range"],
                            "ExposedHeaders": ["Accept-Ranges", "Content-Length", "Content-Range"],
                            "MaxAge": 3600,
                        }
                    ]
                },
            },
        },
        "DocumentsBucketPolicy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {
                "Bucket": ref("DocumentsBucket"),
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [over_tls_only("DocumentsBucket")]},
            },
        },
    }


def private_bucket(*rules: dict[str, Any]) -> dict[str, Any]:
    """The properties that every bucket has: closed to the public, owned by the account, encrypted, with rules of life."""
    return {
        "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        },
        "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
        "LifecycleConfiguration": {"Rules": list(rules)},
    }


def over_tls_only(bucket: str) -> dict[str, Any]:
    """A statement that refuses whatever comes in the clear."""
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [att(bucket, "Arn"), sub("${" + bucket + ".Arn}/*")],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _table(name: str, model: type[Model], stage: str) -> Resource:
    schema: dict[str, Any] = dict(model._get_schema())
    indexes = [
        {"IndexName": i["index_name"], "KeySchema": _keys(i["key_schema"]), "Projection": _projection(i["projection"])}
        for i in schema.get("global_secondary_indexes", [])
    ]
    lasting = name in _KEPT and stage == "prod"
    properties: dict[str, Any] = {
        "TableName": f"holodeck-{stage}-{name}",
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": _keys(schema["key_schema"]),
        "AttributeDefinitions": schema["attribute_definitions"],
        "TimeToLiveSpecification": {"AttributeName": TTL, "Enabled": True},
        "SSESpecification": {"SSEEnabled": False},
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": lasting},
    }
    if indexes:
        properties["GlobalSecondaryIndexes"] = indexes
    return {"Type": "AWS::DynamoDB::Table", **kept(lasting), "Properties": properties}


def _keys(schema: list[dict[str, str]]) -> list[dict[str, str]]:
    """HASH before RANGE, as CloudFormation wants them."""
    return sorted(schema, key=lambda k: k["KeyType"])


def _projection(projection: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in projection.items() if v}
