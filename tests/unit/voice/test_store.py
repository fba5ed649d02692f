"""Blocks are read whole or not at all: a real HTTP server that answers a batch as a busy DynamoDB does, in part."""

import pytest
from aiohttp import web

from chalicelib.aws.dynamo import Dynamo
from chalicelib.voice.store import VoiceStore
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from tests.unit.aws.test_clients import server

KEY = {"pk": {"S": "blocks#bob"}, "sk": {"S": "voice"}}
ANN = {"pk": {"S": "blocks#ann"}, "sk": {"S": "voice"}, "blocked": {"SS": ["eve"]}}
BOB = {**KEY, "blocked": {"SS": ["eve"]}}


class Busy:
    """Tells of Ann at once; of Bob after so many times that it did not come to him."""

    def __init__(self, times: int) -> None:
        self._left = times

    def __call__(self, _request: web.Request) -> web.Response:
        first, self._left = [ANN], self._left - 1
        if self._left >= 0:
            return web.json_response({"Responses": {"media": first}, "UnprocessedKeys": {"media": {"Keys": [KEY]}}})
        return web.json_response({"Responses": {"media": [BOB]}})


async def test_a_batch_that_was_answered_in_part_is_asked_for_again() -> None:
    """Until all of it is there."""
    async with server(Busy(2)) as (url, seen):
        dynamo = Dynamo(url, "us-east-1")
        found = await VoiceStore(dynamo, "").blocked_by(["ann", "bob"])
        await dynamo.close()
    assert found == {"ann": {"eve"}, "bob": {"eve"}}
    assert len(seen) == 3


async def test_blocks_that_could_not_be_read_are_not_none() -> None:
    """Else a busy table let people be heard by those who block them."""
    async with server(Busy(1000)) as (url, _):
        dynamo = Dynamo(url, "us-east-1")
        with pytest.raises(AppError) as caught:
            await VoiceStore(dynamo, "").blocked_by(["ann", "bob"])
        await dynamo.close()
    assert caught.value.code is Code.UPSTREAM_UNAVAILABLE
