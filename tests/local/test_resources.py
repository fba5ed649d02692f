"""What the local system makes for itself, where an emulator is too busy to answer in time."""

import asyncio
from typing import Any

import pytest
from aiohttp import web
from pynamodb.exceptions import TableError

from chalicelib.aws.tables import bind
from chalicelib.peers.tables import MediaModel
from local.resources import make_table, make_tables
from tests.unit.aws.test_clients import server


class Tables:
    """A database with one table at the most. `lost` answers to its making are never given, though it is made."""

    def __init__(self, *, lost: int = 0, refusal: str | None = None) -> None:
        self.made = 0
        self._lost = lost
        self._refusal = refusal

    def __call__(self, request: web.Request) -> web.Response:
        if request.headers["x-amz-target"].endswith(".DescribeTable"):
            return _error("ResourceNotFoundException") if not self.made else _answer({"Table": self._table()})
        if self._refusal is not None:
            return _error(self._refusal)
        if self.made:
            return _error("ResourceInUseException")
        self.made += 1
        if self._lost:
            self._lost -= 1
            return web.Response(status=500)
        return _answer({"TableDescription": self._table()})

    def _table(self) -> dict[str, Any]:
        keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        return {"TableName": "t-media", "TableStatus": "ACTIVE", "KeySchema": keys, "AttributeDefinitions": []}


def _answer(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, status=status, content_type="application/x-amz-json-1.0")


def _error(name: str) -> web.Response:
    return _answer({"__type": f"com.amazonaws.dynamodb.v20120810#{name}"}, 400)


async def make(url: str) -> None:
    """The media table."""
    await asyncio.to_thread(make_table, bind(MediaModel, "t-media", region="us-east-1", host=url))


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Credentials that nobody checks."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")


@pytest.mark.parametrize("lost", [0, 1])
async def test_a_table_is_made_once_though_its_answer_was_lost(lost: int) -> None:
    """It is asked for again, and is there already: which is what was wanted."""
    tables = Tables(lost=lost)
    async with server(tables) as (url, _):
        await make(url)
    assert tables.made == 1


async def test_no_table_is_made_for_a_system_that_is_to_end() -> None:
    """Nobody who asked for the end waits for all the others."""

    def go_on() -> None:
        raise SystemExit(130)

    tables = Tables()
    async with server(tables) as (url, _):
        models = {"media": bind(MediaModel, "t-media", region="us-east-1", host=url)}
        with pytest.raises(SystemExit):
            make_tables(models, url, "us-east-1", go_on)
    assert tables.made == 0


async def test_a_table_that_is_refused_is_not_made() -> None:
    """And nobody goes on as if it were."""
    async with server(Tables(refusal="LimitExceededException")) as (url, _):
        with pytest.raises(TableError):
            await make(url)
