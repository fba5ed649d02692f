"""The partial template that is merged into what Chalice packages: everything around the functions, by room."""

from typing import Any

from pynamodb.models import Model

from infra import media, turn_host
from infra.alarms import HAS_TOPIC, alarms
from infra.cdn import cdn
from infra.data import documents_bucket, tables
from infra.edge import log_groups, overrides
from infra.identity import identity
from infra.names import HAS_MEDIA, HAS_NETWORK, HAS_TURN, att, ref, sub
from infra.network import network
from infra.policies import roles

STAGES = ("dev", "prod")


def template(stage: str, models: dict[str, type[Model]], routes: dict[str, list[str]]) -> dict[str, Any]:
    """Parameters, conditions, resources and outputs of a stage."""
    return {
        "Description": f"Holodeck, stage {stage}",
        "Parameters": _parameters(stage),
        "Conditions": {
            HAS_TOPIC: {"Fn::Not": [{"Fn::Equals": [ref("AlarmTopicArn"), ""]}]},
            HAS_NETWORK: {"Fn::Or": [{"Condition": HAS_MEDIA}, {"Condition": HAS_TURN}]},
            **media.conditions(),
            **turn_host.conditions(),
        },
        "Resources": {
            **tables(models, stage),
            **documents_bucket(stage),
            **identity(stage),
            **cdn(stage),
            **alarms(list(models), stage),
            **log_groups(stage),
            **roles(stage),
            **overrides(stage, routes),
            **network(stage),
            **media.media(stage),
            **turn_host.turn_host(stage),
        },
        "Outputs": {
            "PageUrl": {"Value": sub("https://${Distribution.DomainName}")},
            "PageBucketName": {"Value": ref("PageBucket")},
            "DistributionId": {"Value": ref("Distribution")},
            "UserPoolId": {"Value": ref("UserPool")},
            "UserPoolClientId": {"Value": ref("UserPoolClient")},
            "PageBucketArn": {"Value": att("PageBucket", "Arn")},
            "TurnAddress": {"Condition": HAS_TURN, "Value": ref("TurnAddress")},
        },
    }


def _parameters(stage: str) -> dict[str, Any]:
    return {
        "OpenGuests": {
            "Type": "String",
            "AllowedValues": ["0", "1"],
            "Default": "0",
            "Description": "1 lets anybody in as a guest without an invite",
        },
        "LogLevel": {"Type": "String", "AllowedValues": ["DEBUG", "INFO", "WARN", "ERROR"], "Default": "INFO"},
        "TokenKeysParameter": {
            "Type": "String",
            "AllowedPattern": r"^/[A-Za-z0-9_./-]+$",
            "Default": f"/holodeck/{stage}/token-keys",
            "Description": "the SSM SecureString with the keys that sign our tokens",
        },
        "TokenKeysVersion": {
            "Type": "String",
            "Default": "0",
            "Description": "the parameter's version, so that functions start anew where it has changed",
        },
        "NodeKeysParameter": {
            "Type": "String",
            "AllowedPattern": r"^/[A-Za-z0-9_./-]+$",
            "Default": f"/holodeck/{stage}/node-keys",
            "Description": "the SSM SecureString with the keys that the media nodes' own tokens are signed with",
        },
        "NodeKeysVersion": {
            "Type": "String",
            "Default": "0",
            "Description": "the parameter's version, so that functions start anew where it has changed",
        },
        "NodeMax": {
            "Type": "Number",
            "Default": "2",
            "MinValue": "0",
            "Description": "how many media nodes' tasks the functions may ask for",
        },
        "StunUrls": {
            "Type": "String",
            "AllowedPattern": r"^(stuns?:[^\s,?]+(,stuns?:[^\s,?]+)*)?$",
            "Default": "stun:stun.cloudflare.com:3478",
            "Description": "STUN servers for the pages, comma-separated stun: URIs; with TurnDomain its own",
        },
        "TurnUrls": {
            "Type": "String",
            "AllowedPattern": r"^(turns?:[^\s,]+(,turns?:[^\s,]+)*)?$",
            "Default": "",
            "Description": "TURN servers for the pages, comma-separated turn: and turns: URIs; they know the TURN secret",
        },
        "TurnSecretParameter": {
            "Type": "String",
            "AllowedPattern": r"^/[A-Za-z0-9_./-]+$",
            "Default": f"/holodeck/{stage}/turn-secret",
            "Description": "the SSM SecureString with the TURN secrets, one a line; read where there is TURN",
        },
        "TurnSecretVersion": {
            "Type": "String",
            "Default": "0",
            "Description": "the parameter's version, so that functions start anew where it has changed",
        },
        "FrameAncestors": {
            "Type": "String",
            "Default": "'self'",
            "Description": "who may embed the page: CSP frame-ancestors",
        },
        "AlarmTopicArn": {
            "Type": "String",
            "Default": "",
            "Description": "an SNS topic for alarms; without one there are none",
        },
        **media.parameters(),
        **turn_host.parameters(),
    }
