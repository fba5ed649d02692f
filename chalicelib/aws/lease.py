"""A lease in an item of its own: whoever holds it has promised something until `until_ms`.

Taken by one conditional write, which one of all who try wins; never trusted beyond its end. Attributes: `holder`, `until`
(ms since the epoch), `expires_at` (TTL), and `wanted` where somebody asked its holder to let it run out.
"""

import contextlib
from typing import Any, Final

from chalicelib.aws.dynamo import ConditionFailed, Dynamo, Item

_NAMES: Final = {"#h": "holder", "#u": "until"}
_KEPT_S: Final = 3600


class LeaseItem:
    """The lease in one item of a table."""

    def __init__(self, dynamo: Dynamo, table: str, key: Item) -> None:
        self._dynamo = dynamo
        self._request: dict[str, Any] = {"TableName": table, "Key": key}

    async def acquire(self, holder: str, until_ms: int, now_ms: int) -> tuple[str, int]:
        """Takes it if it is free or has run out. The holder and end that hold now: one's own, or another's."""
        values = {**_values(holder, until_ms), ":n": {"N": str(now_ms)}}
        condition = "attribute_not_exists(#u) OR #u<:n OR #h=:h"
        try:
            await self._update("SET #h=:h, #u=:u, expires_at=:x REMOVE wanted", values, condition)
        except ConditionFailed as exc:
            if exc.item is None:
                return "", now_ms
            return exc.item["holder"]["S"], int(exc.item["until"]["N"])
        return holder, until_ms

    async def renew(self, holder: str, until_ms: int) -> str:
        """Promises to go on until then. Who holds it: oneself, another, or "" where oneself is asked to leave."""
        condition = "#h=:h AND attribute_not_exists(wanted)"
        try:
            await self._update("SET #u=:u, expires_at=:x", _values(holder, until_ms), condition)
        except ConditionFailed as exc:
            there = exc.item["holder"]["S"] if exc.item else "nobody"
            return "" if there == holder else there
        return holder

    async def want(self) -> None:
        """Asks its holder to let it run out; forgotten when it is taken next."""
        request = {
            **self._request,
            "UpdateExpression": "SET wanted=:w",
            "ConditionExpression": "attribute_exists(#u)",
            "ExpressionAttributeNames": {"#u": "until"},
            "ExpressionAttributeValues": {":w": {"BOOL": True}},
        }
        with contextlib.suppress(ConditionFailed):  # nobody holds it
            await self._dynamo.call("UpdateItem", request, dict)

    async def release(self) -> None:
        """Removes it, whoever holds it."""
        await self._dynamo.call("DeleteItem", self._request, dict)

    async def _update(self, change: str, values: dict[str, Any], condition: str) -> None:
        request = {
            **self._request,
            "UpdateExpression": change,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": _NAMES,
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        await self._dynamo.call("UpdateItem", request, dict)


def _values(holder: str, until_ms: int) -> dict[str, dict[str, str]]:
    return {":h": {"S": holder}, ":u": {"N": str(until_ms)}, ":x": {"N": str(until_ms // 1000 + _KEPT_S)}}
