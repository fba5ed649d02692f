"""Models bound to deployments, and the database's refusals in our words. A real HTTP server speaks DynamoDB's protocol."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import DoesNotExist, PutError, PynamoDBException, TransactWriteError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.aws.tables import bind, cancellations, condition_failed, reaching, share_client
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError


class ByOwner(GlobalSecondaryIndex["Thing"]):  # type: ignore[no-untyped-call]
    """An index."""

    class Meta:
        index_name = "by_owner"
        projection = AllProjection()

    owner = UnicodeAttribute(hash_key=True)


class Thing(Model):
    """A row."""

    class Meta:
        table_name = "unbound"
        billing_mode = "PAY_PER_REQUEST"

    key = UnicodeAttribute(hash_key=True)
    owner = UnicodeAttribute(null=True)
    by_owner = ByOwner()


class Stub:
    """Answers every call alike, and keeps what it was asked."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: dict[str, Any] = {}
        self.requests: list[dict[str, Any]] = []
        self.endpoint = ""

    def refuse(self, name: str, status: int = 400, **more: Any) -> None:
        self.status = status
        self.answer = {"__type": f"com.amazonaws.dynamodb.v20120810#{name}", "message": "internal words", **more}

    def thing(self, table: str = "things") -> type[Thing]:
        return bind(Thing, table, region="us-east-1", host=self.endpoint)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    """At a real address."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    it = Stub()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            it.requests.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            body = json.dumps(it.answer).encode()
            self.send_response(it.status)
            self.send_header("Content-Type", "application/x-amz-json-1.0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    it.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    yield it
    server.shutdown()
    server.server_close()
    thread.join()


def test_one_client_for_all(stub: Stub) -> None:
    """Models of one deployment share what is slow to make."""
    first, second = stub.thing("one"), stub.thing("two")
    share_client((first, second))
    clients = {model._get_connection().connection.client for model in (first, second)}
    assert len(clients) == 1
    stub.answer = {"Item": {"key": {"S": "k"}}}
    assert [model.get("k").key for model in (first, second)] == ["k", "k"]
    assert [request["TableName"] for request in stub.requests] == ["one", "two"]


def test_two_bindings_of_one_model_write_to_two_tables(stub: Stub) -> None:
    """And the model itself stays unbound."""
    first, second = stub.thing("a"), stub.thing("b")
    first("1").save()
    second("1").save()
    assert [r["TableName"] for r in stub.requests] == ["a", "b"]
    assert Thing.Meta.table_name == "unbound"


def test_an_index_follows_its_binding(stub: Stub) -> None:
    """A copy for each."""
    stub.answer = {"Items": [], "Count": 0, "ScannedCount": 0}
    for table in ("a", "b"):
        assert list(stub.thing(table).by_owner.query("ada")) == []
    assert [(r["TableName"], r["IndexName"]) for r in stub.requests] == [("a", "by_owner"), ("b", "by_owner")]


@pytest.mark.parametrize(
    ("name", "status"),
    [("ThrottlingException", 400), ("ProvisionedThroughputExceededException", 400), ("InternalServerError", 500)],
)
def test_a_busy_database_is_unavailable(stub: Stub, name: str, status: int) -> None:
    """With a time to come back, and none of its words."""
    stub.refuse(name, status)
    with pytest.raises(AppError) as refused, reaching("thing.get"):
        stub.thing().get("1")
    assert refused.value.code is Code.UPSTREAM_UNAVAILABLE
    assert refused.value.retry_after_ms
    assert "internal words" not in refused.value.message


def test_a_database_that_nobody_can_reach_is_unavailable(stub: Stub) -> None:
    """Nothing listens there."""
    stub.endpoint = "http://127.0.0.1:9"
    with pytest.raises(AppError) as refused, reaching("thing.get"):
        stub.thing().get("1")
    assert refused.value.code is Code.UPSTREAM_UNAVAILABLE


def test_a_failed_condition_is_the_stores_to_judge(stub: Stub) -> None:
    """It passes, and is told from other errors."""
    stub.refuse("ConditionalCheckFailedException")
    with pytest.raises(PutError) as raised, reaching("thing.put"):
        stub.thing()("1").save(condition=Thing.key.does_not_exist())
    assert condition_failed(raised.value)
    stub.refuse("ValidationException")
    with pytest.raises(PutError) as raised, reaching("thing.put"):
        stub.thing()("1").save()
    assert not condition_failed(raised.value)


def test_an_absent_item_is_the_stores_to_judge(stub: Stub) -> None:
    """It passes."""
    thing = stub.thing()
    with pytest.raises(DoesNotExist), reaching("thing.get"):
        thing.get("1")


def transact(stub: Stub) -> None:
    thing = stub.thing()
    with reaching("thing.transact"), TransactWrite(connection=connection_of(thing)) as write:
        write.save(thing("1"))
        write.save(thing("2"))


def connection_of(thing: type[Thing]) -> Any:
    return thing._get_connection().connection


def test_a_cancelled_transaction_tells_why_by_item(stub: Stub) -> None:
    """In the order of its items."""
    reasons = [{"Code": "None"}, {"Code": "ConditionalCheckFailed", "Message": "m"}]
    stub.refuse("TransactionCanceledException", CancellationReasons=reasons)
    with pytest.raises(TransactWriteError) as raised:
        transact(stub)
    assert cancellations(raised.value) == ("", "ConditionalCheckFailed")


def test_a_refused_transaction_has_no_cancellations(stub: Stub) -> None:
    """A broken request passes, for the edge to log."""
    stub.refuse("ValidationException")
    with pytest.raises(TransactWriteError) as raised:
        transact(stub)
    assert cancellations(raised.value) == ()
    assert isinstance(raised.value, PynamoDBException)
