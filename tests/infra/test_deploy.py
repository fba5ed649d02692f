"""The deployment's steps against moto: what is missing is made, what is there is kept, secrets are not shown."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from infra.deploy import IMMUTABLE, NEVER, Deployment, Target, page_files, plan
from infra.package import Package

TARGET = Target("dev", "eu-west-1", "123456789012", {"OpenGuests": "1"})


class House:
    """A deployment to moto, and what it said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.session = boto3.Session(region_name="eu-west-1")
        self.deployment = Deployment(TARGET, self.session.client, self.said.append)


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


def test_the_artifact_bucket_is_private_and_kept(house: House) -> None:
    """The bucket for packages is made once, closed to the public."""
    house.deployment.ensure_artifacts()
    house.deployment.ensure_artifacts()
    s3 = house.session.client("s3")
    block = s3.get_public_access_block(Bucket=TARGET.artifacts)["PublicAccessBlockConfiguration"]
    assert all(block.values())
    assert len(house.said) == 1


def test_the_uploaded_template_names_the_uploaded_zip(house: House, tmp_path: Path) -> None:
    """Code is addressed by its hash, so that a change of code is a change of the stack."""
    house.deployment.ensure_artifacts()
    package = Package(tmp_path / "t.json", tmp_path / "d.zip")
    package.zip.write_bytes(b"code")
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": "./deployment.zip"}}
    package.template.write_text(json.dumps({"Resources": {"F": function}}))
    url = house.deployment.upload(package)
    s3 = house.session.client("s3")
    key = url.partition(".amazonaws.com/")[2]
    template = json.loads(s3.get_object(Bucket=TARGET.artifacts, Key=key)["Body"].read())
    code = template["Resources"]["F"]["Properties"]["CodeUri"]
    assert s3.get_object(Bucket=code["Bucket"], Key=code["Key"])["Body"].read() == b"code"


def test_a_stack_is_made_then_updated(house: House) -> None:
    """The first deployment creates the stack, the next changes it. (moto gives change sets' stacks no outputs.)"""
    s3 = house.session.client("s3")
    house.deployment.ensure_artifacts()
    for name in ("one", "two"):
        template = {
            "Parameters": {"OpenGuests": {"Type": "String"}},
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": name}}},
        }
        s3.put_object(Bucket=TARGET.artifacts, Key="t.json", Body=json.dumps(template))
        url = f"https://{TARGET.artifacts}.s3.eu-west-1.amazonaws.com/t.json"
        assert house.deployment.apply(url) == {}
        (topic,) = house.session.client("sns").list_topics()["Topics"]
        attributes = house.session.client("sns").get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
        assert attributes["DisplayName"] == name


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
    cloudfront = house.session.client("cloudfront")
    origin = {"Id": "page", "DomainName": "page.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config = {
        "CallerReference": "x",
        "Comment": "",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {"TargetOriginId": "page", "ViewerProtocolPolicy": "allow-all"},
    }
    made = cloudfront.create_distribution(DistributionConfig=config)
    house.deployment.publish(tmp_path, "page", made["Distribution"]["Id"])
    head = s3.head_object(Bucket="page", Key="index.html")
    assert (head["CacheControl"], head["ContentType"]) == (NEVER, "text/html")


def test_the_plan_names_what_it_will_touch() -> None:
    """A dry run says the bucket, the key, the stack and the settings."""
    text = "\n".join(plan(TARGET))
    for part in (
        "holodeck-artifacts-123456789012-eu-west-1",
        "/holodeck/dev/token-keys",
        "holodeck-dev",
        "OpenGuests=1",
    ):
        assert part in text
