"""What waits beside each document in DynamoDB, through the lean client.

Table `queue`: PK document_id, SK by kind: `!lease` (whoever drains the submissions), `!lock#<object>` (one lock), `s#<place>`
(one submission). They share a partition so that one consistent Query is a whole look at the desk. TTL `expires_at`.
"""

from collections.abc import AsyncIterator
from typing import Any, Final

import msgspec

from chalicelib.aws.dynamo import ConditionFailed, Dynamo
from chalicelib.aws.lease import LeaseItem
from chalicelib.documents.model import Desk, Renewal, Waiting
from chalicelib.wire.documents import Lock

_LEASE: Final = "!lease"
_LOCK: Final = "!lock#"
_SUBMISSION: Final = "s#"
_KEPT_S: Final = 86400
_waiting: Final = msgspec.json.Decoder(Waiting)


class _S(msgspec.Struct):
    s: str = msgspec.field(name="S")


class _N(msgspec.Struct):
    n: str = msgspec.field(name="N")


class _Item(msgspec.Struct):
    sk: _S
    body: _S | None = None
    user: _S | None = None
    token: _N | None = None
    until: _N | None = None


class _Page(msgspec.Struct):
    items: list[_Item] = msgspec.field(name="Items")
    last: dict[str, Any] | None = msgspec.field(name="LastEvaluatedKey", default=None)


