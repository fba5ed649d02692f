"""What somebody should be woken for. An alarm costs about ten cents a month, so without a topic to tell there are none."""

from typing import Any

from infra.data import logical_id
from infra.edge import rest_name
from infra.names import FUNCTIONS, STAGE_NAME, WEBSOCKET_API, Resource, Resources, ref, sub

HAS_TOPIC = "HasAlarmTopic"
_SLOW_MS = {"api": 3000, "connect": 3000}
"""The others may serve as a room's broadcaster, and then last as long as they may."""


def alarms(tables: list[str], stage: str) -> Resources:
    """Errors, throttles and slowness of each function; API 5xx; throttled tables; broken WebSocket integrations."""
    found: Resources = {}
    for name, function in FUNCTIONS.items():
        dimensions = {"FunctionName": ref(function)}
        title = name.capitalize()
        found[f"{title}Errors"] = _alarm("AWS/Lambda", ["Errors"], dimensions, threshold=5)
        found[f"{title}Throttles"] = _alarm("AWS/Lambda", ["Throttles"], dimensions, threshold=1)
        if name in _SLOW_MS:
            slow = _alarm("AWS/Lambda", ["Duration"], dimensions, threshold=_SLOW_MS[name], statistic="p99")
            found[f"{title}Slow"] = slow
    rest = {"ApiName": rest_name(stage), "Stage": STAGE_NAME}
    found["Api5xx"] = _alarm("AWS/ApiGateway", ["5XXError"], rest, threshold=5)
    socket = {"ApiId": ref(WEBSOCKET_API), "Stage": STAGE_NAME}
    found["WebsocketErrors"] = _alarm("AWS/ApiGateway", ["IntegrationError", "ExecutionError"], socket, threshold=5)
    for table in tables:
        throttles = ["ReadThrottleEvents", "WriteThrottleEvents"]
        dimensions = {"TableName": ref(logical_id(table))}
        found[f"{table.capitalize()}Throttled"] = _alarm("AWS/DynamoDB", throttles, dimensions, threshold=10)
    return found


def _alarm(
    namespace: str, metrics: list[str], dimensions: dict[str, Any], *, threshold: int, statistic: str = "Sum"
) -> Resource:
    """Five minutes in which the metrics together reach the threshold."""
    pairs = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    stats = [
        {
            "Id": f"m{n}",
            "ReturnData": False,
            "MetricStat": {
                "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": pairs},
                "Period": 300,
                "Stat": statistic,
            },
        }
        for n, metric in enumerate(metrics)
    ]
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Condition": HAS_TOPIC,
        "Properties": {
            "AlarmDescription": sub("${AWS::StackName}: " + f"{namespace} {' + '.join(metrics)}"),
            "Metrics": [*stats, {"Id": "total", "Expression": "SUM(METRICS())", "ReturnData": True}],
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [ref("AlarmTopicArn")],
        },
    }
