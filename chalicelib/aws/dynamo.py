"""The lean DynamoDB client for the hot paths: own signer, keep-alive connection, JSON by msgspec.

pynamodb costs 1.4 ms of CPU a put, boto3 1.25; this 0.3 (measured, see docs/adr). Everything that is not hot goes through
pynamodb. Items are DynamoDB's own attribute-value JSON. Retries are bounded and jittered, and only where a
repeat is safe: throttling and 5xx, which DynamoDB answers before it has written.
"""

import asyncio
import random
from collections.abc import Sequence
from typing import Any, Final, TypeVar

import msgspec

from chalicelib.aws import log
from chalicelib.aws.client import SignedClient
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError

Item = dict[str, dict[str, Any]]
T = TypeVar("T")

_TARGET: Final = "DynamoDB_20120810."
_CONTENT_TYPE: Final = "application/x-amz-json-1.0"
_ATTEMPTS: Final = 4
_BATCH_PAUSE_S: Final = 0.05
"""After a batch that was answered in part, times a random factor, doubled each time."""
_READ_AT_ONCE: Final = 100
"""Keys of one BatchGetItem (DynamoDB quotas)."""
_DELETED_AT_ONCE: Final = 25
"""Items of one BatchWriteItem (DynamoDB quotas)."""
_RETRYABLE: Final = (
    "ProvisionedThroughputExceededException",
    "ThrottlingException",
    "RequestLimitExceeded",
    "InternalServerError",
    "TransactionConflictException",
)


class ConditionFailed(Exception):  # noqa: N818 - an expected outcome, named as DynamoDB names it
    """A conditional write found another state; `item` is what it found, None if there was none."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("condition failed")
        self.item = item


class _Answer(msgspec.Struct):
    item: Item | None = msgspec.field(name="Item", default=None)


class _Page(msgspec.Struct):
    items: list[Item] = msgspec.field(name="Items")
    last: Item | None = msgspec.field(name="LastEvaluatedKey", default=None)


class _Batch(msgspec.Struct):
    responses: dict[str, list[msgspec.Raw]] = msgspec.field(name="Responses", default_factory=dict)
    unprocessed: dict[str, Any] = msgspec.field(name="UnprocessedKeys", default_factory=dict)


class _Written(msgspec.Struct):
    unprocessed: dict[str, Any] = msgspec.field(name="UnprocessedItems", default_factory=dict)


class _Failure(msgspec.Struct):
    type_: str = msgspec.field(name="__type", default="")
    item: Item | None = msgspec.field(name="Item", default=None)


class Dynamo:
    """One endpoint's tables."""

    def __init__(self, endpoint: str | None, region: str) -> None:
        self._client = SignedClient(
            endpoint or f"https://dynamodb.{region}.amazonaws.com", region=region, service="dynamodb", timeout_s=5.0
        )

    async def call(self, operation: str, request: dict[str, Any], type_: type[T]) -> T:
        """One operation, its answer decoded as `type_`. Raises ConditionFailed, or UPSTREAM_UNAVAILABLE."""
        body = msgspec.json.encode(request)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                reply = await self._client.request(
                    "POST", "/", body, target=_TARGET + operation, content_type=_CONTENT_TYPE
                )
            except OSError as exc:
                reason = type(exc).__name__
            else:
                if reply.status == 200:
                    return msgspec.json.decode(reply.body, type=type_)
                reason = _refusal(reply.body)
            if attempt < _ATTEMPTS:
                await asyncio.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter
        raise _unavailable(operation, reason)

    async def item(self, table: str, key: Item) -> Item | None:
        """One item, read consistently; None where there is none."""
        request = {"TableName": table, "Key": key, "ConsistentRead": True}
        return (await self.call("GetItem", request, _Answer)).item

    async def partition(self, table: str, pk: str) -> list[Item]:
        """Every item of a partition, by `sk`, read consistently; of a table whose keys are `pk` and `sk`."""
        request: dict[str, Any] = {
            "TableName": table,
            "KeyConditionExpression": "pk=:k",
            "ExpressionAttributeValues": {":k": {"S": pk}},
            "ConsistentRead": True,
        }
        found: list[Item] = []
        while True:
            page = await self.call("Query", request, _Page)
            found += page.items
            if page.last is None:
                return found
            request["ExclusiveStartKey"] = page.last

    async def items(self, table: str, keys: Sequence[Item], type_: type[T]) -> list[T]:
        """Some items, read consistently, in any order; without those that are not there.

        All of them, or UPSTREAM_UNAVAILABLE: what a busy table did not tell (it answers in part) is not taken for none.
        """
        firsts = range(0, len(keys), _READ_AT_ONCE)
        some = await asyncio.gather(*(self._read(table, keys[a : a + _READ_AT_ONCE], type_) for a in firsts))
        return [item for each in some for item in each]

    async def _read(self, table: str, keys: Sequence[Item], type_: type[T]) -> list[T]:
        found: list[T] = []
        left: Any = keys
        for attempt in range(_ATTEMPTS):
            request = {"RequestItems": {table: {"Keys": left, "ConsistentRead": True}}}
            batch = await self.call("BatchGetItem", request, _Batch)
            found += [msgspec.json.decode(item, type=type_) for item in batch.responses.get(table, ())]
            if table not in batch.unprocessed:
                return found
            left = batch.unprocessed[table]["Keys"]
            await _after_a_part(attempt)
        raise _unavailable("BatchGetItem", "UnprocessedKeys")

    async def delete_all(self, table: str, keys: Sequence[Item]) -> None:
        """Deletes items, whether or not they are there. UPSTREAM_UNAVAILABLE: some may be left."""
        firsts = range(0, len(keys), _DELETED_AT_ONCE)
        await asyncio.gather(*(self._delete(table, keys[a : a + _DELETED_AT_ONCE]) for a in firsts))

    async def _delete(self, table: str, keys: Sequence[Item]) -> None:
        left: Any = [{"DeleteRequest": {"Key": key}} for key in keys]
        for attempt in range(_ATTEMPTS):
            written = await self.call("BatchWriteItem", {"RequestItems": {table: left}}, _Written)
            if table not in written.unprocessed:
                return
            left = written.unprocessed[table]
            await _after_a_part(attempt)
        raise _unavailable("BatchWriteItem", "UnprocessedItems")

    async def close(self) -> None:
        """Closes the connections."""
        await self._client.close()


async def _after_a_part(attempt: int) -> None:
    await asyncio.sleep(random.uniform(0, _BATCH_PAUSE_S * 2**attempt))  # noqa: S311 - jitter


def _unavailable(operation: str, reason: str) -> AppError:
    log.warning("dynamodb.unavailable", operation=operation, reason=reason)
    return AppError(Code.UPSTREAM_UNAVAILABLE, retry_after_ms=500)


def _refusal(body: bytes) -> str:
    """The name of an error that may be tried again; raises for all others."""
    try:
        failure = msgspec.json.decode(body, type=_Failure)
    except msgspec.DecodeError:
        return "unreadable"
    name = failure.type_.rpartition("#")[2]
    if name == "ConditionalCheckFailedException":
        raise ConditionFailed(failure.item)
    if name in _RETRYABLE or not name:
        return name
    raise RuntimeError(f"DynamoDB refused: {name}")