class QueueStore:
    """The Queue that is real."""

    def __init__(self, dynamo: Dynamo, table_prefix: str) -> None:
        self._dynamo = dynamo
        self._table = f"{table_prefix}queue"

    async def put(self, document_id: str, waiting: Waiting, expires_at_s: int) -> None:
        """Adds a submission."""
        item = {
            **_key(document_id, _SUBMISSION + waiting.place),
            "body": {"S": msgspec.json.encode(waiting).decode()},
            "expires_at": {"N": str(expires_at_s)},
        }
        await self._dynamo.call("PutItem", {"TableName": self._table, "Item": item}, dict)

    async def desk(self, document_id: str) -> Desk:
        """The first page (1 MB) of all there is; a round that empties it is followed by another."""
        page = await self._dynamo.call("Query", self._query(document_id, ""), _Page)
        waiting = tuple(_waiting.decode(item.body.s) for item in page.items if item.body is not None)
        return Desk(waiting=waiting, locks=_locks(page.items), more=page.last is not None)

    async def locks(self, document_id: str) -> dict[str, Lock]:
        """The locks alone."""
        return _locks([item async for item in self._each(document_id, _LOCK)])

    async def remove(self, document_id: str, places: tuple[str, ...]) -> None:
        """Removes submissions."""
        await self._delete(document_id, [_SUBMISSION + place for place in places])

    async def acquire(self, document_id: str, holder: str, until_ms: int, now_ms: int) -> tuple[str, int]:
        """Takes the lease if it is free or has run out; the holder and end that hold."""
        return await self._lease(document_id).acquire(holder, until_ms, now_ms)

    async def renew(self, document_id: str, holder: str, until_ms: int) -> Renewal:
        """Promises to go on."""
        there = await self._lease(document_id).renew(holder, until_ms)
        return Renewal.HELD if there == holder else Renewal.LOST if there else Renewal.WANTED

    async def want(self, document_id: str) -> None:
        """Asks whoever holds the lease to let it run out."""
        await self._lease(document_id).want()

    async def lock(self, document_id: str, lock: Lock, now_ms: int, *, take: bool) -> Lock | None:
        """One conditional update, which also draws the next token: it grows for as long as the item is there.

        An expired item is kept for a day, and by then nobody can hold an older token.
        """
        request = {
            "TableName": self._table,
            "Key": _key(document_id, _LOCK + lock.object_id),
            "UpdateExpression": "SET #u=:u, #t=if_not_exists(#t, :z)+:one, #e=:e, expires_at=:x",
            "ExpressionAttributeNames": {"#u": "user", "#t": "token", "#e": "until"},
            "ExpressionAttributeValues": {
                ":u": {"S": lock.user_id},
                ":z": {"N": str(now_ms)},
                ":one": {"N": "1"},
                ":e": {"N": str(lock.expires_at_ms)},
                ":x": {"N": str(lock.expires_at_ms // 1000 + _KEPT_S)},
            },
            "ReturnValues": "ALL_NEW",
        }
        if not take:
            request["ConditionExpression"] = "attribute_not_exists(#e) OR #e<:n OR #u=:u"
            request["ExpressionAttributeValues"][":n"] = {"N": str(now_ms)}  # type: ignore[index]
        try:
            answer = await self._dynamo.call("UpdateItem", request, dict)
        except ConditionFailed:
            return None
        return msgspec.structs.replace(lock, token=int(answer["Attributes"]["token"]["N"]))

    async def renew_lock(self, document_id: str, lock: Lock, now_ms: int) -> bool:
        """Moves the end of a lock that is still this one."""
        values = {
            ":u": {"S": lock.user_id},
            ":t": {"N": str(lock.token)},
            ":e": {"N": str(lock.expires_at_ms)},
            ":x": {"N": str(lock.expires_at_ms // 1000 + _KEPT_S)},
            ":n": {"N": str(now_ms)},
        }
        request = {
            "TableName": self._table,
            "Key": _key(document_id, _LOCK + lock.object_id),
            "UpdateExpression": "SET #e=:e, expires_at=:x",
            "ConditionExpression": "#u=:u AND #t=:t AND #e>=:n",
            "ExpressionAttributeNames": {"#u": "user", "#t": "token", "#e": "until"},
            "ExpressionAttributeValues": values,
        }
        return await self._done(request)

    async def unlock(self, document_id: str, object_id: str, user_id: str) -> bool:
        """Ends somebody's lock; its item stays for its token. False: it is not theirs."""
        request = {
            "TableName": self._table,
            "Key": _key(document_id, _LOCK + object_id),
            "UpdateExpression": "SET #e=:z",
            "ConditionExpression": "#u=:u",
            "ExpressionAttributeNames": {"#u": "user", "#e": "until"},
            "ExpressionAttributeValues": {":u": {"S": user_id}, ":z": {"N": "0"}},
        }
        return await self._done(request)

    async def erase(self, document_id: str) -> None:
        """Removes everything beside a document."""
        await self._delete(document_id, [item.sk.s async for item in self._each(document_id, "")])

    async def _done(self, request: dict[str, Any]) -> bool:
        try:
            await self._dynamo.call("UpdateItem", request, dict)
        except ConditionFailed:
            return False
        return True

    async def _each(self, document_id: str, prefix: str) -> AsyncIterator[_Item]:
        request = self._query(document_id, prefix)
        while True:
            page = await self._dynamo.call("Query", request, _Page)
            for item in page.items:
                yield item
            if page.last is None:
                return
            request["ExclusiveStartKey"] = page.last

    async def _delete(self, document_id: str, sks: list[str]) -> None:
        await self._dynamo.delete_all(self._table, [_key(document_id, sk) for sk in sks])

    def _query(self, document_id: str, prefix: str) -> dict[str, Any]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "document_id=:d",
            "ExpressionAttributeValues": {":d": {"S": document_id}},
            "ConsistentRead": True,
        }
        if prefix:
            request["KeyConditionExpression"] += " AND begins_with(sk, :p)"
            request["ExpressionAttributeValues"][":p"] = {"S": prefix}
        return request

    def _lease(self, document_id: str) -> LeaseItem:
        return LeaseItem(self._dynamo, self._table, _key(document_id, _LEASE))


def _key(document_id: str, sk: str) -> dict[str, dict[str, str]]:
    return {"document_id": {"S": document_id}, "sk": {"S": sk}}


def _locks(items: list[_Item]) -> dict[str, Lock]:
    found = {}
    for item in items:
        if item.sk.s.startswith(_LOCK) and item.user and item.token and item.until and item.until.n != "0":
            object_id = item.sk.s.removeprefix(_LOCK)
            found[object_id] = Lock(
                object_id=object_id,
                user_id=item.user.s,
                token=int(item.token.n),
                expires_at_ms=int(item.until.n),
            )
    return found
