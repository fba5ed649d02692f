"""Batches, whole or not at all: against a real HTTP server that answers in part, as a busy DynamoDB does."""

from typing import Any

import msgspec
import pytest
from aiohttp import web

from chalicelib.aws.dynamo import Dynamo, Item
from chalicelib.presence.store import PresenceStore
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from tests.unit.aws.test_clients import server

TABLE = "media"
KEYS: list[Item] = [{"pk": {"S": f"k{number:02d}"}} for number in range(30)]


class Busy:
    """Does the first of what it is asked for; of the rest nothing, so many times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.read: list[Item] = []
        self.deleted: list[Item] = []

    async def __call__(self, request: web.Request) -> web.Response:
        asked: dict[str, Any] = msgspec.json.decode(await request.read())["RequestItems"]
        ((table, wanted),) = asked.items()
        self.left -= 1
        if isinstance(wanted, dict):
            done, rest = self._cut(wanted["Keys"])
            self.read += done
            unprocessed = {table: {"Keys": rest, "ConsistentRead": True}} if rest else {}
            return web.json_response({"Responses": {table: done}, "UnprocessedKeys": unprocessed})
        done, rest = self._cut(wanted)
        self.deleted += [each["DeleteRequest"]["Key"] for each in done]
        return web.json_response({"UnprocessedItems": {table: rest} if rest else {}})

    def _cut(self, wanted: list[Any]) -> tuple[list[Any], list[Any]]:
        return (wanted, []) if self.left < 0 else (wanted[:1], wanted[1:])


async def test_what_was_read_in_part_is_read_on() -> None:
    """Only what is missing is asked for again."""
    busy = Busy(2)
    async with server(busy) as (url, seen):
        dynamo = Dynamo(url, "us-east-1")
        assert await dynamo.items(TABLE, KEYS[:5], dict) == KEYS[:5]
        await dynamo.close()
    assert (len(seen), busy.read) == (3, KEYS[:5])


async def test_what_could_not_be_read_is_not_taken_for_none() -> None:
    """After some attempts it is said that the table is not to be had."""
    async with server(Busy(1000)) as (url, seen):
        dynamo = Dynamo(url, "us-east-1")
        with pytest.raises(AppError) as caught:
            await dynamo.items(TABLE, KEYS, dict)
        await dynamo.close()
    assert (caught.value.code, len(seen)) == (Code.UPSTREAM_UNAVAILABLE, 4)


async def test_a_peer_whose_row_was_not_told_has_not_gone() -> None:
    """Else a busy table closed the connections of whoever signals."""
    async with server(Busy(1000)) as (url, _):
        dynamo = Dynamo(url, "us-east-1")
        with pytest.raises(AppError) as caught:
            await PresenceStore(dynamo, "").peers("ses_a", ("ada.tab00001", "bob.tab00001", "cyd.tab00001"))
        await dynamo.close()
    assert caught.value.code is Code.UPSTREAM_UNAVAILABLE


async def test_what_was_deleted_in_part_is_deleted_on() -> None:
    """Each once; more than a batch takes go by several."""
    busy = Busy(2)
    async with server(busy) as (url, seen):
        dynamo = Dynamo(url, "us-east-1")
        await dynamo.delete_all(TABLE, KEYS)
        await dynamo.delete_all(TABLE, [])
        await dynamo.close()
    assert sorted(key["pk"]["S"] for key in busy.deleted) == [key["pk"]["S"] for key in KEYS]
    assert len(seen) == 4


async def test_deletes_are_not_repeated_for_ever() -> None:
    """A table that takes none is not asked again and again without a pause."""
    async with server(Busy(1000)) as (url, seen):
        dynamo = Dynamo(url, "us-east-1")
        with pytest.raises(AppError) as caught:
            await dynamo.delete_all(TABLE, KEYS[:25])
        await dynamo.close()
    assert (caught.value.code, len(seen)) == (Code.UPSTREAM_UNAVAILABLE, 4)
