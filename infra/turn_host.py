"""The TURN server: one small arm64 instance with an address that stays, kept at one by an autoscaling group.

Why an instance and not Fargate is docs/adr/0009. It boots Debian, whose coturn the tests run; `turn_refresh.sh` then fetches
its address, secrets and certificate, at boot and every hour. Nobody logs in: there is no SSH. Its log is on the instance's
console (`aws ec2 get-console-output`). All of it is there only where TurnDomain is given, for it costs by the hour.
"""

from pathlib import Path
from typing import Any, Final

from infra.names import HAS_TURN, Resource, Resources, att, ref, sub
from infra.network import SUBNETS, port, security_group
from infra.policies import Statement, allow, role
from infra.turn import RELAY_PORTS, STUN_PORT, TLS_PORT, Turn, stun_url, turn_urls, without_secrets

HAS_ZONE: Final = "HasTurnZone"
DOMAIN: Final = "${TurnDomain}"
REFRESH: Final = Path(__file__).with_name("turn_refresh.sh")
_IMAGE: Final = "resolve:ssm:/aws/service/debian/release/12/latest/arm64"
_ACCOUNT: Final = "${AWS::Region}:${AWS::AccountId}"
_PACKAGES: Final = "awscli ca-certificates certbot coturn curl openssl unattended-upgrades"
_UNIT: Final = """[Service]
AmbientCapabilities=CAP_NET_BIND_SERVICE
LimitNOFILE=65536
Restart=always
StandardOutput=journal+console
"""
_TIMER: Final = """[Timer]
OnBootSec=1h
OnUnitActiveSec=1h
[Install]
WantedBy=timers.target
"""
_ONCE: Final = """[Service]
Type=oneshot
ExecStart=/usr/local/sbin/holodeck-turn
StandardOutput=journal+console
"""


def turn_host(stage: str) -> Resources:
    """Address, group, role, record; each with its condition."""
    name = f"holodeck-{stage}-turn"
    made: Resources = {
        "TurnAddress": {
            "Type": "AWS::EC2::EIP",
            "DependsOn": "InternetAttachment",
            "Properties": {"Domain": "vpc", "Tags": _tags(name)},
        },
        "TurnSecurityGroup": security_group(
            stage,
            "turn",
            "TURN: STUN and TURN in, relayed and own traffic out",
            [
                port("udp", STUN_PORT, why="STUN and TURN"),
                port("tcp", STUN_PORT, why="TURN"),
                port("tcp", TLS_PORT, why="TURN by TLS"),
                port("udp", *RELAY_PORTS, why="what it relays"),
                port("tcp", 80, why="the certificate authority"),
            ],
            [
                port("udp", 0, 65535, "what it relays"),
                port("tcp", 443, why="AWS and the certificate authority"),
                port("tcp", 80, why="packages"),
            ],
        ),
        "TurnRole": role("ec2.amazonaws.com", statements(name)),
        "TurnProfile": {"Type": "AWS::IAM::InstanceProfile", "Properties": {"Roles": [ref("TurnRole")]}},
        "TurnTemplate": _template(name),
        "TurnGroup": _group(name),
        "TurnRecord": {
            "Type": "AWS::Route53::RecordSet",
            "Condition": HAS_ZONE,
            "Properties": {
                "HostedZoneId": ref("TurnHostedZone"),
                "Name": ref("TurnDomain"),
                "Type": "A",
                "TTL": "60",
                "ResourceRecords": [ref("TurnAddress")],
            },
        },
    }
    return {key: {"Condition": HAS_TURN, **resource} for key, resource in made.items()}


def statements(name: str) -> list[Statement]:
    """The instance's policy: take the address, read the secret."""
    ec2 = "arn:${AWS::Partition}:ec2:" + _ACCOUNT
    ours = {"StringEquals": {"aws:ResourceTag/Name": name}}
    address = allow(["ec2:AssociateAddress"], [sub(ec2 + ":elastic-ip/${TurnAddress.AllocationId}")])
    to = allow(["ec2:AssociateAddress"], [sub(ec2 + ":instance/*"), sub(ec2 + ":network-interface/*")])
    secret = "arn:${AWS::Partition}:ssm:" + _ACCOUNT + ":parameter${TurnSecretParameter}"
    return [address, {**to, "Condition": ours}, allow(["ssm:GetParameter"], [sub(secret)])]


