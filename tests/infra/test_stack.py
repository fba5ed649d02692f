"""The stack: from every state that it may be found in to one that is right, or to a reason."""

import pytest
from botocore.exceptions import ClientError

from infra.stack import Stack
from tests.infra.cloudformation import CloudFormation, refusal


def stack(cf: CloudFormation) -> Stack:
    """The stack under test."""
    return Stack(cf, "holodeck-dev", lambda _: None, cf.tick)


def apply(cf: CloudFormation) -> None:
    """A deployment of it."""
    stack(cf).apply("https://bucket/t.json", {"OpenGuests": "1"}, {"app": "holodeck"})


@pytest.mark.parametrize("status", [None, "REVIEW_IN_PROGRESS"])
def test_a_stack_that_is_not_there_is_made(status: str | None) -> None:
    """Nothing, or a change set that nobody executed: the stack is created."""
    cf = CloudFormation(status)
    apply(cf)
    assert (cf.status, cf.asked) == ("CREATE_COMPLETE", ["change set to CREATE", "execute"])
    assert (cf.parameters, cf.tags) == ({"OpenGuests": "1"}, {"app": "holodeck"})


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_stack_that_is_there_is_changed(status: str) -> None:
    """Also one whose last change was rolled back."""
    cf = CloudFormation(status)
    apply(cf)
    assert (cf.status, cf.asked) == ("UPDATE_COMPLETE", ["change set to UPDATE", "execute"])


def test_a_stack_that_could_not_be_made_is_taken_away_first() -> None:
    """CloudFormation changes no stack whose creation was rolled back."""
    cf = CloudFormation("ROLLBACK_COMPLETE")
    apply(cf)
    assert cf.asked == ["delete", "change set to CREATE", "execute"]


def test_nothing_is_done_where_nothing_changes() -> None:
    """A repeated deployment leaves the stack, and no change set lies about."""
    cf = CloudFormation("UPDATE_COMPLETE", reason="The submitted information didn't contain changes.")
    apply(cf)
    assert cf.asked == ["change set to UPDATE", "delete the change set"]


def test_a_refused_change_set_says_why() -> None:
    """CloudFormation's reason reaches who deploys."""
    with pytest.raises(RuntimeError, match="the change set failed: no such parameter"):
        apply(CloudFormation("UPDATE_COMPLETE", reason="no such parameter"))


def test_a_failed_change_names_the_resource_and_the_reason() -> None:
    """Of all events only those that failed."""
    cf = CloudFormation("CREATE_COMPLETE", outcome="UPDATE_ROLLBACK_COMPLETE")
    with pytest.raises(RuntimeError, match=r"UPDATE_ROLLBACK_COMPLETE:\n  PageBucket: it is not empty$"):
        apply(cf)


@pytest.mark.parametrize("status", ["UPDATE_IN_PROGRESS", "UPDATE_ROLLBACK_IN_PROGRESS", "DELETE_IN_PROGRESS"])
def test_a_stack_that_somebody_else_is_changing_is_left_alone(status: str) -> None:
    """Two deployments at once: the second one stops."""
    cf = CloudFormation(status)
    with pytest.raises(RuntimeError, match="somebody else"):
        apply(cf)
    assert cf.asked == []


def test_a_stack_that_will_not_go_says_why() -> None:
    """A bucket that is not empty keeps its stack."""
    with pytest.raises(RuntimeError, match="it is not empty"):
        stack(CloudFormation("CREATE_COMPLETE", outcome="DELETE_FAILED")).delete()


def test_other_refusals_are_not_taken_for_absence() -> None:
    """Missing rights must not look like a missing stack."""

    class Denied(CloudFormation):
        def describe_stacks(self, *, StackName: str) -> dict[str, object]:
            raise refusal(f"not authorized to describe {StackName}")

    with pytest.raises(ClientError, match="not authorized"):
        stack(Denied()).exists()
