"""The steps of a deployment to AWS. Each can be repeated: what is there is kept, what is missing is made.

Packages are never deleted, because the way back to an earlier deployment needs its zip.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.image import Image
from infra.names import MEDIA_SERVICE, media_cluster
from infra.package import Package
from infra.page import publish
from infra.stack import Stack

_GATEWAY_ROLE: Final = "holodeck-api-gateway-logs"
_GATEWAY_POLICY: Final = "arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where to."""

    stage: str
    region: str
    account: str
    parameters: dict[str, str]

    @property
    def stack(self) -> str:
        """The stack's name."""
        return f"holodeck-{self.stage}"

    @property
    def artifacts(self) -> str:
        """The bucket that packages are uploaded to."""
        return f"holodeck-artifacts-{self.account}-{self.region}"

    def keys_parameter(self, whose: str) -> str:
        """Where the keys are kept that sign our tokens ("Token"), or the media nodes' ("Node")."""
        return self.parameters.get(f"{whose}KeysParameter", f"/holodeck/{self.stage}/{whose.lower()}-keys")

    @property
    def turn_secret_parameter(self) -> str:
        """Where the secret is kept that TURN credentials are signed with."""
        return self.parameters.get("TurnSecretParameter", f"/holodeck/{self.stage}/turn-secret")


