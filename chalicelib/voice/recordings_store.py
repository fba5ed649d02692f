"""Recordings' rows in DynamoDB, through the lean client. Functions and media nodes both write them, by compare-and-set.

Table `media`: PK pk, SK sk.
- `recordings#<session id>`, recording id: the row, as JSON, and its `version`.
- `recordings`, `<session id>#<recording id>`: one that a node has something to do with, now or later. Listed before the row
  says so, and taken off after it says no more: whoever looks finds it, or finds one too many.
"""

from typing import Any, Final

import msgspec

from chalicelib.aws.dynamo import ConditionFailed, Dynamo, Item
from chalicelib.voice.recordings_model import RecordingRow

_PENDING: Final = "recordings"
_row: Final = msgspec.json.Decoder(RecordingRow)


class RecordingStore:
    """The Shelf of recordings that is real."""

    def __init__(self, dynamo: Dynamo, table_prefix: str) -> None:
        self._dynamo = dynamo
        self._table = f"{table_prefix}media"

    async def add(self, row: RecordingRow) -> None:
        """A new one."""
        await self._list(row)
        await self._put(row, "attribute_not_exists(pk)", {})

    async def get(self, session_id: str, recording_id: str) -> RecordingRow | None:
        """One, read consistently."""
        item = await self._dynamo.item(self._table, _key(session_id, recording_id))
        return None if item is None else _row.decode(item["body"]["S"])

    async def of(self, session_id: str) -> tuple[RecordingRow, ...]:
        """A room's, the newest first."""
        items = await self._dynamo.partition(self._table, f"{_PENDING}#{session_id}")
        rows = [_row.decode(item["body"]["S"]) for item in items]
        return tuple(sorted(rows, key=lambda row: (row.started_at_ms, row.recording_id), reverse=True))

    async def change(self, before: RecordingRow, after: RecordingRow) -> bool:
        """Puts what comes after in the place of what was. False: that is not there any more."""
        if after.pending and not before.pending:
            await self._list(after)
        values = {":b": {"N": str(before.version)}}
        try:
            await self._put(msgspec.structs.replace(after, version=before.version + 1), "version=:b", values)
        except ConditionFailed:
            return False
        if not after.pending:
            await self._unlist(after)
        return True

    async def drop(self, row: RecordingRow) -> None:
        """Removes it, whatever it is by now."""
        await self._delete(_key(row.session_id, row.recording_id))
        await self._unlist(row)

    async def pending(self) -> tuple[tuple[str, str], ...]:
        """Of all rooms: (session id, recording id) of those that a node has something to do with."""
        items = await self._dynamo.partition(self._table, _PENDING)
        names = [str(item["sk"]["S"]).partition("#") for item in items]
        return tuple((session_id, recording_id) for session_id, _, recording_id in names)

    async def unlist(self, session_id: str, recording_id: str) -> None:
        """Nobody has anything to do with it: there is no such row."""
        await self._delete(_pending_key(session_id, recording_id))

    async def _list(self, row: RecordingRow) -> None:
        item = _pending_key(row.session_id, row.recording_id)
        await self._dynamo.call("PutItem", {"TableName": self._table, "Item": item}, dict)

    async def _unlist(self, row: RecordingRow) -> None:
        await self.unlist(row.session_id, row.recording_id)

    async def _put(self, row: RecordingRow, condition: str, values: Item) -> None:
        item = {
            **_key(row.session_id, row.recording_id),
            "version": {"N": str(row.version)},
            "body": {"S": msgspec.json.encode(row).decode()},
        }
        request: dict[str, Any] = {"TableName": self._table, "Item": item, "ConditionExpression": condition}
        if values:
            request["ExpressionAttributeValues"] = values
        await self._dynamo.call("PutItem", request, dict)

    async def _delete(self, key: Item) -> None:
        await self._dynamo.call("DeleteItem", {"TableName": self._table, "Key": key}, dict)


def _key(session_id: str, recording_id: str) -> Item:
    return {"pk": {"S": f"{_PENDING}#{session_id}"}, "sk": {"S": recording_id}}


def _pending_key(session_id: str, recording_id: str) -> Item:
    return {"pk": {"S": _PENDING}, "sk": {"S": f"{session_id}#{recording_id}"}}
