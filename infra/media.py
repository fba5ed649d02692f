"""The media nodes: an ECS service on Fargate, from zero. Without an image (parameter MediaImage) there is none of it.

A task is one process on one core with one UDP port open to the world, a public address of its own, and no other way in. It
needs no load balancer, certificate or NAT gateway, so that a service of no tasks costs nothing.

Who owns `desiredCount` (docs/adr/0008): the functions raise it, from 0 when a room first needs a relay and by one where all
nodes are full, to at most NodeMax; a node that has had no room for NODE_IDLE_S lowers it by one and ends; a deployment hands
on what it finds (parameter MediaCount). Target tracking, where MediaCpuTarget asks for it, may raise it too, and never
lowers it. Busy nodes are protected from scaling in, so it is the idle one that goes.
"""

from typing import Any, Final

from infra.edge import settings as functions_settings
from infra.media_policies import execution, statements
from infra.names import (
    HAS_MEDIA,
    MEDIA_SERVICE,
    Resource,
    Resources,
    att,
    media_cluster,
    ref,
)
from infra.network import SUBNETS, port, security_group
from infra.policies import role

HAS_CPU_TARGET: Final = "HasMediaCpuTarget"
NODE_PORT: Final = 40000
"""The UDP port of a task."""
STOP_S: Final = 30
"""Between SIGTERM and the kill: DRAIN_S, and some."""


def media(stage: str) -> Resources:
    """Cluster, task, service, roles, what they may reach, and scaling; each with its condition."""
    made = {
        "MediaCluster": _resource("AWS::ECS::Cluster", ClusterName=media_cluster(stage)),
        "MediaLogGroup": _resource(
            "AWS::Logs::LogGroup",
            LogGroupName=f"/holodeck/{stage}/media",
            RetentionInDays=90 if stage == "prod" else 30,
        ),
        "MediaSecurityGroup": security_group(
            stage,
            "media",
            "Media nodes: WebRTC by UDP in, WebRTC and AWS out",
            [port("udp", NODE_PORT, why="WebRTC")],
            [port("udp", 0, 65535, "WebRTC"), port("tcp", 443, why="AWS, and the WebSocket")],
        ),
        "MediaTaskRole": role("ecs-tasks.amazonaws.com", statements(stage)),
        "MediaExecutionRole": role("ecs-tasks.amazonaws.com", execution()),
        "MediaTask": _task(stage),
        "MediaService": _service(stage),
        **_scaling(stage),
    }
    return {name: {"Condition": HAS_MEDIA, **resource} for name, resource in made.items()}


def settings(stage: str) -> dict[str, Any]:
    """A node's environment: of the functions' what it needs too, and its port. Its address it finds out."""
    functions = functions_settings(stage)
    shared = (
        "STAGE",
        "TABLE_PREFIX",
        "DOCUMENTS_BUCKET",
        "CONNECTIONS_ENDPOINT",
        "WEBSOCKET_URL",
        "NODE_KEYS_PARAMETER",
        "NODE_KEYS_VERSION",
        "ECS_SERVICE",
        "LOG_LEVEL",
    )
    return {
        **{name: functions[name] for name in shared},
        "ECS_CLUSTER": media_cluster(stage),
        "NODE_PORT": str(NODE_PORT),
        "POWERTOOLS_SERVICE_NAME": "media",
    }


def _task(stage: str) -> Resource:
    log = {
        "awslogs-group": ref("MediaLogGroup"),
        "awslogs-region": ref("AWS::Region"),
        "awslogs-stream-prefix": "node",
        "mode": "non-blocking",  # a node never waits for a log
    }
    container = {
        "Name": MEDIA_SERVICE,
        "Image": ref("MediaImage"),
        "Essential": True,
        "PortMappings": [{"ContainerPort": NODE_PORT, "Protocol": "udp"}],
        "Environment": [{"Name": name, "Value": value} for name, value in settings(stage).items()],
        "ReadonlyRootFilesystem": True,
        "LinuxParameters": {"InitProcessEnabled": True, "Capabilities": {"Drop": ["ALL"]}},
        "StopTimeout": STOP_S,
        "LogConfiguration": {"LogDriver": "awslogs", "Options": log},
    }
    return _resource(
        "AWS::ECS::TaskDefinition",
        Family=f"holodeck-{stage}-media",
        RequiresCompatibilities=["FARGATE"],
        NetworkMode="awsvpc",
        Cpu="1024",
        Memory="2048",
        RuntimePlatform={"OperatingSystemFamily": "LINUX", "CpuArchitecture": ref("MediaArchitecture")},
        TaskRoleArn=att("MediaTaskRole", "Arn"),
        ExecutionRoleArn=att("MediaExecutionRole", "Arn"),
        ContainerDefinitions=[container],
    )


