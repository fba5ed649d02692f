"""The middle itself: what a rule says happens to a request, and what the functions' own client makes of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from aiohttp import web

from chalicelib.aws.dynamo import Dynamo
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from local.process import free_port
from tests.faults.crew import until
from tests.faults.proxy import DynamoProxy, Fault, Rule, Where

PUT = Where("PutItem", b'"oplog"')


class Database:
    """Counts what arrives."""

    def __init__(self) -> None:
        self.port = free_port()
        self.arrived: list[str] = []

    async def handle(self, request: web.BaseRequest) -> web.Response:
        """Answers everything with nothing."""
        self.arrived.append(request.headers["X-Amz-Target"].rpartition(".")[2])
        return web.Response(body=b"{}", content_type="application/x-amz-json-1.0")


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    """One that runs."""
    made = Database()
    runner = web.ServerRunner(web.Server(made.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", made.port).start()
    yield made
    await runner.cleanup()


@pytest.fixture
def proxy(database: Database) -> Iterator[DynamoProxy]:
    """One before it."""
    with DynamoProxy(database.port) as made:
        yield made


@pytest.fixture
async def client(proxy: DynamoProxy) -> AsyncIterator[Dynamo]:
    """The functions' own."""
    made = Dynamo(proxy.url, "us-east-1")
    yield made
    await made.close()


async def put(client: Dynamo) -> None:
    """One write to the log."""
    await client.call("PutItem", {"TableName": "oplog"}, dict)


@pytest.mark.parametrize(
    ("fault", "arrivals"), [(Fault.THROTTLE, 1), (Fault.DROP, 1), (Fault.LOSE, 2), (Fault.DELAY, 1), (Fault.WATCH, 1)]
)
async def test_the_first_request_meets_its_fault(
    fault: Fault, arrivals: int, database: Database, proxy: DynamoProxy, client: Dynamo
) -> None:
    """The client tries again, and only a request whose answer was lost has been carried out twice."""
    ports: list[int] = []
    proxy.rule(Rule(fault, "met", PUT, times=1, then=ports.append))
    await client.call("GetItem", {"TableName": "oplog"}, dict)
    await put(client)
    assert database.arrived == ["GetItem", *["PutItem"] * arrivals]
    assert (proxy.met["met"], len(ports)) == (1, 1)


async def test_a_late_request_arrives_after_it_was_given_up(
    database: Database, proxy: DynamoProxy, client: Dynamo
) -> None:
    """Its sender's second one has been carried out by then."""
    proxy.rule(Rule(Fault.LATE, "late", PUT, times=1, delay_s=0.3))
    await put(client)
    assert database.arrived == ["PutItem"]
    await until(lambda: len(database.arrived) == 2, "arrived late")


async def test_throttled_again_and_again(database: Database, proxy: DynamoProxy, client: Dynamo) -> None:
    """The client gives up after its attempts, and nothing was carried out."""
    proxy.rule(Rule(Fault.THROTTLE, "throttled"))
    with pytest.raises(AppError) as caught:
        await put(client)
    assert caught.value.code is Code.UPSTREAM_UNAVAILABLE
    assert (database.arrived, proxy.met["throttled"]) == ([], 4)


async def test_a_partition_ends(database: Database, proxy: DynamoProxy, client: Dynamo) -> None:
    """What waited behind it is lost with its connection, and tried again."""
    proxy.partition()
    putting = asyncio.create_task(put(client))
    await until(lambda: proxy.met["partition"] == 1, "partitioned")
    assert database.arrived == []
    proxy.heal()
    await putting
    assert database.arrived == ["PutItem"]
