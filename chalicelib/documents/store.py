"""The log in DynamoDB, through the lean client.

Table `oplog`: PK document_id, SK revision (N) of the first record in the item. An item holds the records of one
append, as JSON. The put is conditional on the revision being free, and only who knows the whole log up to there tries
it: so the revisions have no gaps and no two meanings. Nothing is ever changed or deleted while the document lives.
"""

from typing import Any, Final

import msgspec

from chalicelib.aws.dynamo import ConditionFailed, Dynamo, Item
from chalicelib.documents.model import Record

_records: Final = msgspec.json.Decoder(tuple[Record, ...])


class _S(msgspec.Struct):
    s: str = msgspec.field(name="S")


class _N(msgspec.Struct):
    n: str = msgspec.field(name="N")


class _Item(msgspec.Struct):
    revision: _N
    records: _S


class _Page(msgspec.Struct):
    items: list[_Item] = msgspec.field(name="Items")
    last: dict[str, Any] | None = msgspec.field(name="LastEvaluatedKey", default=None)


class _Key(msgspec.Struct):
    revision: _N


class _Keys(msgspec.Struct):
    items: list[_Key] = msgspec.field(name="Items")


class LogStore:
    """The OpLog that is real."""

    def __init__(self, dynamo: Dynamo, table_prefix: str) -> None:
        self._dynamo = dynamo
        self._table = f"{table_prefix}oplog"

    async def append(self, document_id: str, records: tuple[Record, ...]) -> bool:
        """One conditional put. An answer that was lost is asked for again, and then says "taken": the caller looks."""
        item = {
            "document_id": {"S": document_id},
            "revision": {"N": str(records[0].revision)},
            "records": {"S": msgspec.json.encode(records).decode()},
        }
        request = {
            "TableName": self._table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(revision)",
        }
        try:
            await self._dynamo.call("PutItem", request, dict)
        except ConditionFailed:
            return False
        return True

    async def since(self, document_id: str, revision: int, limit: int, *, boundary: bool = False) -> tuple[Record, ...]:
        """From the item that the next record is in; an answer of DynamoDB ends at 1 MB, so it is asked on."""
        found: list[Record] = []
        first = revision + 1 if boundary else await self._item_with(document_id, revision + 1)
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "document_id=:d AND revision>=:r",
            "ExpressionAttributeValues": {":d": {"S": document_id}, ":r": {"N": str(first)}},
            "ConsistentRead": True,
            "Limit": limit,
        }
        while len(found) < limit:
            page = await self._dynamo.call("Query", request, _Page)
            for item in page.items:
                found += (r for r in _records.decode(item.records.s) if r.revision > revision)
            if page.last is None:
                break
            request["ExclusiveStartKey"] = page.last
        return tuple(found[:limit])

    async def before(self, document_id: str, revision: int, limit: int) -> tuple[Record, ...]:
        """Newest first, from the item that the record just before a revision is in; at least one if there is one."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "document_id=:d AND revision<:r",
            "ExpressionAttributeValues": {":d": {"S": document_id}, ":r": {"N": str(revision)}},
            "ConsistentRead": True,
            "ScanIndexForward": False,
            "Limit": limit,
        }
        page = await self._dynamo.call("Query", request, _Page)
        found = [r for item in page.items for r in reversed(_records.decode(item.records.s)) if r.revision < revision]
        return tuple(found[:limit])

    async def erase(self, document_id: str) -> None:
        """Removes a log, the oldest first, so that what is left is still one when this is interrupted and repeated."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "document_id=:d",
            "ExpressionAttributeValues": {":d": {"S": document_id}},
            "ProjectionExpression": "revision",
            "Limit": 25,  # of one BatchWriteItem
        }
        while True:
            page = await self._dynamo.call("Query", request, _Keys)
            if not page.items:
                return
            keys: list[Item] = [
                {"document_id": {"S": document_id}, "revision": {"N": item.revision.n}} for item in page.items
            ]
            await self._dynamo.delete_all(self._table, keys)

    async def _item_with(self, document_id: str, revision: int) -> int:
        """The first revision of the item that a revision is in, or would be."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "document_id=:d AND revision<=:r",
            "ExpressionAttributeValues": {":d": {"S": document_id}, ":r": {"N": str(revision)}},
            "ConsistentRead": True,
            "ScanIndexForward": False,
            "Limit": 1,
            "ProjectionExpression": "revision,records",
        }
        page = await self._dynamo.call("Query", request, _Page)
        return int(page.items[0].revision.n) if page.items else revision