def _service(stage: str) -> Resource:
    network = {
        "AssignPublicIp": "ENABLED",
        "Subnets": [ref(name) for name in SUBNETS],
        "SecurityGroups": [ref("MediaSecurityGroup")],
    }
    service = _resource(
        "AWS::ECS::Service",
        ServiceName=MEDIA_SERVICE,
        Cluster=ref("MediaCluster"),
        TaskDefinition=ref("MediaTask"),
        LaunchType="FARGATE",
        DesiredCount=ref("MediaCount"),
        NetworkConfiguration={"AwsvpcConfiguration": network},
        DeploymentConfiguration={
            "MinimumHealthyPercent": 100,
            "MaximumPercent": 200,
            "DeploymentCircuitBreaker": {"Enable": True, "Rollback": True},
        },
        EnableECSManagedTags=True,
        PropagateTags="SERVICE",
    )
    # Its tasks need the way out, and tables and roles, before they start.
    return {**service, "DependsOn": ["PublicRoute", "MediaTaskRole"]}


def _scaling(stage: str) -> Resources:
    """One more way up, by CPU. It costs an alarm or two, so it is there only where it is asked for."""
    target = _resource(
        "AWS::ApplicationAutoScaling::ScalableTarget",
        ServiceNamespace="ecs",
        ScalableDimension="ecs:service:DesiredCount",
        ResourceId=f"service/{media_cluster(stage)}/{MEDIA_SERVICE}",
        MinCapacity=0,
        MaxCapacity=ref("NodeMax"),
    )
    tracking = {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        "TargetValue": ref("MediaCpuTarget"),
        "ScaleOutCooldown": 60,
        "DisableScaleIn": True,
    }
    policy = _resource(
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        PolicyName=f"holodeck-{stage}-media-cpu",
        PolicyType="TargetTrackingScaling",
        ScalingTargetId=ref("MediaScaling"),
        TargetTrackingScalingPolicyConfiguration=tracking,
    )
    return {
        "MediaScaling": {**target, "Condition": HAS_CPU_TARGET, "DependsOn": "MediaService"},
        "MediaScalingByCpu": {**policy, "Condition": HAS_CPU_TARGET},
    }


def _resource(kind: str, **properties: Any) -> Resource:
    return {"Type": kind, "Properties": properties}


def parameters() -> dict[str, Any]:
    """The template's parameters for it."""
    return {
        "MediaImage": {
            "Type": "String",
            "Default": "",
            "Description": "the media node's image in ECR; make deploy builds it. Without one nothing relays",
        },
        "MediaArchitecture": {
            "Type": "String",
            "AllowedValues": ["X86_64", "ARM64"],
            "Default": "X86_64",
            "Description": "the processor that the image is for; make deploy sets it",
        },
        "MediaCount": {
            "Type": "Number",
            "MinValue": 0,
            "Default": 0,
            "Description": "how many tasks are wanted at this moment; make deploy hands on what is there",
        },
        "MediaCpuTarget": {
            "Type": "Number",
            "MinValue": 0,
            "MaxValue": 100,
            "Default": 0,
            "Description": "percent of CPU above which one more task is started (about 60); 0: the functions alone decide",
        },
    }


def conditions() -> dict[str, Any]:
    """The template's conditions for it."""
    wanted = {"Fn::Not": [{"Fn::Equals": [ref("MediaCpuTarget"), "0"]}]}
    return {
        HAS_MEDIA: {"Fn::Not": [{"Fn::Equals": [ref("MediaImage"), ""]}]},
        HAS_CPU_TARGET: {"Fn::And": [{"Condition": HAS_MEDIA}, wanted]},
    }
