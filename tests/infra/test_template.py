"""The packaged, merged template: valid, least-privileged, free at rest, and with every setting that the functions read."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.aws import settings as settings_module
from chalicelib.wire.bodies import ErrorBody
from chalicelib.wire.codes import STATUS, Code
from infra.data import logical_id
from infra.names import FUNCTIONS, ROLES
from infra.package import Package, build
from infra.policies import TABLE_ACTIONS

Template = dict[str, Any]

FREE_AT_REST = {
    "AWS::ApiGatewayV2::Api",
    "AWS::ApiGatewayV2::Deployment",
    "AWS::ApiGatewayV2::Integration",
    "AWS::ApiGatewayV2::Route",
    "AWS::ApiGatewayV2::Stage",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::Function",
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::Cognito::UserPool",
    "AWS::Cognito::UserPoolClient",
    "AWS::DynamoDB::Table",
    "AWS::EC2::InternetGateway",
    "AWS::EC2::Route",
    "AWS::EC2::RouteTable",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::Subnet",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPC",
    "AWS::EC2::VPCEndpoint",  # gateways only
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::ECS::Cluster",
    "AWS::ECS::Service",  # of no tasks
    "AWS::ECS::TaskDefinition",
    "AWS::IAM::Role",
    "AWS::Lambda::Permission",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::S3::BucketPolicy",
    "AWS::Serverless::Api",
    "AWS::Serverless::Function",
}


@pytest.fixture(scope="module", params=["dev", "prod"])
def packaged(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """A stage, packaged without its dependencies: its template is whole."""
    return build(request.param, tmp_path_factory.mktemp(request.param), dependencies=False)


@cache
def _read(path: Path) -> Template:
    template: Template = json.loads(path.read_text())
    return template


@pytest.fixture
def template(packaged: Package) -> Template:
    """The template as CloudFormation gets it."""
    return _read(packaged.template)


def resources(template: Template, kind: str) -> dict[str, Any]:
    """Those of a type."""
    return {n: r["Properties"] for n, r in template["Resources"].items() if r["Type"] == kind}


def statements(template: Template, function: str) -> list[dict[str, Any]]:
    """A function's policy statements."""
    (policy,) = template["Resources"][ROLES[function]]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_cfn_lint_passes(packaged: Package) -> None:
    """The packaged output, not the part that we wrote, is what is linted."""
    lint = str(Path(sys.executable).with_name("cfn-lint"))
    done = subprocess.run([lint, str(packaged.template)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_tables_are_the_models(template: Template) -> None:
    """Each model is a table with its keys, indexes and TTL, and no other table exists."""
    tables = resources(template, "AWS::DynamoDB::Table")
    models = wiring.models()
    assert set(tables) == {logical_id(name) for name in models}
    for name, model in models.items():
        table = tables[logical_id(name)]
        keys = {k["KeyType"]: k["AttributeName"] for k in table["KeySchema"]}
        assert keys["HASH"] == model._hash_keyname
        assert keys.get("RANGE") == model._range_keyname
        assert table["KeySchema"][0]["KeyType"] == "HASH"
        assert {i["IndexName"] for i in table.get("GlobalSecondaryIndexes", [])} == set(model._indexes)
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        named = {a["AttributeName"] for a in table["AttributeDefinitions"]}
        used = {k["AttributeName"] for s in _schemas(table) for k in s}
        assert named == used


def _schemas(table: dict[str, Any]) -> list[list[dict[str, str]]]:
    return [table["KeySchema"], *(i["KeySchema"] for i in table.get("GlobalSecondaryIndexes", []))]


@pytest.mark.parametrize("function", list(FUNCTIONS))
def test_each_function_has_its_own_least_privilege(template: Template, function: str) -> None:
    """A role of its own, named actions on named resources; only X-Ray, which has none, takes a star."""
    props = template["Resources"][FUNCTIONS[function]]["Properties"]
    assert props["Role"] == {"Fn::GetAtt": [ROLES[function], "Arn"]}
    for statement in statements(template, function):
        actions, targets = statement["Action"], statement["Resource"]
        assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action) for action in actions)
        if targets == ["*"]:
            assert all(action.startswith("xray:") for action in actions)
        else:
            assert "*" not in targets


