"""The deployment's steps against moto: what is missing is made, what is there is kept, secrets are not shown."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.peers.turn import parse_secrets
from infra.deploy import parse_parameters, plan, rehearse
from infra.deployment import Deployment, Target
from infra.image import Image
from infra.package import Package
from infra.page import IMMUTABLE, NEVER, answers, content_type, page_files
from tests.infra.cloudformation import CloudFormation

TARGET = Target("dev", "eu-west-1", "123456789012", {"OpenGuests": "1"})


_SET_BY_DEPLOY = (
    "TokenKeysVersion",
    "NodeKeysVersion",
    "TurnSecretVersion",
    "MediaImage",
    "MediaArchitecture",
    "MediaCount",
)


class House:
    """A deployment to moto, and what it said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.tasks: list[str] = []
        self.released: list[dict[str, Any]] = []
        self.session = boto3.Session(region_name="eu-west-1")
        self.cloudformation = CloudFormation(outputs={"PageUrl": "https://page", "PageBucketName": "page"})
        self.deployment = self.to(TARGET)

    def to(self, target: Target) -> Deployment:
        """A deployment to another target in the same account."""
        return Deployment(target, self.client, self.said.append, self.cloudformation.tick)

    def client(self, service: str) -> Any:
        """moto's, but for CloudFormation, and for what moto does not know of ECS: a service's tasks, protected."""
        if service == "cloudformation":
            return self.cloudformation
        made: Any = self.session.client(service)
        if service == "ecs":
            made.list_tasks = lambda **_: {"taskArns": self.tasks}
            made.update_task_protection = lambda **asked: self.released.append(asked)
        return made


