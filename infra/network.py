"""A network for what is not a function: two public subnets, a way to the internet, and nothing that costs by the hour.

Public, because a NAT gateway would cost more at rest than all else in use; what may come in, the security groups say.
DynamoDB and S3 are reached by gateway endpoints, which are free. It is there where media nodes or the TURN server are.
"""

from typing import Any, Final

from infra.names import HAS_NETWORK, Resource, Resources, ref, sub

SUBNETS: Final = ("PublicSubnetA", "PublicSubnetB")
_RANGE: Final = "10.74.0.0/16"


def network(stage: str) -> Resources:
    """Its resources, each with the condition."""
    made: Resources = {
        "Vpc": _made("VPC", CidrBlock=_RANGE, EnableDnsSupport=True, EnableDnsHostnames=True, Tags=_named(stage)),
        "InternetGateway": _made("InternetGateway", Tags=_named(stage)),
        "InternetAttachment": _made("VPCGatewayAttachment", VpcId=ref("Vpc"), InternetGatewayId=ref("InternetGateway")),
        "PublicRoutes": _made("RouteTable", VpcId=ref("Vpc"), Tags=_named(stage)),
        "PublicRoute": {
            **_made(
                "Route",
                RouteTableId=ref("PublicRoutes"),
                DestinationCidrBlock="0.0.0.0/0",
                GatewayId=ref("InternetGateway"),
            ),
            "DependsOn": "InternetAttachment",
        },
    }
    for number, name in enumerate(SUBNETS):
        zone = {"Fn::Select": [number, {"Fn::GetAZs": ""}]}
        block = f"10.74.{number * 16}.0/20"
        made[name] = _made("Subnet", VpcId=ref("Vpc"), CidrBlock=block, AvailabilityZone=zone, Tags=_named(stage))
        made[f"{name}Routes"] = _made(
            "SubnetRouteTableAssociation", SubnetId=ref(name), RouteTableId=ref("PublicRoutes")
        )
    for service in ("dynamodb", "s3"):
        made[f"{service.capitalize()}Endpoint"] = _made(
            "VPCEndpoint",
            VpcId=ref("Vpc"),
            VpcEndpointType="Gateway",
            ServiceName=sub("com.amazonaws.${AWS::Region}." + service),
            RouteTableIds=[ref("PublicRoutes")],
        )
    return made


def security_group(stage: str, name: str, why: str, ingress: list[Resource], egress: list[Resource]) -> Resource:
    """One that lets in exactly `ingress`, each a rule by `port`, and out exactly `egress`."""
    properties = {
        "GroupDescription": why,
        "VpcId": ref("Vpc"),
        "SecurityGroupIngress": ingress,
        "SecurityGroupEgress": egress,
        "Tags": [{"Key": "Name", "Value": f"holodeck-{stage}-{name}"}],
    }
    return {"Type": "AWS::EC2::SecurityGroup", "Properties": properties}


def port(protocol: str, first: int, last: int | None = None, why: str = "") -> Resource:
    """A rule for all addresses. Description characters are few in EC2, so `why` is plain."""
    ends = {"FromPort": first, "ToPort": first if last is None else last}
    return {"IpProtocol": protocol, **ends, "CidrIp": "0.0.0.0/0", "Description": why}


def _made(kind: str, **properties: Any) -> Resource:
    return {"Type": f"AWS::EC2::{kind}", "Condition": HAS_NETWORK, "Properties": properties}


def _named(stage: str) -> list[dict[str, str]]:
    return [{"Key": "Name", "Value": f"holodeck-{stage}"}]