def test_secrets_are_read_by_those_who_need_them(template: Template) -> None:
    """Two functions need the token keys, one of them the nodes', the other the TURN secret; nobody else can read any."""
    read = {
        function: {target["Fn::Sub"].partition(":parameter")[2] for target in statement["Resource"]}
        for function in FUNCTIONS
        for statement in statements(template, function)
        if "ssm:GetParameter" in statement["Action"]
    }
    assert read == {
        "api": {"${TokenKeysParameter}", "${TurnSecretParameter}"},
        "connect": {"${TokenKeysParameter}", "${NodeKeysParameter}"},
    }


def test_no_function_may_scan(template: Template) -> None:
    """No request path scans, so nobody is allowed to."""
    allowed = {action for tables in TABLE_ACTIONS.values() for actions in tables.values() for action in actions}
    assert not allowed & {"Scan", "DeleteTable", "UpdateTable"}


@pytest.mark.parametrize("function", list(FUNCTIONS))
def test_every_setting_is_there(template: Template, function: str) -> None:
    """What chalicelib/aws/settings.py reads is given, but for what only one machine has."""
    source = Path(settings_module.__file__).read_text()
    read = set(re.findall(r'e\.get\("([A-Z_]+)"', source))
    given = set(template["Resources"][FUNCTIONS[function]]["Properties"]["Environment"]["Variables"])
    local_only = {name for name in read if name.startswith("AWS_")} | {
        "TOKEN_KEYS_FILE",
        "NODE_KEYS_FILE",
        "TURN_SECRET_FILE",
        "FILES_URL",
    }
    assert read - local_only <= given


def test_nothing_costs_while_nobody_is_there(template: Template) -> None:
    """Every resource is of a kind that bills by use only, but for what a parameter that is empty by default asks for."""
    asked_for = {"HasTurn", "HasTurnZone", "HasMediaCpuTarget"}
    kinds = {r["Type"] for r in template["Resources"].values() if r.get("Condition") not in asked_for}
    assert kinds <= FREE_AT_REST
    for parameter in ("TurnDomain", "TurnHostedZone", "MediaCpuTarget", "MediaCount"):
        assert template["Parameters"][parameter]["Default"] in {"", 0}
    assert {e["VpcEndpointType"] for e in resources(template, "AWS::EC2::VPCEndpoint").values()} == {"Gateway"}
    for function in resources(template, "AWS::Serverless::Function").values():
        assert "ProvisionedConcurrencyConfig" not in function


def test_every_route_answers_other_methods_with_405(template: Template) -> None:
    """Each path has a mock integration for what no function serves, in our error shape."""
    paths = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["paths"]
    assert paths
    for path, methods in paths.items():
        integration = methods["x-amazon-apigateway-any-method"]["x-amazon-apigateway-integration"]
        answer = integration["responses"]["default"]
        allowed = answer["responseParameters"]["method.response.header.Allow"]
        assert allowed == f"'{', '.join(sorted(m.upper() for m in methods if not m.startswith('x-')))}'", path
        body = json.loads(answer["responseTemplates"]["application/json"])
        assert body["code"] == "method.not_allowed"


def test_api_gateways_own_errors_have_our_shape(template: Template) -> None:
    """Unknown routes, throttling and timeouts are answered as ErrorBody, with the status that the code has."""
    definition = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    responses = definition["x-amazon-apigateway-gateway-responses"]
    assert {"MISSING_AUTHENTICATION_TOKEN", "DEFAULT_4XX", "DEFAULT_5XX", "THROTTLED"} <= set(responses)
    for response in responses.values():
        body = json.loads(response["responseTemplates"]["application/json"])
        assert set(body) == set(ErrorBody.__struct_fields__)
        assert response["statusCode"] == str(STATUS[Code(body["code"])])


def test_a_throttled_request_is_told_when_to_come_back(template: Template) -> None:
    """429 has Retry-After, in seconds, and the same in the body."""
    definition = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]
    throttled = definition["x-amazon-apigateway-gateway-responses"]["THROTTLED"]
    body = json.loads(throttled["responseTemplates"]["application/json"])
    seconds = throttled["responseParameters"]["gatewayresponse.header.Retry-After"].strip("'")
    assert body["retry_after_ms"] == int(seconds) * 1000


