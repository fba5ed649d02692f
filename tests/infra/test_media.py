"""The media nodes' part of the template: nothing without an image, from zero, one port in, no more power than needed."""

from typing import Any

import pytest

from infra.media import NODE_PORT, conditions, media, settings
from infra.media_policies import NODE_ACTIONS, statements
from infra.network import network
from infra.policies import TABLE_ACTIONS


@pytest.fixture
def resources() -> dict[str, Any]:
    """Of dev."""
    return media("dev")


def test_there_is_none_without_an_image(resources: dict[str, Any]) -> None:
    """Each resource has the condition; the network's have theirs."""
    assert {r["Condition"] for r in resources.values()} == set(conditions())
    assert {r["Condition"] for r in network("dev").values()} == {"HasNetwork"}


def test_the_service_begins_with_no_task(resources: dict[str, Any]) -> None:
    """How many are wanted is 0 at first, and then handed on by each deployment: none ends or starts a node by itself."""
    assert resources["MediaService"]["Properties"]["DesiredCount"] == {"Ref": "MediaCount"}
    rolling = resources["MediaService"]["Properties"]["DeploymentConfiguration"]
    assert (rolling["MinimumHealthyPercent"], rolling["MaximumPercent"]) == (100, 200)


def test_scaling_by_cpu_only_raises(resources: dict[str, Any]) -> None:
    """Lowering is for an idle node; two that lower would fight. It may go to zero, and not above NodeMax."""
    tracking = resources["MediaScalingByCpu"]["Properties"]["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["DisableScaleIn"] is True
    target = resources["MediaScaling"]["Properties"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, {"Ref": "NodeMax"})
    assert target["ResourceId"] == "service/holodeck-dev/media"


def test_one_udp_port_is_open(resources: dict[str, Any]) -> None:
    """Nothing else comes in; what goes out is UDP and HTTPS."""
    group = resources["MediaSecurityGroup"]["Properties"]
    (rule,) = group["SecurityGroupIngress"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("udp", NODE_PORT, NODE_PORT)
    assert {(r["IpProtocol"], r["ToPort"]) for r in group["SecurityGroupEgress"]} == {("udp", 65535), ("tcp", 443)}


def test_a_task_is_told_its_port_and_where_everything_is(resources: dict[str, Any]) -> None:
    """The port that is open is the port that it is told; it knows no token key and no TURN secret."""
    told = settings("dev")
    assert told["NODE_PORT"] == str(NODE_PORT)
    assert told["ECS_CLUSTER"] == "holodeck-dev"
    assert not {"TOKEN_KEYS_PARAMETER", "TURN_SECRET_PARAMETER"} & set(told)
    (container,) = resources["MediaTask"]["Properties"]["ContainerDefinitions"]
    assert {pair["Name"]: pair["Value"] for pair in container["Environment"]} == told
    assert container["PortMappings"] == [{"ContainerPort": NODE_PORT, "Protocol": "udp"}]


def test_a_task_can_be_broken_into_little(resources: dict[str, Any]) -> None:
    """Its root is read-only, and it has no capability."""
    (container,) = resources["MediaTask"]["Properties"]["ContainerDefinitions"]
    assert container["ReadonlyRootFilesystem"] is True
    assert container["LinuxParameters"]["Capabilities"] == {"Drop": ["ALL"]}


def test_a_node_writes_its_own_rows_only() -> None:
    """In `media` it changes rows of the registry, and of recordings; which room is whose is not its to change, nor voice."""
    writing = [s for s in statements("dev") if "dynamodb:DeleteItem" in s["Action"]]
    own, recordings = writing
    want = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["recordings", "recordings#*"]}}
    assert recordings["Condition"] == want
    assert own["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["nodes"]}}
    assert own["Resource"] == [{"Fn::GetAtt": ["MediaTable", "Arn"]}]
    assert set(NODE_ACTIONS["media"]) == {"GetItem", "Query", "BatchGetItem"}


def test_a_node_may_no_more_of_documents_than_message() -> None:
    """It commits by the same code as the function `message`, so that it needs what that needs."""
    for table in ("presence", "oplog", "queue", "documents"):
        assert set(NODE_ACTIONS[table]) <= set(TABLE_ACTIONS["message"][table])
    assert "sessions" not in NODE_ACTIONS
    assert "tickets" not in NODE_ACTIONS


def test_nothing_is_allowed_on_everything() -> None:
    """Each statement names its resources, and each action is named."""
    for statement in statements("dev"):
        assert "*" not in statement["Resource"]
        assert not [action for action in statement["Action"] if action.endswith("*")]
