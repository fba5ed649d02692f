"""Voice in DynamoDB, through the lean client. Media nodes read it too.

Table `media`: PK pk, SK sk.
- `voice#<session id>`, `state`: the room's book, as JSON (`body`), and its `revision`, by which it is compared and set.
- `blocks#<user id>`, `voice`: whom a person blocks, a set of strings (`blocked`); one item, so that those of everybody in a
  room are read in a single batch.
"""

from collections.abc import Collection
from typing import Any, Final

import msgspec

from chalicelib.aws.dynamo import ConditionFailed, Dynamo, Item
from chalicelib.voice.book import Book
from chalicelib.wire import limits

_book: Final = msgspec.json.Decoder(Book)


class _Updated(msgspec.Struct):
    attributes: Item = msgspec.field(name="Attributes", default_factory=dict)


class VoiceStore:
    """The Books and the Blocks that are real."""

    def __init__(self, dynamo: Dynamo, table_prefix: str) -> None:
        self._dynamo = dynamo
        self._table = f"{table_prefix}media"

    # -- books --

    async def read(self, session_id: str) -> Book:
        """The newest, read consistently; a blank one where there is none."""
        item = await self._dynamo.item(self._table, _state_of(session_id))
        return Book() if item is None else _book.decode(item["body"]["S"])

    async def swap(self, session_id: str, revision: int, book: Book, now_ms: int) -> bool:
        """Writes a book where the one of `revision` is still the newest (0: there is none). False: it is not."""
        request: dict[str, Any] = {
            "TableName": self._table,
            "Item": {
                **_state_of(session_id),
                "revision": {"N": str(book.revision)},
                "body": {"S": msgspec.json.encode(book).decode()},
                "expires_at": _expiry(now_ms),
            },
            "ConditionExpression": "attribute_not_exists(sk)",
        }
        if revision:
            request["ConditionExpression"] = "revision=:r"
            request["ExpressionAttributeValues"] = {":r": {"N": str(revision)}}
        try:
            await self._dynamo.call("PutItem", request, dict)
        except ConditionFailed:
            return False
        return True

    async def erase(self, session_id: str) -> None:
        """Nothing is left of a room's voice. Once more is harmless."""
        await self._dynamo.call("DeleteItem", {"TableName": self._table, "Key": _state_of(session_id)}, dict)

    # -- blocks --

    async def blocked(self, user_id: str) -> frozenset[str]:
        """Whom a person blocks, read consistently."""
        return _set(await self._dynamo.item(self._table, _blocks_of(user_id)) or {})

    async def block(self, user_id: str, other_id: str, *, ends: bool, now_ms: int) -> frozenset[str] | None:
        """One more; all of them after it. None: there are VOICE_BLOCKS_MAX. `ends`: of a guest, who does so too."""
        values: Item = {
            ":o": {"SS": [other_id]},
            ":u": {"S": other_id},
            ":m": {"N": str(limits.VOICE_BLOCKS_MAX)},
        }
        change = "ADD blocked :o"
        if ends:
            change += " SET expires_at=:x"
            values[":x"] = _expiry(now_ms)
        condition = "attribute_not_exists(blocked) OR size(blocked)<:m OR contains(blocked, :u)"
        return await self._change_blocks(user_id, change, condition, values)

    async def unblock(self, user_id: str, other_id: str) -> None:
        """One less; one that is not there is none already."""
        await self._change_blocks(user_id, "DELETE blocked :o", "attribute_exists(sk)", {":o": {"SS": [other_id]}})

    async def blocked_by(self, user_ids: Collection[str]) -> dict[str, frozenset[str]]:
        """Whom each of some people blocks, without those who block nobody. UPSTREAM_UNAVAILABLE where not all are told."""
        keys = [_blocks_of(user_id) for user_id in sorted(user_ids)]
        found = await self._dynamo.items(self._table, keys, dict)
        return {item["pk"]["S"].removeprefix("blocks#"): blocked for item in found if (blocked := _set(item))}

    async def _change_blocks(self, user_id: str, change: str, condition: str, values: Item) -> frozenset[str] | None:
        request = {
            "TableName": self._table,
            "Key": _blocks_of(user_id),
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_NEW",
        }
        try:
            return _set((await self._dynamo.call("UpdateItem", request, _Updated)).attributes)
        except ConditionFailed:
            return None


def _state_of(session_id: str) -> Item:
    return {"pk": {"S": f"voice#{session_id}"}, "sk": {"S": "state"}}


def _blocks_of(user_id: str) -> Item:
    return {"pk": {"S": f"blocks#{user_id}"}, "sk": {"S": "voice"}}


def _expiry(now_ms: int) -> dict[str, str]:
    return {"N": str(now_ms // 1000 + limits.VOICE_ROW_TTL_S)}


def _set(item: Item) -> frozenset[str]:
    return frozenset(item.get("blocked", {}).get("SS", ()))
