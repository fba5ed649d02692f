"""A CloudFormation of the tests' own, for moto's change sets know neither outputs nor failures. Its time is `tick`."""

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError


def refusal(message: str) -> ClientError:
    """What botocore raises for a ValidationError."""
    return ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")


@dataclass(slots=True)
class CloudFormation:
    """One stack, or none. `outcome` is how its next change ends; `reason` refuses the next change set."""

    status: str | None = None
    outcome: str = ""
    reason: str = ""
    outputs: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    _kind: str = ""
    _given: dict[str, str] = field(default_factory=dict)

    def tick(self, _seconds: float) -> None:
        """Time passes: whatever is in progress is done."""
        if self.status == "DELETE_IN_PROGRESS":
            self.status = self.outcome or None
        elif self.status in {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS"}:
            self.status = self.outcome or self.status.replace("IN_PROGRESS", "COMPLETE")

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:
        if self.status is None:
            raise refusal(f"Stack with id {StackName} does not exist")
        parameters = [{"ParameterKey": k, "ParameterValue": v} for k, v in self.parameters.items()]
        outputs = [{"OutputKey": k, "OutputValue": v} for k, v in self.outputs.items()]
        return {"Stacks": [{"StackStatus": self.status, "Parameters": parameters, "Outputs": outputs}]}

    def create_change_set(
        self, *, ChangeSetType: str, Parameters: list[dict[str, str]], Tags: list[dict[str, str]], **_: Any
    ) -> None:
        self.asked.append(f"change set to {ChangeSetType}")
        self._kind = ChangeSetType
        self._given = {p["ParameterKey"]: p["ParameterValue"] for p in Parameters}
        self.tags = {t["Key"]: t["Value"] for t in Tags}
        if ChangeSetType == "CREATE":
            self.status = "REVIEW_IN_PROGRESS"

    def describe_change_set(self, **_: Any) -> dict[str, str]:
        return {"Status": "FAILED", "StatusReason": self.reason} if self.reason else {"Status": "CREATE_COMPLETE"}

    def execute_change_set(self, **_: Any) -> None:
        self.asked.append("execute")
        self.parameters = self._given
        self.status = f"{self._kind}_IN_PROGRESS"

    def delete_change_set(self, **_: Any) -> None:
        self.asked.append("delete the change set")

    def delete_stack(self, **_: Any) -> None:
        self.asked.append("delete")
        self.status = "DELETE_IN_PROGRESS"

    def describe_stack_events(self, **_: Any) -> dict[str, Any]:
        why = {"LogicalResourceId": "PageBucket", "ResourceStatusReason": "it is not empty"}
        return {
            "StackEvents": [
                {"ResourceStatus": "DELETE_FAILED", **why},
                {"ResourceStatus": "UPDATE_COMPLETE", "LogicalResourceId": "Other"},
            ]
        }