def boot() -> str:
    """The user data, with CloudFormation's variables in it."""
    turn = Turn(DOMAIN, "", "/etc/holodeck/cert.pem", "/etc/holodeck/key.pem")
    files = {
        "/etc/holodeck/turn.env": "\n".join(
            (
                "REGION=${AWS::Region}",
                f"DOMAIN={DOMAIN}",
                "ALLOCATION_ID=${TurnAddress.AllocationId}",
                "PUBLIC_IP=${TurnAddress}",
                "SECRET_PARAMETER=${TurnSecretParameter}",
                "",
            )
        ),
        "/etc/holodeck/turnserver.conf.in": without_secrets(turn) + "\n",
        "/usr/local/sbin/holodeck-turn": REFRESH.read_text().replace("${", "${!"),
        "/etc/systemd/system/coturn.service.d/holodeck.conf": _UNIT,
        "/etc/systemd/system/holodeck-turn.service": _ONCE,
        "/etc/systemd/system/holodeck-turn.timer": _TIMER,
    }
    lines = [
        "#!/bin/bash",
        "set -euo pipefail",
        "export DEBIAN_FRONTEND=noninteractive",
        "mkdir -p /etc/holodeck /etc/systemd/system/coturn.service.d",
        # The package would start a server that is open to all.
        "ln -sf /dev/null /etc/systemd/system/coturn.service",
        "apt-get update -qq",
        f"apt-get install -y -qq --no-install-recommends {_PACKAGES}",
        "rm /etc/systemd/system/coturn.service",
        *(f"cat >{path} <<'HOLODECK'\n{text}HOLODECK" for path, text in files.items()),
        "chmod 755 /usr/local/sbin/holodeck-turn",
        "systemctl daemon-reload",
        "systemctl enable coturn holodeck-turn.timer",
        "for pause in 5 15 30 60 120; do holodeck-turn && break || sleep $pause; done",
        "systemctl start holodeck-turn.timer",
    ]
    return "\n".join(lines) + "\n"


def _template(name: str) -> Resource:
    interface = {
        "DeviceIndex": 0,
        "AssociatePublicIpAddress": True,  # until it has taken its own, by way of this one
        "Groups": [ref("TurnSecurityGroup")],
        "DeleteOnTermination": True,
    }
    disk = {"VolumeType": "gp3", "VolumeSize": 8, "Encrypted": True, "DeleteOnTermination": True}
    data = {
        "ImageId": _IMAGE,
        "InstanceType": ref("TurnInstanceType"),
        "IamInstanceProfile": {"Arn": att("TurnProfile", "Arn")},
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"},
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": disk}],
        "NetworkInterfaces": [interface],
        "UserData": {"Fn::Base64": sub(boot())},
        "TagSpecifications": [
            {"ResourceType": kind, "Tags": _tags(name)} for kind in ("instance", "network-interface", "volume")
        ],
    }
    return {"Type": "AWS::EC2::LaunchTemplate", "Properties": {"LaunchTemplateName": name, "LaunchTemplateData": data}}


def _group(name: str) -> Resource:
    template = {"LaunchTemplateId": ref("TurnTemplate"), "Version": att("TurnTemplate", "LatestVersionNumber")}
    return {
        "Type": "AWS::AutoScaling::AutoScalingGroup",
        "DependsOn": "PublicRoute",
        # There is one address, so the old one goes before the new one comes: half a minute, in which pages restart ICE.
        "UpdatePolicy": {"AutoScalingRollingUpdate": {"MinInstancesInService": 0, "MaxBatchSize": 1}},
        "Properties": {
            "AutoScalingGroupName": name,
            "MinSize": "1",
            "MaxSize": "1",
            "DesiredCapacity": "1",
            "HealthCheckType": "EC2",
            "VPCZoneIdentifier": [ref(subnet) for subnet in SUBNETS],
            "LaunchTemplate": template,
            "Tags": [{"Key": "Name", "Value": name, "PropagateAtLaunch": True}],
        },
    }


def _tags(name: str) -> list[dict[str, str]]:
    return [{"Key": "Name", "Value": name}]


def stun() -> dict[str, str]:
    """STUN_URLS of a stack with this server."""
    return sub(stun_url(DOMAIN))


def turn() -> dict[str, str]:
    """TURN_URLS."""
    return sub(turn_urls(DOMAIN))


def parameters() -> dict[str, Any]:
    """The template's parameters for it."""
    return {
        "TurnDomain": {
            "Type": "String",
            "AllowedPattern": r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+)?$",
            "Default": "",
            "Description": "the TURN server's domain, such as turn.example.org. Without one there is no TURN server",
        },
        "TurnHostedZone": {
            "Type": "String",
            "AllowedPattern": "^[A-Z0-9]*$",
            "Default": "",
            "Description": "the Route 53 zone that TurnDomain is in; without one, point the domain to the output TurnAddress",
        },
        "TurnInstanceType": {
            "Type": "String",
            "AllowedPattern": r"^[a-z]+[0-9]+g[a-z]*\.[a-z0-9]+$",
            "Default": "t4g.micro",
            "Description": "an arm64 instance type",
        },
    }


def conditions() -> dict[str, Any]:
    """The template's conditions for it."""
    has = {"Fn::Not": [{"Fn::Equals": [ref("TurnDomain"), ""]}]}
    zone = {"Fn::Not": [{"Fn::Equals": [ref("TurnHostedZone"), ""]}]}
    return {HAS_TURN: has, HAS_ZONE: {"Fn::And": [{"Condition": HAS_TURN}, zone]}}