def test_the_stage_is_the_only_one_and_throttled(template: Template) -> None:
    """SAM's own second stage is off; both APIs have throttles; requests are logged by route, without what people sent."""
    rest = template["Resources"]["RestAPI"]["Properties"]
    assert rest["OpenApiVersion"] == "2.0"
    assert all(s["ThrottlingRateLimit"] and s["ThrottlingBurstLimit"] for s in rest["MethodSettings"])
    log = json.loads(rest["AccessLogSetting"]["Format"])
    assert "$context.requestId" in log.values()
    assert not {"$context.path", "$context.identity.sourceIp"} & set(log.values())
    (stage,) = resources(template, "AWS::ApiGatewayV2::Stage").values()
    assert stage["DefaultRouteSettings"]["ThrottlingRateLimit"]


def test_stages_do_not_share_a_name(template: Template) -> None:
    """Alarms go by the REST API's name, so that two stages of one account must not have the same."""
    title = template["Resources"]["RestAPI"]["Properties"]["DefinitionBody"]["info"]["title"]
    alarm = template["Resources"]["Api5xx"]["Properties"]["Metrics"][0]["MetricStat"]["Metric"]
    assert {"Name": "ApiName", "Value": title} in alarm["Dimensions"]
    variables = template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    assert title.endswith(variables["STAGE"])


def test_the_buckets_are_closed(template: Template) -> None:
    """None is public, each speaks TLS only, and only CloudFront reads the page."""
    buckets, policies = resources(template, "AWS::S3::Bucket"), resources(template, "AWS::S3::BucketPolicy")
    assert set(buckets) == {"PageBucket", "DocumentsBucket"}
    for name, bucket in buckets.items():
        assert all(bucket["PublicAccessBlockConfiguration"].values())
        denied = [s for s in policies[f"{name}Policy"]["PolicyDocument"]["Statement"] if s["Effect"] == "Deny"]
        assert [s["Condition"] for s in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
    policy = policies["PageBucketPolicy"]
    allowed = [s for s in policy["PolicyDocument"]["Statement"] if s["Effect"] == "Allow"]
    assert {s["Action"] for s in allowed} == {"s3:GetObject", "s3:ListBucket"}
    for statement in allowed:
        assert statement["Principal"] == {"Service": "cloudfront.amazonaws.com"}
        assert "${Distribution}" in statement["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Sub"]


def test_message_functions_outlive_a_broadcaster(template: Template) -> None:
    """Whoever may serve as the room's broadcaster has time for it; nobody has more than an integration."""
    timeouts = {n: template["Resources"][f]["Properties"]["Timeout"] for n, f in FUNCTIONS.items()}
    assert timeouts["message"] == timeouts["disconnect"] == 29
    assert max(timeouts.values()) <= 29


def test_logs_are_json_expire_and_are_each_functions_own(template: Template) -> None:
    """Every function logs JSON to a group that expires, and its role may write to no other."""
    groups = resources(template, "AWS::Logs::LogGroup")
    assert all(group["RetentionInDays"] in {30, 90} for group in groups.values())
    for name, function in FUNCTIONS.items():
        config = template["Resources"][function]["Properties"]["LoggingConfig"]
        assert config["LogFormat"] == "JSON"
        (own,) = (s["Resource"] for s in statements(template, name) if "logs:PutLogEvents" in s["Action"])
        assert own == [{"Fn::GetAtt": [config["LogGroup"]["Ref"], "Arn"]}]
        assert config["LogGroup"]["Ref"] in groups


def test_alarms_are_made_for_somebody(template: Template) -> None:
    """Each alarm is there only if a topic is, since alarms cost at rest."""
    alarms = [r for r in template["Resources"].values() if r["Type"] == "AWS::CloudWatch::Alarm"]
    assert alarms
    assert {r["Condition"] for r in alarms} == {"HasAlarmTopic"}


def test_prod_keeps_what_people_would_miss(template: Template) -> None:
    """In prod tables, pool and page outlive the stack, unless making it failed; in dev nothing does."""
    prod = template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]["STAGE"] == "prod"
    want = "RetainExceptOnCreate" if prod else "Delete"
    for name in ("SessionsTable", "ActivityTable", "UserPool", "PageBucket"):
        assert template["Resources"][name]["DeletionPolicy"] == want
    assert template["Resources"]["PresenceTable"]["DeletionPolicy"] == "Delete"
