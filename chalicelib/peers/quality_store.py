"""Reports of quality in DynamoDB, through the lean client.

Table `media`: PK pk = session id; SK sk = `quality#<peer id>` (a page's newest, as JSON), `hour#<ms, zero-padded>` (its sums,
a number attribute each, by ADD). TTL `expires_at`; deletion by it may lag for days, so readers look at the time.
"""

from collections.abc import AsyncIterator, Collection, Mapping
from operator import attrgetter
from typing import Any, Final

import msgspec

from chalicelib.aws.dynamo import Dynamo, Item
from chalicelib.peers.quality import HOUR_MS
from chalicelib.wire import limits
from chalicelib.wire.peers import PeerQuality

_NEWEST: Final = "quality#"
_HOUR: Final = "hour#"
_newest: Final = msgspec.json.Decoder(PeerQuality)


class _S(msgspec.Struct):
    s: str = msgspec.field(name="S")


class _Report(msgspec.Struct):
    body: _S


class _Page(msgspec.Struct):
    items: list[Item] = msgspec.field(name="Items")
    last: dict[str, Any] | None = msgspec.field(name="LastEvaluatedKey", default=None)


class QualityStore:
    """The Reports that are real."""

    def __init__(self, dynamo: Dynamo, table_prefix: str) -> None:
        self._dynamo = dynamo
        self._table = f"{table_prefix}media"

    async def put(self, session_id: str, quality: PeerQuality) -> None:
        """A page's newest report; it replaces the one before."""
        item = {
            **_key(session_id, _NEWEST + quality.peer_id),
            "body": {"S": msgspec.json.encode(quality).decode()},
            "expires_at": {"N": str(quality.reported_at_ms // 1000 + limits.QUALITY_KEPT_S)},
        }
        await self._dynamo.call("PutItem", {"TableName": self._table, "Item": item}, dict)

    async def add(self, session_id: str, hour_ms: int, sums: Mapping[str, int]) -> None:
        """Adds to an hour."""
        names = {f"#{n}": name for n, name in enumerate(sums)}
        values = {f":{n}": {"N": str(value)} for n, value in enumerate(sums.values())}
        ends_s = (hour_ms + HOUR_MS) // 1000 + limits.QUALITY_HOURS_KEPT_S
        request = {
            "TableName": self._table,
            "Key": _key(session_id, _hour(hour_ms)),
            "UpdateExpression": "SET expires_at=:x ADD " + ", ".join(f"#{n} :{n}" for n in range(len(sums))),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": {**values, ":x": {"N": str(ends_s)}},
        }
        await self._dynamo.call("UpdateItem", request, dict)

    async def newest(self, session_id: str, peer_ids: Collection[str]) -> tuple[PeerQuality, ...]:
        """The newest report of each of some pages, however old, by peer id.

        By their keys: of pages that have gone there may be any number, for days.
        """
        keys = [_key(session_id, _NEWEST + peer_id) for peer_id in sorted(set(peer_ids))]
        items = await self._dynamo.items(self._table, keys, _Report)
        return tuple(sorted((_newest.decode(item.body.s) for item in items), key=attrgetter("peer_id")))

    async def hours(self, session_id: str, since_ms: int) -> dict[int, dict[str, int]]:
        """The sums of the hours that began then or later, the oldest first."""
        items = self._between(session_id, _hour(since_ms), f"{_HOUR}\x7f")
        return {int(item["sk"]["S"].removeprefix(_HOUR)): _sums(item) async for item in items}

    async def erase(self, session_id: str) -> None:
        """Removes all reports of a session, and its hours."""
        kinds = (f"{_HOUR}0", f"{_HOUR}\x7f"), (_NEWEST, f"{_NEWEST}\x7f")
        keys = [_key(session_id, item["sk"]["S"]) for a, z in kinds async for item in self._between(session_id, a, z)]
        await self._dynamo.delete_all(self._table, keys)

    async def _between(self, session_id: str, first: str, last: str) -> AsyncIterator[Item]:
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": "pk=:p AND sk BETWEEN :a AND :z",
            "ExpressionAttributeValues": {":p": {"S": session_id}, ":a": {"S": first}, ":z": {"S": last}},
            "ConsistentRead": True,
        }
        while True:
            page = await self._dynamo.call("Query", request, _Page)
            for item in page.items:
                yield item
            if page.last is None:
                return
            request["ExclusiveStartKey"] = page.last


def _key(session_id: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": session_id}, "sk": {"S": sk}}


def _hour(at_ms: int) -> str:
    return f"{_HOUR}{max(0, at_ms):016d}"


def _sums(item: Item) -> dict[str, int]:
    return {name: int(value["N"]) for name, value in item.items() if "N" in value and name != "expires_at"}