class Deployment:
    """`client` makes boto3 clients, so that tests can point them at an emulator."""

    def __init__(
        self,
        target: Target,
        client: Callable[[str], Any],
        say: Callable[[str], None],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._target = target
        self._client = client
        self._say = say
        self._sleep = sleep
        self._stack = Stack(client("cloudformation"), target.stack, say, sleep)

    def deploy(self, package: Package, page: Path, image: Callable[[], Image] | None = None) -> str:
        """All steps; returns the page's address. RuntimeError where the stack failed.

        `image` publishes the media node's; without it the one that is deployed stays, if there is one.
        """
        self.remember_parameters(set(json.loads(package.template.read_text())["Parameters"]))
        self.ensure_artifacts()
        self.ensure_keys()
        self.ensure_gateway_logs()
        self.hand_on_media(image)
        outputs = self.apply(self.upload(package))
        self.publish(page, outputs["PageBucketName"], outputs["DistributionId"])
        return outputs["PageUrl"]

    def remember_parameters(self, known: set[str]) -> None:
        """What an earlier deployment was given holds until another value is. RuntimeError for a parameter nobody knows."""
        unknown = sorted(set(self._target.parameters) - known)
        if unknown:
            raise RuntimeError(f"there is no parameter {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        kept = {key: value for key, value in self._stack.parameters().items() if key in known}
        self._target = replace(self._target, parameters={**kept, **self._target.parameters})

    def ensure_artifacts(self) -> None:
        """The bucket for packages: private, and this account's own."""
        s3, bucket = self._client("s3"), self._target.artifacts
        try:
            s3.head_bucket(Bucket=bucket, ExpectedBucketOwner=self._target.account)
            return
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
                raise
        where = {"LocationConstraint": self._target.region}
        place = {} if self._target.region == "us-east-1" else {"CreateBucketConfiguration": where}
        s3.create_bucket(Bucket=bucket, **place)
        block = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(block, True))
        self._say(f"made the bucket {bucket}")

    def ensure_keys(self) -> None:
        """The keys that sign our tokens and the media nodes' own, and the TURN secret; made once and never shown.

        Another version of one is a change of the stack.
        """
        for whose in ("Token", "Node"):
            self._ensure(self._target.keys_parameter(whose), f"{whose}KeysVersion", new_keys)
        self._ensure(self._target.turn_secret_parameter, "TurnSecretVersion", new_secret)

    def _ensure(self, name: str, version_parameter: str, new: Callable[[], str]) -> None:
        ssm = self._client("ssm")
        try:
            version = ssm.get_parameter(Name=name)["Parameter"]["Version"]
        except ssm.exceptions.ParameterNotFound:
            version = ssm.put_parameter(Name=name, Value=new(), Type="SecureString", Tier="Standard")["Version"]
            self._say(f"made {name}")
        self._set(**{version_parameter: str(version)})

    def hand_on_media(self, image: Callable[[], Image] | None) -> None:
        """The image, if there is to be another one, and as many nodes as are wanted now: a deployment ends none."""
        before = self._target.parameters.get("MediaImage", "")
        if image is not None:
            made = image()
            self._set(MediaImage=made.uri, MediaArchitecture=made.architecture)
        if before and self._target.parameters["MediaImage"] != before:
            self._release_nodes()
        self._set(MediaCount=str(self._nodes_wanted()))

    def _nodes_wanted(self) -> int:
        ecs = self._client("ecs")
        try:
            found = ecs.describe_services(cluster=media_cluster(self._target.stage), services=[MEDIA_SERVICE])
        except ecs.exceptions.ClusterNotFoundException:
            return 0
        return sum(int(s["desiredCount"]) for s in found["services"] if s["status"] == "ACTIVE")

    def _release_nodes(self) -> None:
        """Busy nodes are protected from ending, for up to an hour: those of an older image would hold the deployment up.

        Each is told to end only when its successor runs, and hands its rooms over.
        """
        ecs, cluster = self._client("ecs"), media_cluster(self._target.stage)
        try:
            tasks = ecs.list_tasks(cluster=cluster, serviceName=MEDIA_SERVICE)["taskArns"]
        except (ecs.exceptions.ClusterNotFoundException, ecs.exceptions.ServiceNotFoundException):
            return
        for first in range(0, len(tasks), 10):
            ecs.update_task_protection(cluster=cluster, tasks=tasks[first : first + 10], protectionEnabled=False)

    def _set(self, **parameters: str) -> None:
        self._target = replace(self._target, parameters={**self._target.parameters, **parameters})

    def ensure_gateway_logs(self) -> None:
        """The role that lets API Gateway write access logs: one for the account, so no stack may own it."""
        gateway, iam = self._client("apigateway"), self._client("iam")
        if gateway.get_account().get("cloudwatchRoleArn"):
            return
        try:
            role = iam.create_role(RoleName=_GATEWAY_ROLE, AssumeRolePolicyDocument=json.dumps(_TRUST))
        except iam.exceptions.EntityAlreadyExistsException:
            role = iam.get_role(RoleName=_GATEWAY_ROLE)
        iam.attach_role_policy(RoleName=_GATEWAY_ROLE, PolicyArn=_GATEWAY_POLICY)
        change = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role["Role"]["Arn"]}
        for seconds in (5, 10, 20, 0):  # a new role is not known everywhere at once
            try:
                gateway.update_account(patchOperations=[change])
                break
            except ClientError:
                if not seconds:
                    raise
                self._sleep(seconds)
        self._say(f"made the role {_GATEWAY_ROLE}")

    def upload(self, package: Package) -> str:
        """The zip and the template that names it, under the zip's own hash. Returns the template's URL."""
        s3, bucket = self._client("s3"), self._target.artifacts
        digest = hashlib.sha256(package.zip.read_bytes()).hexdigest()[:32]
        key = f"{self._target.stack}/{digest}.zip"
        owner = {"ExpectedBucketOwner": self._target.account}
        s3.upload_file(str(package.zip), bucket, key, ExtraArgs=owner)
        template = json.loads(package.template.read_text())
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
        body = json.dumps(template, sort_keys=True).encode()
        name = f"{self._target.stack}/{hashlib.sha256(body).hexdigest()[:32]}.json"
        s3.put_object(Bucket=bucket, Key=name, Body=body, **owner)
        self._say(f"uploaded the package ({package.zip.stat().st_size / 1e6:.1f} MB)")
        return f"https://{bucket}.s3.{self._target.region}.amazonaws.com/{name}"

    def apply(self, template_url: str) -> dict[str, str]:
        """Makes or changes the stack and returns its outputs. RuntimeError where it failed."""
        self._stack.apply(template_url, self._target.parameters, {"app": "holodeck", "stage": self._target.stage})
        return self._stack.outputs()

    def publish(self, page: Path, bucket: str, distribution: str) -> None:
        """Uploads the page and lets CloudFront forget the last one."""
        files = publish(page, bucket, self._client("s3"))
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())}
        self._client("cloudfront").create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
        self._say(f"published the page ({files} files)")

    def remove(self) -> None:
        """Takes the stack away, and with it what its stage does not keep. RuntimeError where it would not go."""
        if not self._stack.exists():
            raise RuntimeError(f"there is no stack {self._target.stack}")
        bucket = self._stack.outputs().get("PageBucketName")
        if self._target.stage != "prod" and bucket:
            self._empty(bucket)
        self._stack.delete()
        self._say(f"removed the stack {self._target.stack}")

    def _empty(self, bucket: str) -> None:
        s3 = self._client("s3")
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            versions = [{"Key": v["Key"], "VersionId": v["VersionId"]} for v in found]
            if versions:
                s3.delete_objects(Bucket=bucket, Delete={"Objects": versions, "Quiet": True})


def new_keys() -> str:
    """One new key in the document that chalicelib/aws/keys.py reads."""
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return json.dumps({"keys": [{"kid": hashlib.sha256(pem).hexdigest()[:16], "pem": pem.decode()}]})


def new_secret() -> str:
    """One line of what chalicelib/peers/turn.py and the TURN server read."""
    return secrets.token_urlsafe(48)
