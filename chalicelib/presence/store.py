"""Presence and connections in DynamoDB, through the lean client: these writes are the hot path of the carrier.

Tables (docs/architecture.md lists every access pattern):
- presence: PK session_id, SK sk. A peer has two items: who it is (sk = peer id) and its newest state (peer id + "~"),
  because a small conditional Put is the cheapest write there is, and there are five a second of it. The lease of the
  room's broadcaster is "~broadcast". One consistent Query gives a tick all that it needs. TTL `expires_at`.
- connections: PK connection_id. Found once per container and connection, then remembered: it never changes. TTL.
`presence.tables` declares them.
"""

from typing import Any, Final

from chalicelib.aws.dynamo import ConditionFailed, Dynamo, Item
from chalicelib.aws.lease import LeaseItem
from chalicelib.presence.items import Page, PresenceItem, number_of, order_of, row_of, text_of
from chalicelib.presence.model import Caller, Connection, Lease, NodeConnection, Room, Row
from chalicelib.wire import limits
from chalicelib.wire.types import Role, UserKind

LEASE_SK: Final = "~broadcast"
_NODE: Final = "node"
"""The kind of a media node's connection."""
_STATE: Final = "~"


def _expiry_s(at_ms: int) -> str:
    """TTL deletion may lag by days and is only housekeeping: what is gone is decided by `Row.gone`."""
    return str(at_ms // 1000 + 10 * limits.PRESENCE_TTL_S)


class PresenceStore:
    """The rows of rooms, their leases, and the connections."""

    def __init__(self, dynamo: Dynamo, table_prefix: str) -> None:
        self._dynamo = dynamo
        self._presence = f"{table_prefix}presence"
        self._connections = f"{table_prefix}connections"

    # -- connections --

    async def put_connection(self, connection: Caller, now_ms: int) -> None:
        """Remembers what a connection was opened for."""
        c = connection
        expires = {"N": str(now_ms // 1000 + limits.WS_LIFETIME_S + 600)}
        if isinstance(c, NodeConnection):
            node = {"connection_id": {"S": c.connection_id}, "node": {"S": c.node_id}, "kind": {"S": _NODE}}
            request = {"TableName": self._connections, "Item": {**node, "expires_at": expires}}
            await self._dynamo.call("PutItem", request, dict)
            return
        item = {
            "connection_id": {"S": c.connection_id},
            "session_id": {"S": c.session_id},
            "peer_id": {"S": c.peer_id},
            "user_id": {"S": c.user_id},
            "who": {"S": c.name},
            "color": {"S": c.color},
            "kind": {"S": c.kind.value},
            "expires_at": expires,
        }
        await self._dynamo.call("PutItem", {"TableName": self._connections, "Item": item}, dict)

    async def connection(self, connection_id: str) -> Caller | None:
        """What a connection was opened for; None if it is not (or no longer) known."""
        item = await self._dynamo.item(self._connections, {"connection_id": {"S": connection_id}})
        if item is None:
            return None
        if item["kind"]["S"] == _NODE:
            return NodeConnection(connection_id, item["node"]["S"])
        return Connection(
            connection_id=connection_id,
            session_id=item["session_id"]["S"],
            peer_id=item["peer_id"]["S"],
            user_id=item["user_id"]["S"],
            name=item["who"]["S"],
            color=item["color"]["S"],
            kind=UserKind(item["kind"]["S"]),
        )

    async def delete_connection(self, connection_id: str) -> None:
        """Forgets a connection; once more is harmless."""
        request = {"TableName": self._connections, "Key": {"connection_id": {"S": connection_id}}}
        await self._dynamo.call("DeleteItem", request, dict)

    # -- rows --

    async def attach(self, row: Row) -> bool:
        """A peer has a (new) connection. Returns whether it resumed: its state, and when it joined, were kept.

        A peer that had already gone begins anew.
        """
        now_ms = row.seen_at_ms
        values = {
            ":u": {"S": row.user_id},
            ":c": {"S": row.connection_id},
            ":w": {"S": row.name},
            ":k": {"S": row.color},
            ":r": {"S": row.role.value},
            ":d": {"S": row.kind.value},
            ":n": {"N": str(now_ms)},
            ":x": {"N": _expiry_s(now_ms)},
        }
        assign = "user_id=:u, conn=:c, who=:w, color=:k, person_role=:r, kind=:d, seen=:n, expires_at=:x"
        entered = {":e": {"N": "1" if row.entered else "0"}}
        fresh = {":f": {"N": str(now_ms - limits.PRESENCE_TTL_S * 1000)}, ":y": {"N": "0" if row.entered else "1"}}
        try:
            await self._update(
                row.session_id,
                row.peer_id,
                f"SET {assign}, resuming=:y REMOVE leaving",
                values | fresh,
                "seen>:f AND (attribute_not_exists(leaving) OR leaving>:n)",
            )
        except ConditionFailed:
            anew = f"SET {assign}, joined=:n, entered=:e REMOVE leaving, rtc, resuming"
            await self._update(row.session_id, row.peer_id, anew, values | entered, None)
            await self._put_state(row.session_id, row.peer_id, row.connection_id, "", "", now_ms, {})
            return False
        await self._update(
            row.session_id,
            row.peer_id + _STATE,
            "SET conn=:c, #o=if_not_exists(#o, :z), expires_at=:x",
            {":c": {"S": row.connection_id}, ":z": {"S": ""}, ":x": {"N": _expiry_s(now_ms)}},
            None,
            {"#o": "order"},
        )
        return True

    async def enter(self, session_id: str, peer_id: str, connection_id: str, now_ms: int) -> bool:
        """The peer is ready for frames. False if the row is not this connection's (any more)."""
        return await self._owned(
            session_id,
            peer_id,
            connection_id,
            "SET entered=:e, seen=:n, expires_at=:x REMOVE resuming",
            now_ms,
            {":e": {"N": "1"}},
        )

    async def touch(self, session_id: str, peer_id: str, connection_id: str, now_ms: int) -> bool:
        """The peer is alive. False if the row is not this connection's (any more)."""
        return await self._owned(session_id, peer_id, connection_id, "SET seen=:n, expires_at=:x", now_ms, {})

    async def put_state(
        self, session_id: str, peer_id: str, connection_id: str, order: tuple[int, int], fragment: bytes, now_ms: int
    ) -> bool:
        """Stores a newer state; an older or equal one changes nothing. False if the row is not this connection's."""
        condition = {
            "ConditionExpression": "conn=:c AND #o<:o",
            "ExpressionAttributeNames": {"#o": "order"},
            "ExpressionAttributeValues": {":c": {"S": connection_id}, ":o": {"S": order_of(order)}},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            await self._put_state(
                session_id, peer_id, connection_id, order_of(order), fragment.decode(), now_ms, condition
            )
        except ConditionFailed as exc:
            return exc.item is not None and exc.item.get("conn", {}).get("S") == connection_id
        return True

    async def leave(self, session_id: str, peer_id: str, connection_id: str, leaving_at_ms: int) -> bool:
        """The peer counts as gone from `leaving_at_ms` on, unless it attaches again. False if not this connection's."""
        return await self._owned(
            session_id, peer_id, connection_id, "SET leaving=:l", leaving_at_ms, {":l": {"N": str(leaving_at_ms)}}
        )

    async def set_role(self, session_id: str, peer_id: str, role: Role) -> None:
        """What the others are told of a peer's role; a peer that has gone stays gone."""
        try:
            await self._update(
                session_id, peer_id, "SET person_role=:r", {":r": {"S": role.value}}, "attribute_exists(sk)"
            )
        except ConditionFailed:
            return

    async def set_rtc(self, session_id: str, peer_id: str, rtc: bool) -> bool:
        """Whether a peer can be offered to; kept when it resumes. False: there is no such peer."""
        try:
            await self._update(
                session_id, peer_id, "SET rtc=:o", {":o": {"N": "1" if rtc else "0"}}, "attribute_exists(sk)"
            )
        except ConditionFailed:
            return False
        return True

    async def delete_row(self, row: Row, *, only_if_unchanged: bool) -> bool:
        """Removes a peer's row; False if it has attached again or left otherwise meanwhile, and that was asked."""
        condition: dict[str, Any] = {}
        if only_if_unchanged:
            condition["ExpressionAttributeValues"] = {
                ":c": {"S": row.connection_id},
                ":n": {"N": str(row.seen_at_ms)},
            }
        same = "conn=:c AND seen<=:n"
        try:
            # The state goes first: whoever is told that an update was stored has a row that is still there.
            for sk, unchanged in ((row.peer_id + _STATE, f"attribute_not_exists(conn) OR {same}"), (row.peer_id, same)):
                if only_if_unchanged:
                    condition["ConditionExpression"] = unchanged
                await self._delete(row.session_id, sk, condition)
        except ConditionFailed:
            return False
        return True

    async def room(self, session_id: str) -> Room:
        """Every row of a room, and its lease, read consistently."""
        request: dict[str, Any] = {
            "TableName": self._presence,
            "KeyConditionExpression": "session_id=:s",
            "ExpressionAttributeValues": {":s": {"S": session_id}},
            "ConsistentRead": True,
        }
        peers: list[PresenceItem] = []
        states: dict[str, PresenceItem] = {}
        lease = None
        while True:
            page = await self._dynamo.call("Query", request, Page)
            for item in page.items:
                if item.sk.s == LEASE_SK:
                    lease = Lease(text_of(item.holder), number_of(item.until))
                elif item.sk.s.endswith(_STATE):
                    states[item.sk.s.removesuffix(_STATE)] = item
                elif item.person_role:
                    peers.append(item)
            if page.last is None:
                return Room(tuple(row_of(peer, states.get(peer.sk.s)) for peer in peers), lease)
            request["ExclusiveStartKey"] = page.last

    async def peers(self, session_id: str, peer_ids: tuple[str, ...]) -> dict[str, Row]:
        """The rows of some peers (a few), read consistently; without those that are not there. UPSTREAM_UNAVAILABLE."""
        keys: list[Item] = [
            {"session_id": {"S": session_id}, "sk": {"S": sk}}
            for peer_id in dict.fromkeys(peer_ids)
            for sk in (peer_id, peer_id + _STATE)
        ]
        found = {item.sk.s: item for item in await self._dynamo.items(self._presence, keys, PresenceItem)}
        rows = ((peer_id, found.get(peer_id)) for peer_id in peer_ids)
        return {
            peer_id: row_of(item, found.get(peer_id + _STATE))
            for peer_id, item in rows
            if item is not None and item.person_role is not None
        }

    # -- the broadcaster's lease --

    async def acquire(self, session_id: str, lease: Lease, now_ms: int) -> Lease:
        """Takes the lease if it is free or has run out. Returns the lease that holds: `lease`, or another's."""
        return Lease(*await self._lease(session_id).acquire(lease.holder, lease.until_ms, now_ms))

    async def renew(self, session_id: str, lease: Lease) -> bool:
        """Promises to go on until `lease.until_ms`. False if another holds it."""
        return await self._lease(session_id).renew(lease.holder, lease.until_ms) == lease.holder

    async def erase(self, session_id: str) -> None:
        """Removes all that a room has here."""
        room = await self.room(session_id)
        for row in room.rows:
            await self.delete_row(row, only_if_unchanged=False)
        await self._lease(session_id).release()

    def _lease(self, session_id: str) -> LeaseItem:
        return LeaseItem(self._dynamo, self._presence, {"session_id": {"S": session_id}, "sk": {"S": LEASE_SK}})

    async def _put_state(
        self,
        session_id: str,
        peer_id: str,
        connection_id: str,
        order: str,
        fragment: str,
        now_ms: int,
        condition: dict[str, Any],
    ) -> None:
        item = {
            "session_id": {"S": session_id},
            "sk": {"S": peer_id + _STATE},
            "conn": {"S": connection_id},
            "order": {"S": order},
            "fragment": {"S": fragment},
            "seen": {"N": str(now_ms)},
            "expires_at": {"N": _expiry_s(now_ms)},
        }
        await self._dynamo.call("PutItem", {"TableName": self._presence, "Item": item, **condition}, dict)

    async def _delete(self, session_id: str, sk: str, condition: dict[str, Any]) -> None:
        key = {"session_id": {"S": session_id}, "sk": {"S": sk}}
        await self._dynamo.call("DeleteItem", {"TableName": self._presence, "Key": key, **condition}, dict)

    async def _owned(
        self,
        session_id: str,
        peer_id: str,
        connection_id: str,
        update: str,
        now_ms: int,
        values: dict[str, dict[str, str]],
    ) -> bool:
        all_values = {":c": {"S": connection_id}, **values}
        if ":n" in update:
            all_values |= {":n": {"N": str(now_ms)}, ":x": {"N": _expiry_s(now_ms)}}
        try:
            await self._update(session_id, peer_id, update, all_values, "conn=:c")
        except ConditionFailed:
            return False
        return True

    async def _update(
        self,
        session_id: str,
        sk: str,
        expression: str,
        values: dict[str, dict[str, str]],
        condition: str | None,
        names: dict[str, str] | None = None,
    ) -> None:
        request: dict[str, Any] = {
            "TableName": self._presence,
            "Key": {"session_id": {"S": session_id}, "sk": {"S": sk}},
            "UpdateExpression": expression,
            "ExpressionAttributeValues": values,
        }
        if condition:
            request["ConditionExpression"] = condition
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        if names:
            request["ExpressionAttributeNames"] = names
        await self._dynamo.call("UpdateItem", request, dict)
