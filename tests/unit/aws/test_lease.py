"""A lease in an item, over a table of one item in memory. On real tables: tests/contract."""

from typing import Any

from chalicelib.aws.dynamo import ConditionFailed, Item
from chalicelib.aws.lease import LeaseItem


class OneItem:
    """As much of DynamoDB as a lease needs: what it was asked, and an answer."""

    def __init__(self, *answers: ConditionFailed) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def call(self, operation: str, request: dict[str, Any], _type: type[Any]) -> Any:
        """The next answer."""
        self.asked.append((operation, request))
        if self.answers:
            raise self.answers.pop(0)
        return {}


def lease(table: OneItem) -> LeaseItem:
    """In its item."""
    return LeaseItem(table, "queue", {"pk": {"S": "doc_1"}})  # type: ignore[arg-type]


async def test_it_is_taken_by_one_conditional_write() -> None:
    """Which keeps the item past its end, so that who is late learns who had it."""
    table = OneItem()
    assert await lease(table).acquire("one", 5000, 1000) == ("one", 5000)
    ((operation, request),) = table.asked
    assert (operation, request["TableName"], request["Key"]) == ("UpdateItem", "queue", {"pk": {"S": "doc_1"}})
    assert "ConditionExpression" in request
    assert request["ExpressionAttributeValues"][":x"] == {"N": "3605"}


async def test_who_holds_it_is_told() -> None:
    """With the end that was promised."""
    held: Item = {"holder": {"S": "two"}, "until": {"N": "9000"}}
    assert await lease(OneItem(ConditionFailed(held))).acquire("one", 5000, 1000) == ("two", 9000)


async def test_a_holder_that_is_not_named() -> None:
    """It let go at that moment, or the database does not tell: nobody's promise is to be relied on."""
    assert await lease(OneItem(ConditionFailed(None))).acquire("one", 5000, 1000) == ("", 1000)


async def test_renewing_and_letting_go() -> None:
    """One that went to another is not renewed."""
    assert await lease(OneItem()).renew("one", 5000) == "one"
    assert await lease(OneItem(ConditionFailed(None))).renew("one", 5000) == "nobody"
    theirs: Item = {"holder": {"S": "two"}, "until": {"N": "9"}}
    assert await lease(OneItem(ConditionFailed(theirs))).renew("one", 5000) == "two"
    wanted: Item = {"holder": {"S": "one"}, "until": {"N": "9"}, "wanted": {"BOOL": True}}
    assert await lease(OneItem(ConditionFailed(wanted))).renew("one", 5000) == ""
    table = OneItem()
    await lease(table).release()
    assert table.asked == [("DeleteItem", {"TableName": "queue", "Key": {"pk": {"S": "doc_1"}}})]
