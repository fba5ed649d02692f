"""One CloudFormation stack: changed by change sets, waited for, taken away. What fails says why.

A failed update rolls itself back. A stack that could not be made at all can only be taken away: the next try does that first.
"""

import time
from collections.abc import Callable
from typing import Any, Final

from botocore.exceptions import ClientError

_DONE: Final = ("CREATE_COMPLETE", "UPDATE_COMPLETE")
_NEVER_MADE: Final = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED")
_NO_CHANGE: Final = ("didn't contain changes", "No updates")


class Stack:
    """A stack by its name. `cf` is a CloudFormation client."""

    def __init__(self, cf: Any, name: str, say: Callable[[str], None], sleep: Callable[[float], None]) -> None:
        self.name = name
        self._cf = cf
        self._say = say
        self._sleep = sleep

    def exists(self) -> bool:
        """Whether there is one."""
        return self._described() is not None

    def parameters(self) -> dict[str, str]:
        """What the stack was given last; nothing where there is none."""
        found = self._described() or {}
        return {p["ParameterKey"]: p["ParameterValue"] for p in found.get("Parameters", [])}

    def outputs(self) -> dict[str, str]:
        """What the stack tells."""
        found = self._described() or {}
        return {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", [])}

    def apply(self, template_url: str, parameters: dict[str, str], tags: dict[str, str]) -> None:
        """Makes or changes the stack, and waits. RuntimeError, with the reasons, where that failed."""
        status = self._ready()
        change_set = f"deploy-{time.time_ns()}"
        self._cf.create_change_set(
            StackName=self.name,
            ChangeSetName=change_set,
            ChangeSetType="CREATE" if status in {None, "REVIEW_IN_PROGRESS"} else "UPDATE",
            TemplateURL=template_url,
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Tags=[{"Key": k, "Value": v} for k, v in tags.items()],
        )
        if not self._changes(change_set):
            self._say("the stack is as it should be")
            return
        self._cf.execute_change_set(StackName=self.name, ChangeSetName=change_set)
        self._say("the stack is changing; the first time takes about ten minutes ...")
        while (status := self._status() or "DELETE_COMPLETE").endswith("_IN_PROGRESS"):
            self._sleep(5)
        if status not in _DONE:
            raise RuntimeError(self._failure(status))

    def delete(self) -> None:
        """Takes the stack away, and waits. RuntimeError where it would not go."""
        self._cf.delete_stack(StackName=self.name)
        while (status := self._status()) == "DELETE_IN_PROGRESS":
            self._sleep(5)
        if status not in {None, "DELETE_COMPLETE"}:
            raise RuntimeError(self._failure(status))

    def _described(self) -> dict[str, Any] | None:
        try:
            found: dict[str, Any] = self._cf.describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as exc:
            if "does not exist" not in exc.response["Error"].get("Message", ""):
                raise
            return None
        return found

    def _status(self) -> str | None:
        found = self._described()
        return None if found is None else str(found["StackStatus"])

    def _ready(self) -> str | None:
        """The status, once the stack can be changed. RuntimeError where somebody else is changing it."""
        status = self._status()
        if status in _NEVER_MADE:
            self._say("taking away what is left of a stack that could not be made ...")
            self.delete()
            return None
        if status is not None and status != "REVIEW_IN_PROGRESS" and status.endswith("_IN_PROGRESS"):
            raise RuntimeError(f"the stack {self.name} is being changed by somebody else ({status})")
        return status

    def _changes(self, change_set: str) -> bool:
        """Whether the change set, once it is ready, changes anything. RuntimeError where it is refused."""
        while True:
            answer = self._cf.describe_change_set(StackName=self.name, ChangeSetName=change_set)
            if answer["Status"] == "CREATE_COMPLETE":
                return True
            if answer["Status"] == "FAILED":
                break
            self._sleep(2)
        reason = answer.get("StatusReason", "")
        if not any(words in reason for words in _NO_CHANGE):
            raise RuntimeError(f"the change set failed: {reason}")
        self._cf.delete_change_set(StackName=self.name, ChangeSetName=change_set)
        return False

    def _failure(self, status: str | None) -> str:
        events = self._cf.describe_stack_events(StackName=self.name)["StackEvents"]
        failed = [e for e in events if e["ResourceStatus"].endswith("FAILED")][:10]
        lines = [f"  {e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}" for e in failed]
        return "\n".join([f"the stack {self.name} ended as {status}:", *lines])