def make_package(folder: Path, *, name: str = "one", resources: dict[str, Any] | None = None) -> Package:
    """A small package: a topic instead of an application."""
    package = Package(folder / f"{name}.json", folder / f"{name}.zip")
    package.zip.write_bytes(name.encode())
    topic = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": name}}}
    guests = {"Type": "String", "Default": "0", "AllowedValues": ["0", "1"]}
    template = {
        "Parameters": {
            "OpenGuests": guests,
            **{key: {"Type": "String", "Default": "0"} for key in _SET_BY_DEPLOY},
        },
        "Resources": topic if resources is None else resources,
    }
    package.template.write_text(json.dumps(template))
    return package


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """An empty account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    with mock_aws():
        yield House()


def test_keys_are_made_once_and_not_shown(house: House) -> None:
    """The token key is a SecureString in the documented shape; a second deployment keeps it; nothing prints it."""
    house.deployment.ensure_keys()
    ssm = house.session.client("ssm")
    first = ssm.get_parameter(Name="/holodeck/dev/token-keys", WithDecryption=True)["Parameter"]
    house.deployment.ensure_keys()
    second = ssm.get_parameter(Name="/holodeck/dev/token-keys", WithDecryption=True)["Parameter"]
    assert (first["Type"], first["Value"]) == ("SecureString", second["Value"])
    (key,) = json.loads(first["Value"])["keys"]
    assert key["pem"].startswith("-----BEGIN PRIVATE KEY-----")
    assert not any(key["pem"][40:80] in line for line in house.said)


def test_the_turn_secret_is_made_once_and_not_shown(house: House) -> None:
    """A SecureString of one line that the functions and the TURN server take; another version is a change of the stack."""
    house.deployment.ensure_keys()
    house.deployment.ensure_keys()
    found = house.session.client("ssm").get_parameter(Name="/holodeck/dev/turn-secret", WithDecryption=True)[
        "Parameter"
    ]
    assert (found["Type"], found["Version"]) == ("SecureString", 1)
    (secret,) = parse_secrets(found["Value"])
    assert secret not in "".join(house.said)
    house.deployment.apply("https://bucket/t.json")
    assert house.cloudformation.parameters["TurnSecretVersion"] == "1"


def test_a_deployment_ends_no_media_node(house: House) -> None:
    """As many tasks are wanted after it as before: that their number is 0 at first is for the first time only."""
    house.deployment.hand_on_media(None)
    ecs = house.session.client("ecs")
    ecs.create_cluster(clusterName="holodeck-dev")
    house.deployment.hand_on_media(None)
    house.deployment.apply("https://bucket/t.json")
    assert house.cloudformation.parameters["MediaCount"] == "0"
    container = {"name": "media", "image": "x", "memory": 512}
    ecs.register_task_definition(family="media", containerDefinitions=[container])
    ecs.create_service(cluster="holodeck-dev", serviceName="media", taskDefinition="media", desiredCount=2)
    house.deployment.hand_on_media(None)
    house.deployment.apply("https://bucket/t.json")
    assert house.cloudformation.parameters["MediaCount"] == "2"


def test_the_stack_is_told_the_image_and_its_processor(house: House) -> None:
    """What was published is what the task runs, and a deployment without Docker keeps it."""
    house.deployment.hand_on_media(lambda: Image("repository@sha256:1", "ARM64"))
    house.deployment.apply("https://bucket/t.json")
    later = house.to(TARGET)
    later.remember_parameters({"OpenGuests", *_SET_BY_DEPLOY})
    later.hand_on_media(None)
    later.apply("https://bucket/t.json")
    told = house.cloudformation.parameters
    assert house.released == []
    assert (told["MediaImage"], told["MediaArchitecture"]) == ("repository@sha256:1", "ARM64")


def test_nodes_of_an_older_image_do_not_hold_a_deployment_up(house: House) -> None:
    """Their protection is taken away, so that each ends when its successor runs; the same image leaves them alone."""
    ecs = house.session.client("ecs")
    ecs.create_cluster(clusterName="holodeck-dev")
    container = {"name": "media", "image": "x", "memory": 512}
    ecs.register_task_definition(family="media", containerDefinitions=[container])
    ecs.create_service(cluster="holodeck-dev", serviceName="media", taskDefinition="media", desiredCount=0)
    house.tasks = [f"arn:task/{number}" for number in range(12)]
    for uri in ("r@sha256:1", "r@sha256:1", "r@sha256:2"):
        house.deployment.hand_on_media(lambda uri=uri: Image(uri, "ARM64"))  # type: ignore[misc]
    asked = [call["tasks"] for call in house.released]
    assert asked == [house.tasks[:10], house.tasks[10:]]
    assert {call["protectionEnabled"] for call in house.released} == {False}


def test_other_keys_are_another_version(house: House) -> None:
    """Changing the token keys changes the stack, so that no container goes on with the old ones."""
    house.deployment.ensure_keys()
    ssm = house.session.client("ssm")
    ssm.put_parameter(Name="/holodeck/dev/token-keys", Value="{}", Type="SecureString", Overwrite=True)
    house.deployment.ensure_keys()
    house.deployment.apply("https://bucket/t.json")
    assert house.cloudformation.parameters["TokenKeysVersion"] == "2"


def test_the_artifact_bucket_is_private_and_kept(house: House) -> None:
    """The bucket for packages is made once, closed to the public."""
    house.deployment.ensure_artifacts()
    house.deployment.ensure_artifacts()
    s3 = house.session.client("s3")
    block = s3.get_public_access_block(Bucket=TARGET.artifacts)["PublicAccessBlockConfiguration"]
    assert all(block.values())
    assert len(house.said) == 1


def test_packages_are_kept_for_the_way_back(house: House) -> None:
    """No rule expires a package: rolling back to it would fail without its zip."""
    house.deployment.ensure_artifacts()
    s3 = house.session.client("s3")
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=TARGET.artifacts)


@mock_aws(config={"iam": {"load_aws_managed_policies": True}})
def test_api_gateway_may_log_once_a_deployment_was_made() -> None:
    """The account's role for access logs is made where there is none, and whatever role is there is kept."""
    house = House()
    house.deployment.ensure_gateway_logs()
    gateway = house.session.client("apigateway")
    made = gateway.get_account()["cloudwatchRoleArn"]
    attached = house.session.client("iam").list_attached_role_policies(RoleName="holodeck-api-gateway-logs")
    assert [p["PolicyName"] for p in attached["AttachedPolicies"]] == ["AmazonAPIGatewayPushToCloudWatchLogs"]
    theirs = made.replace("holodeck", "theirs")
    gateway.update_account(patchOperations=[{"op": "replace", "path": "/cloudwatchRoleArn", "value": theirs}])
    house.deployment.ensure_gateway_logs()
    assert gateway.get_account()["cloudwatchRoleArn"] == theirs


