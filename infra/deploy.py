"""`python -m infra.deploy --stage dev`: the whole deployment to AWS with one command. `--dry-run` says each step instead.

Every step can be repeated: what is there is kept, what is missing is made, and a failed stack update rolls itself back.
"""

import argparse
import hashlib
import json
import mimetypes
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from infra.package import ROOT, Package, build
from infra.template import STAGES

IMMUTABLE: Final = "public, max-age=31536000, immutable"
NEVER: Final = "no-cache"
_DONE: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


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

    @property
    def keys_parameter(self) -> str:
        """Where the token keys are kept."""
        return self.parameters.get("TokenKeysParameter", f"/holodeck/{self.stage}/token-keys")


class Deployment:
    """The steps. `client` makes boto3 clients, so that tests can point them at an emulator."""

    def __init__(self, target: Target, client: Callable[[str], Any], say: Callable[[str], None]) -> None:
        self._target = target
        self._client = client
        self._say = say

    def ensure_artifacts(self) -> None:
        """The bucket for packages: private, encrypted, old ones expire."""
        s3, bucket = self._client("s3"), self._target.artifacts
        try:
            s3.head_bucket(Bucket=bucket)
            return
        except ClientError as exc:
            if exc.response["Error"]["Code"] not in {"404", "NoSuchBucket"}:
                raise
        where = {"LocationConstraint": self._target.region}
        place = {} if self._target.region == "us-east-1" else {"CreateBucketConfiguration": where}
        s3.create_bucket(Bucket=bucket, **place)
        block = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
        s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(block, True))
        rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 90}}
        s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})
        self._say(f"made the bucket {bucket}")

    def ensure_keys(self) -> None:
        """The key that signs our tokens, made once and never shown."""
        ssm, name = self._client("ssm"), self._target.keys_parameter
        try:
            ssm.get_parameter(Name=name)
            return
        except ssm.exceptions.ParameterNotFound:
            pass
        pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        value = json.dumps({"keys": [{"kid": hashlib.sha256(pem).hexdigest()[:16], "pem": pem.decode()}]})
        ssm.put_parameter(Name=name, Value=value, Type="SecureString", Tier="Standard")
        self._say(f"made the token key {name}")

    def upload(self, package: Package) -> str:
        """The zip and the template that names it, under the zip's own hash. Returns the template's URL."""
        s3, bucket = self._client("s3"), self._target.artifacts
        digest = hashlib.sha256(package.zip.read_bytes()).hexdigest()[:32]
        key = f"{self._target.stack}/{digest}.zip"
        s3.upload_file(str(package.zip), bucket, key)
        template = json.loads(package.template.read_text())
        for resource in template["Resources"].values():
            if resource["Type"] == "AWS::Serverless::Function":
                resource["Properties"]["CodeUri"] = {"Bucket": bucket, "Key": key}
        body = json.dumps(template, sort_keys=True).encode()
        name = f"{self._target.stack}/{hashlib.sha256(body).hexdigest()[:32]}.json"
        s3.put_object(Bucket=bucket, Key=name, Body=body)
        self._say(f"uploaded the package ({package.zip.stat().st_size / 1e6:.1f} MB)")
        return f"https://{bucket}.s3.{self._target.region}.amazonaws.com/{name}"

    def apply(self, template_url: str) -> dict[str, str]:
        """Creates or updates the stack by a change set, waits, and returns its outputs. RuntimeError where it failed."""
        cf, stack = self._client("cloudformation"), self._target.stack
        exists = self._status(cf) not in {None, "REVIEW_IN_PROGRESS"}
        name = f"deploy-{int(time.time())}"
        cf.create_change_set(
            StackName=stack,
            ChangeSetName=name,
            ChangeSetType="UPDATE" if exists else "CREATE",
            TemplateURL=template_url,
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in self._target.parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        if self._change_set_ready(cf, name):
            cf.execute_change_set(StackName=stack, ChangeSetName=name)
            self._say("the stack is changing ...")
            self._wait(cf)
        else:
            self._say("the stack is as it should be")
        described = cf.describe_stacks(StackName=stack)["Stacks"][0]
        return {o["OutputKey"]: o["OutputValue"] for o in described.get("Outputs", [])}

    def publish(self, page: Path, bucket: str, distribution: str) -> None:
        """The page: hashed assets first and for ever, the rest after, index.html last and never cached."""
        s3 = self._client("s3")
        for file, cache in page_files(page):
            kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
            extra = {"CacheControl": cache, "ContentType": kind}
            s3.upload_file(str(file), bucket, str(file.relative_to(page)), ExtraArgs=extra)
        batch = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": str(time.time_ns())}
        self._client("cloudfront").create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
        self._say("published the page")

    def _status(self, cf: Any) -> str | None:
        try:
            status: str = cf.describe_stacks(StackName=self._target.stack)["Stacks"][0]["StackStatus"]
        except ClientError:
            return None
        return status

    def _change_set_ready(self, cf: Any, name: str) -> bool:
        """False: there is nothing to change."""
        while True:
            answer = cf.describe_change_set(StackName=self._target.stack, ChangeSetName=name)
            if answer["Status"] == "CREATE_COMPLETE":
                return True
            if answer["Status"] == "FAILED":
                reason = answer.get("StatusReason", "")
                if "didn't contain changes" in reason or "No updates" in reason:
                    cf.delete_change_set(StackName=self._target.stack, ChangeSetName=name)
                    return False
                raise RuntimeError(f"the change set failed: {reason}")
            time.sleep(2)

    def _wait(self, cf: Any) -> None:
        while (status := self._status(cf) or "DELETED").endswith("_IN_PROGRESS"):
            time.sleep(5)
        if status in _DONE:
            return
        events = cf.describe_stack_events(StackName=self._target.stack)["StackEvents"]
        failed = [e for e in events if e["ResourceStatus"].endswith("FAILED")][:10]
        lines = [f"  {e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}" for e in failed]
        raise RuntimeError("\n".join([f"the stack ended as {status}:", *lines]))


def page_files(page: Path) -> Iterator[tuple[Path, str]]:
    """The page's files in the order that they may be published in, each with its Cache-Control."""
    files = sorted(p for p in page.rglob("*") if p.is_file())
    hashed = [f for f in files if "assets" in f.relative_to(page).parts]
    index = [f for f in files if f.name == "index.html"]
    yield from ((f, IMMUTABLE) for f in hashed)
    yield from ((f, "public, max-age=300") for f in files if f not in hashed and f not in index)
    yield from ((f, NEVER) for f in index)


def plan(target: Target) -> list[str]:
    """What a deployment does, step by step."""
    parameters = ", ".join(f"{k}={v}" for k, v in target.parameters.items()) or "the defaults"
    return [
        f"make the artifact bucket {target.artifacts}, if it is missing",
        f"make the token key {target.keys_parameter} (SSM SecureString), if it is missing",
        "package app.py, chalicelib/ and requirements.txt; upload zip and template",
        f"create or update the stack {target.stack} in {target.region} with {parameters}",
        "build the page, upload it to the stack's bucket (index.html last), invalidate CloudFront",
        "print the page's address",
    ]


def build_page() -> Path:
    """web/dist, made anew."""
    subprocess.run(["npm", "--prefix", str(ROOT / "web"), "run", "--silent", "build"], check=True)  # noqa: S607
    return ROOT / "web" / "dist"


def deploy(deployment: Deployment, package: Package, page: Path) -> str:
    """All steps; returns the page's address."""
    deployment.ensure_artifacts()
    deployment.ensure_keys()
    outputs = deployment.apply(deployment.upload(package))
    deployment.publish(page, outputs["PageBucketName"], outputs["DistributionId"])
    return outputs["PageUrl"]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("--stage", choices=STAGES, default="dev")
    parser.add_argument("--region", default=None, help="default: the profile's")
    parser.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--dry-run", action="store_true", help="package, check and say what would be done")
    return parser.parse_args()


def main() -> None:
    """The command."""
    arguments = _arguments()
    parameters = dict(p.split("=", 1) for p in arguments.parameter)
    package = build(arguments.stage, ROOT / "infra" / "out" / arguments.stage)
    if arguments.dry_run:
        target = Target(arguments.stage, arguments.region or "us-east-1", "000000000000", parameters)
        print("\n".join(f"{n}. {step}" for n, step in enumerate(plan(target), 1)))
        lint = [str(Path(sys.executable).with_name("cfn-lint")), str(package.template)]
        raise SystemExit(subprocess.run(lint, check=False).returncode)
    session = boto3.Session(region_name=arguments.region)
    try:
        account = session.client("sts").get_caller_identity()["Account"]
    except (ClientError, BotoCoreError) as exc:
        raise SystemExit(f"AWS does not know you: {exc}. Set AWS_PROFILE, or credentials and AWS_REGION.") from exc
    target = Target(arguments.stage, session.region_name, account, parameters)
    try:
        url = deploy(Deployment(target, session.client, print), package, build_page())
    except (RuntimeError, ClientError) as exc:
        raise SystemExit(str(exc)) from exc
    print(f"\n  Holodeck is at {url}\n")


if __name__ == "__main__":
    main()
