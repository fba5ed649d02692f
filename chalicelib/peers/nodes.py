"""Media nodes and who relays which room, in DynamoDB through the lean client. Media nodes use it too (`NodeStore.beat`).

Table `media` (docs/webrtc.md): PK pk, SK sk.
- `nodes`, node id: a node. The node writes all of it each NODE_BEAT_S but `conn`, which only functions write.
- `nodes`, `~start`: when a task was last asked for. `~` sorts it apart from the nodes.
- session id, `relay`: who relays the room, changed by compare-and-set on `generation`.
- node id, session id: a room that the node was given. Written before the relay is, so that none is forgotten; one that
  points to a room that another relays by now means nothing.
- `waiting`, session id: a room that waits for a node.
"""

from typing import Any, Final

from chalicelib.aws.dynamo import ConditionFailed, Dynamo, Item
from chalicelib.peers.model import Node, NodeStatus, Relay
from chalicelib.wire import limits
from chalicelib.wire.peers import RelayReason

_NODES: Final = "nodes"
_START: Final = "~start"
_RELAY: Final = "relay"
_WAITING: Final = "waiting"
_WAITING_TTL_S: Final = 3600


class NodeStore:
    """The table `media`, but for quality."""

    def __init__(self, dynamo: Dynamo, table_prefix: str) -> None:
        self._dynamo = dynamo
        self._table = f"{table_prefix}media"

    # -- nodes --

    async def beat(self, node: Node) -> None:
        """Writes a node's row, the first time or again; its connection stays as functions have set it."""
        values = {
            ":a": {"S": node.address},
            ":p": {"N": str(node.port)},
            ":c": {"N": str(node.capacity)},
            ":l": {"N": str(node.load)},
            ":r": {"N": str(node.rooms)},
            ":v": {"S": node.version},
            ":s": {"S": node.status.value},
            ":n": {"N": str(node.seen_at_ms)},
            ":x": _expiry(node.seen_at_ms, limits.NODE_ROW_TTL_S),
        }
        names = {"#a": "address", "#p": "port", "#c": "capacity", "#l": "load", "#v": "version", "#s": "state"}
        change = "SET #a=:a, #p=:p, #c=:c, #l=:l, rooms=:r, #v=:v, #s=:s, seen=:n, expires_at=:x"
        await self._update(_NODES, node.node_id, change, values, None, names)

    async def forget(self, node_id: str) -> None:
        """A node that has ended. Once more is harmless."""
        await self._delete(_NODES, node_id)

    async def nodes(self) -> tuple[Node, ...]:
        """Every node there is a row of, read consistently."""
        items = await self._dynamo.partition(self._table, _NODES)
        return tuple(_node(item) for item in items if item["sk"]["S"] != _START)

    async def node(self, node_id: str) -> Node | None:
        """A node, read consistently."""
        item = await self._dynamo.item(self._table, _key(_NODES, node_id))
        return None if item is None else _node(item)

    async def set_connection(self, node_id: str, connection_id: str) -> bool:
        """A node is reached by this connection from now on. False: there is no such node."""
        try:
            await self._update(_NODES, node_id, "SET conn=:c", {":c": {"S": connection_id}}, "attribute_exists(sk)")
        except ConditionFailed:
            return False
        return True

    async def clear_connection(self, node_id: str, connection_id: str) -> bool:
        """A node's connection is over. False: it was not this one (any more)."""
        try:
            await self._update(_NODES, node_id, "REMOVE conn", {":c": {"S": connection_id}}, "conn=:c")
        except ConditionFailed:
            return False
        return True

    # -- who relays which room --

    async def relay(self, session_id: str) -> Relay:
        """Who relays a room, read consistently; the one of generation 0 where nobody ever did."""
        item = await self._dynamo.item(self._table, _key(session_id, _RELAY))
        return Relay(session_id) if item is None else _relay(item)

    async def change(self, relay: Relay, now_ms: int) -> bool:
        """Sets who relays a room, where the generation before is still the one that holds. False: somebody was first.

        The room is listed with its node, or as waiting, before: whoever looks there finds it, or finds one too many.
        """
        if relay.node_id:
            await self._list(relay.node_id, relay, now_ms, limits.RELAY_ROW_TTL_S)
        if relay.asked_ms:
            await self._list(_WAITING, relay, now_ms, _WAITING_TTL_S)
        names = {"#g": "generation", "#n": "node", "#r": "reason"}
        values = {
            ":g": {"N": str(relay.generation)},
            ":b": {"N": str(relay.generation - 1)},
            ":n": {"S": relay.node_id},
            ":a": {"N": str(relay.asked_ms)},
            ":c": {"N": "1" if relay.coming else "0"},
            ":r": {"S": relay.reason.value},
            ":f": {"N": str(relay.few_ms)},
            ":x": _expiry(now_ms, limits.RELAY_ROW_TTL_S),
        }
        condition = "#g=:b" if relay.generation > 1 else "attribute_not_exists(sk) OR #g=:b"
        change = "SET #g=:g, #n=:n, asked_ms=:a, coming=:c, #r=:r, few_ms=:f, expires_at=:x"
        try:
            await self._update(relay.session_id, _RELAY, change, values, condition, names)
        except ConditionFailed:
            return False
        if not relay.asked_ms:
            await self._unlist(_WAITING, relay)
        return True

    async def note_few(self, relay: Relay) -> None:
        """Keeps since when a room is small; nothing where it has another relay by now."""
        values = {":f": {"N": str(relay.few_ms)}, ":g": {"N": str(relay.generation)}}
        try:
            await self._update(relay.session_id, _RELAY, "SET few_ms=:f", values, "#g=:g", {"#g": "generation"})
        except ConditionFailed:
            return

    async def note_reason(self, relay: Relay) -> bool:
        """Keeps why a room has its relay, or waits for one. False: it has another generation by now."""
        values = {":r": {"S": relay.reason.value}, ":g": {"N": str(relay.generation)}}
        names = {"#g": "generation", "#r": "reason"}
        try:
            await self._update(relay.session_id, _RELAY, "SET #r=:r", values, "#g=:g", names)
        except ConditionFailed:
            return False
        return True

    async def unlist(self, old: Relay) -> None:
        """The room is not that node's any more; nothing where it has been given to it again."""
        await self._unlist(old.node_id, old)

    async def rooms_of(self, node_id: str) -> tuple[str, ...]:
        """The rooms that a node was given, and perhaps some that it has no more."""
        return tuple(item["sk"]["S"] for item in await self._dynamo.partition(self._table, node_id))

    async def waiting(self) -> tuple[str, ...]:
        """The rooms that wait for a node, and perhaps some that do no more."""
        return tuple(item["sk"]["S"] for item in await self._dynamo.partition(self._table, _WAITING))

    async def erase(self, session_id: str) -> None:
        """Removes who relays a room, and that it waits. Once more is harmless."""
        await self._delete(_WAITING, session_id)
        await self._delete(session_id, _RELAY)

    # -- asking for more --

    async def may_start(self, now_ms: int) -> bool:
        """Whether a task may be asked for: True for one caller each NODE_START_S."""
        values = {
            ":n": {"N": str(now_ms)},
            ":o": {"N": str(now_ms - limits.NODE_START_S * 1000)},
            ":x": _expiry(now_ms, _WAITING_TTL_S),
        }
        condition = "attribute_not_exists(started) OR started<=:o"
        try:
            await self._update(_NODES, _START, "SET started=:n, expires_at=:x", values, condition)
        except ConditionFailed:
            return False
        return True

    async def forget_start(self) -> None:
        """Another task may be asked for at once."""
        await self._delete(_NODES, _START)

    async def _list(self, pk: str, relay: Relay, now_ms: int, ttl_s: int) -> None:
        item = {
            **_key(pk, relay.session_id),
            "generation": {"N": str(relay.generation)},
            "expires_at": _expiry(now_ms, ttl_s),
        }
        await self._dynamo.call("PutItem", {"TableName": self._table, "Item": item}, dict)

    async def _unlist(self, pk: str, relay: Relay) -> None:
        """By generation: a list that a later change has written stays."""
        request = {
            "TableName": self._table,
            "Key": _key(pk, relay.session_id),
            "ConditionExpression": "#g<=:g",
            "ExpressionAttributeNames": {"#g": "generation"},
            "ExpressionAttributeValues": {":g": {"N": str(relay.generation)}},
        }
        try:
            await self._dynamo.call("DeleteItem", request, dict)
        except ConditionFailed:
            return

    async def _delete(self, pk: str, sk: str) -> None:
        await self._dynamo.call("DeleteItem", {"TableName": self._table, "Key": _key(pk, sk)}, dict)

    async def _update(
        self, pk: str, sk: str, change: str, values: Item, condition: str | None, names: dict[str, str] | None = None
    ) -> None:
        request: dict[str, Any] = {
            "TableName": self._table,
            "Key": _key(pk, sk),
            "UpdateExpression": change,
            "ExpressionAttributeValues": values,
        }
        if condition:
            request["ConditionExpression"] = condition
        if names:
            request["ExpressionAttributeNames"] = names
        await self._dynamo.call("UpdateItem", request, dict)


def _key(pk: str, sk: str) -> Item:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _expiry(now_ms: int, ttl_s: int) -> dict[str, str]:
    return {"N": str(now_ms // 1000 + ttl_s)}


def _text(item: Item, name: str) -> str:
    return str(item.get(name, {}).get("S", ""))


def _number(item: Item, name: str) -> int:
    return int(item.get(name, {}).get("N", 0))


def _node(item: Item) -> Node:
    return Node(
        node_id=_text(item, "sk"),
        address=_text(item, "address"),
        port=_number(item, "port"),
        capacity=_number(item, "capacity"),
        load=_number(item, "load"),
        rooms=_number(item, "rooms"),
        version=_text(item, "version"),
        status=NodeStatus(_text(item, "state") or "draining"),
        seen_at_ms=_number(item, "seen"),
        connection_id=_text(item, "conn"),
    )


def _relay(item: Item) -> Relay:
    return Relay(
        session_id=_text(item, "pk"),
        node_id=_text(item, "node"),
        generation=_number(item, "generation"),
        asked_ms=_number(item, "asked_ms"),
        coming=bool(_number(item, "coming")),
        reason=RelayReason(_text(item, "reason") or "count"),
        few_ms=_number(item, "few_ms"),
    )