def test_the_uploaded_template_names_the_uploaded_zip(house: House, tmp_path: Path) -> None:
    """Code is addressed by its hash, so that a change of code is a change of the stack."""
    house.deployment.ensure_artifacts()
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "./deployment.zip"}}
    url = house.deployment.upload(make_package(tmp_path, resources={"F": function}))
    s3 = house.session.client("s3")
    key = url.partition(".amazonaws.com/")[2]
    template = json.loads(s3.get_object(Bucket=TARGET.artifacts, Key=key)["Body"].read())
    code = template["Resources"]["F"]["Properties"]["CodeUri"]
    assert s3.get_object(Bucket=code["Bucket"], Key=code["Key"])["Body"].read() == b"one"


def test_cloudformation_takes_what_it_is_given(house: House, tmp_path: Path) -> None:
    """moto's CloudFormation, which reads the template from S3 and makes what is in it, twice."""
    house.deployment.ensure_artifacts()
    real = Deployment(TARGET, house.session.client, house.said.append)
    for name in ("one", "two"):
        real.apply(real.upload(make_package(tmp_path, name=name)))
        sns = house.session.client("sns")
        (topic,) = sns.list_topics()["Topics"]
        assert sns.get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]["DisplayName"] == name


def test_the_whole_deployment_twice(house: House, tmp_path: Path) -> None:
    """All steps in one go, ending at the page's address; a second one makes nothing anew."""
    page = tmp_path / "page"
    page.mkdir()
    (page / "index.html").write_text("hello")
    s3 = house.session.client("s3")
    s3.create_bucket(Bucket="page", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    house.cloudformation.outputs["DistributionId"] = make_distribution(house)
    role = {"op": "replace", "path": "/cloudwatchRoleArn", "value": "arn:aws:iam::123456789012:role/logs"}
    house.session.client("apigateway").update_account(patchOperations=[role])
    assert house.deployment.deploy(make_package(tmp_path), page) == "https://page"
    assert s3.get_object(Bucket="page", Key="index.html")["Body"].read() == b"hello"
    house.said.clear()
    house.to(TARGET).deploy(make_package(tmp_path), page)
    assert not [line for line in house.said if line.startswith("made")]


def test_what_was_set_stays_set(house: House, tmp_path: Path) -> None:
    """A deployment that says nothing of a parameter keeps the value of the one before."""
    house.deployment.ensure_artifacts()
    house.deployment.apply(house.deployment.upload(make_package(tmp_path, name="one")))
    silent = house.to(replace(TARGET, parameters={}))
    silent.remember_parameters({"OpenGuests"})
    silent.apply(silent.upload(make_package(tmp_path, name="two")))
    assert house.cloudformation.parameters == {"OpenGuests": "1"}


def test_a_parameter_that_nobody_knows_is_refused(house: House) -> None:
    """A misspelt parameter stops the deployment before anything is made."""
    with pytest.raises(RuntimeError, match="no parameter OpenGuests; there are LogLevel"):
        house.deployment.remember_parameters({"LogLevel"})


def test_a_stage_is_removed_with_every_version_of_its_page(house: House) -> None:
    """Removing empties the page's bucket, old versions too, and takes the stack away."""
    s3 = house.session.client("s3")
    s3.create_bucket(Bucket="page", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_bucket_versioning(Bucket="page", VersioningConfiguration={"Status": "Enabled"})
    for body in (b"old", b"new"):
        s3.put_object(Bucket="page", Key="index.html", Body=body)
    house.cloudformation.status = "CREATE_COMPLETE"
    house.deployment.remove()
    assert not s3.list_object_versions(Bucket="page").get("Versions")
    with pytest.raises(RuntimeError, match="there is no stack holodeck-dev"):
        house.deployment.remove()


def test_the_page_is_published_index_last(house: House, tmp_path: Path) -> None:
    """Assets go first and are cached for ever; index.html goes last and is not, so nobody sees half a page."""
    for name in ("index.html", "assets/app-1a2b.js", "vendor/rapidoc-min.js"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    order = [(str(f.relative_to(tmp_path)), cache) for f, cache in page_files(tmp_path)]
    assert order[0] == ("assets/app-1a2b.js", IMMUTABLE)
    assert order[-1] == ("index.html", NEVER)
    s3 = house.session.client("s3")
    s3.create_bucket(Bucket="page", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    house.deployment.publish(tmp_path, "page", make_distribution(house))
    head = s3.head_object(Bucket="page", Key="index.html")
    assert (head["CacheControl"], head["ContentType"]) == (NEVER, "text/html; charset=utf-8")


def make_distribution(house: House) -> str:
    """A CloudFront distribution."""
    origin = {"Id": "page", "DomainName": "page.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config = {
        "CallerReference": "x",
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "page", "ViewerProtocolPolicy": "allow-all"},
    }
    made = house.session.client("cloudfront").create_distribution(DistributionConfig=config)
    distribution: str = made["Distribution"]["Id"]
    return distribution


@pytest.mark.parametrize("name", ["a.js", "a.css", "a.html", "a.woff2", "a.wasm", "a.svg"])
def test_what_browsers_will_not_guess_is_said(name: str) -> None:
    """The page is served with nosniff, so each kind of file in it has its type."""
    assert content_type(Path(name)) != "application/octet-stream"


def test_a_page_that_answers_late_is_waited_for() -> None:
    """Both addresses are tried again until they answer."""
    replies = {"https://x/": iter([0, 403, 200]), "https://x/api/health": iter([200])}
    slept: list[float] = []
    assert answers("https://x", get=lambda url: next(replies[url]), sleep=slept.append) == {}
    assert slept == [5.0, 5.0]


def test_a_function_that_does_not_answer_is_told() -> None:
    """What never answers 200 is named with what it says instead."""
    wrong = answers("https://x", get=lambda url: 503 if "api" in url else 200, sleep=lambda _: None)
    assert wrong == {"https://x/api/health": 503}


def test_the_plan_names_what_it_will_touch(tmp_path: Path) -> None:
    """A dry run says the bucket, the key, the stack and the settings."""
    (tmp_path / "page").mkdir()
    text = "\n".join(plan(TARGET, make_package(tmp_path), tmp_path / "page"))
    for part in (
        "holodeck-artifacts-123456789012-eu-west-1",
        "/holodeck/dev/token-keys",
        "holodeck-dev",
        "OpenGuests=1",
    ):
        assert part in text


@pytest.mark.parametrize(("name", "value"), [("OpenGuest", "1"), ("OpenGuests", "yes")])
def test_a_dry_run_finds_a_wrong_parameter(tmp_path: Path, name: str, value: str) -> None:
    """Names and values that the stack would refuse are refused offline."""
    assert rehearse(replace(TARGET, parameters={name: value}), make_package(tmp_path)) == 2


def test_parameters_are_names_and_values() -> None:
    """A value may hold an equals sign; a name without a value is refused."""
    assert parse_parameters(["A=1", "B=x=y"]) == {"A": "1", "B": "x=y"}
    with pytest.raises(SystemExit, match="NAME=VALUE"):
        parse_parameters(["A"])
