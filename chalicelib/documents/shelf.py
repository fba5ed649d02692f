"""Documents, milestones and pointers to snapshots in DynamoDB, through the lean client.

Table `documents`: PK pk, SK sk. A session's list: pk = session id, sk = `doc#<document>`. Of one document: pk = document id,
sk = `about`, `milestone#<revision>#<id>`, `snapshot#<revision>`; revisions are zero-padded, so that they sort.
"""

from collections.abc import AsyncIterator
from typing import Any, Final, TypeVar

import msgspec

from chalicelib.aws.dynamo import Dynamo
from chalicelib.documents.model import Pointer
from chalicelib.wire.documents import Milestone, SharedDocument

T = TypeVar("T")

_ABOUT: Final = "about"


class _S(msgspec.Struct):
    s: str = msgspec.field(name="S")


class _Item(msgspec.Struct):
    sk: _S
    body: _S


class _Page(msgspec.Struct):
    items: list[_Item] = msgspec.field(name="Items")
    last: dict[str, Any] | None = msgspec.field(name="LastEvaluatedKey", default=None)


class _Answer(msgspec.Struct):
    item: _Item | None = msgspec.field(name="Item", default=None)


class ShelfStore:
    """The Shelf that is real."""

    def __init__(self, dynamo: Dynamo, table_prefix: str) -> None:
        self._dynamo = dynamo
        self._table = f"{table_prefix}documents"

    async def document(self, document_id: str) -> SharedDocument | None:
        """What a document is; None: there is none (or it is a scene)."""
        request = {"TableName": self._table, "Key": _key(document_id, _ABOUT), "ConsistentRead": True}
        answer = await self._dynamo.call("GetItem", request, _Answer)
        return msgspec.json.decode(answer.item.body.s, type=SharedDocument) if answer.item else None

    async def documents(self, session_id: str) -> tuple[SharedDocument, ...]:
        """A session's, oldest first."""
        found = [item async for item in self._each(session_id, "doc#", SharedDocument)]
        return tuple(sorted(found, key=lambda d: (d.created_at_ms, d.document_id)))

    async def add(self, document: SharedDocument) -> None:
        """The document, then its place in the list."""
        await self._put(document.document_id, _ABOUT, document)
        await self._put(document.session_id, f"doc#{document.document_id}", document)

    async def drop(self, document: SharedDocument) -> None:
        """Out of the list, then itself; what belongs to it is for `erase`."""
        await self._delete(document.session_id, f"doc#{document.document_id}")
        await self._delete(document.document_id, _ABOUT)

    async def milestones(self, document_id: str) -> tuple[Milestone, ...]:
        """Newest revision first."""
        found = [item async for item in self._each(document_id, "milestone#", Milestone)]
        return tuple(reversed(found))

    async def add_milestone(self, milestone: Milestone) -> None:
        """Adds one."""
        sk = f"milestone#{milestone.revision:016d}#{milestone.milestone_id}"
        await self._put(milestone.document_id, sk, milestone)

    async def pointer(self, document_id: str, revision: int) -> Pointer | None:
        """Of the newest snapshot at or before a revision."""
        request = {
            **self._query(document_id, ""),
            "KeyConditionExpression": "pk=:p AND sk BETWEEN :a AND :b",
            "ExpressionAttributeValues": {
                ":p": {"S": document_id},
                ":a": {"S": "snapshot#"},
                ":b": {"S": f"snapshot#{revision:016d}"},
            },
            "ScanIndexForward": False,
            "Limit": 1,
        }
        page = await self._dynamo.call("Query", request, _Page)
        return msgspec.json.decode(page.items[0].body.s, type=Pointer) if page.items else None

    async def add_pointer(self, document_id: str, pointer: Pointer) -> None:
        """Adds one; the object is there before."""
        await self._put(document_id, f"snapshot#{pointer.revision:016d}", pointer)

    async def erase(self, document_id: str) -> tuple[Pointer, ...]:
        """Removes all of a document's items; the pointers that were there."""
        pointers = [item async for item in self._each(document_id, "snapshot#", Pointer)]
        for pointer in pointers:
            await self._delete(document_id, f"snapshot#{pointer.revision:016d}")
        for milestone in await self.milestones(document_id):
            await self._delete(document_id, f"milestone#{milestone.revision:016d}#{milestone.milestone_id}")
        return tuple(pointers)

    async def _put(self, pk: str, sk: str, body: msgspec.Struct) -> None:
        item = {**_key(pk, sk), "body": {"S": msgspec.json.encode(body).decode()}}
        await self._dynamo.call("PutItem", {"TableName": self._table, "Item": item}, dict)

    async def _delete(self, pk: str, sk: str) -> None:
        await self._dynamo.call("DeleteItem", {"TableName": self._table, "Key": _key(pk, sk)}, dict)

    async def _each(self, pk: str, prefix: str, type_: type[T]) -> AsyncIterator[T]:
        request = self._query(pk, prefix)
        while True:
            page = await self._dynamo.call("Query", request, _Page)
            for item in page.items:
                yield msgspec.json.decode(item.body.s, type=type_)
            if page.last is None:
                return
            request["ExclusiveStartKey"] = page.last

    def _query(self, pk: str, prefix: str) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "KeyConditionExpression": "pk=:p AND begins_with(sk, :s)",
            "ExpressionAttributeValues": {":p": {"S": pk}, ":s": {"S": prefix}},
            "ConsistentRead": True,
        }


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
