"""What somebody should be woken for. Free of charge up to ten alarms, then about ten cents a month each."""

from typing import Any

from infra.data import logical_id
from infra.names import FUNCTIONS, STAGE_NAME, WEBSOCKET_API, Resource, Resources, ref, sub


def alarms(tables: list[str]) -> Resources:
    """Errors, throttles and slowness of each function; API 5xx; throttled tables; broken WebSocket integrations."""
    found: Resources = {}
    for name, function in FUNCTIONS.items():
        dimensions = {"FunctionName": ref(function)}
        title = name.capitalize()
        found[f"{title}Errors"] = _alarm("AWS/Lambda", "Errors", dimensions, threshold=5)
        found[f"{title}Throttles"] = _alarm("AWS/Lambda", "Throttles", dimensions, threshold=1)
    found["ApiSlow"] = _alarm(
        "AWS/Lambda", "Duration", {"FunctionName": ref(FUNCTIONS["api"])}, threshold=3000, statistic="p99"
    )
    rest = {"ApiName": "holodeck", "Stage": STAGE_NAME}
    found["Api5xx"] = _alarm("AWS/ApiGateway", "5XXError", rest, threshold=5)
    socket = {"ApiId": ref(WEBSOCKET_API), "Stage": STAGE_NAME}
    found["WebsocketErrors"] = _alarm("AWS/ApiGateway", "IntegrationError", socket, threshold=5)
    for table in tables:
        dimensions = {"TableName": ref(logical_id(table))}
        found[f"{table.capitalize()}Throttled"] = _alarm(
            "AWS/DynamoDB", "WriteThrottleEvents", dimensions, threshold=10
        )
    return found


def _alarm(
    namespace: str, metric: str, dimensions: dict[str, Any], *, threshold: int, statistic: str = "Sum"
) -> Resource:
    which = {"Statistic": statistic} if statistic == "Sum" else {"ExtendedStatistic": statistic}
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": sub("${AWS::StackName}: " + f"{namespace} {metric}"),
            "Namespace": namespace,
            "MetricName": metric,
            "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
            **which,
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": {"Fn::If": ["HasAlarmTopic", [ref("AlarmTopicArn")], ref("AWS::NoValue")]},
        },
    }
