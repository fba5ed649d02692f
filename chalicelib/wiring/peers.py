"""The peers room, joined to its stores and to the rooms that it asks."""

import time
from typing import TYPE_CHECKING

from chalicelib import wiring
from chalicelib.aws import log
from chalicelib.aws.once import once
from chalicelib.peers.admission import Admission
from chalicelib.peers.model import desired_tasks
from chalicelib.peers.service import Peers, Scaler
from chalicelib.peers.signals import Signals
from chalicelib.peers.socket import Socket
from chalicelib.wire import limits
from chalicelib.wire.limiter import Limiter
from chalicelib.wire.tokens import NodeClaims

if TYPE_CHECKING:
    from chalicelib.peers.nodes import NodeStore


@once
def _registry() -> "NodeStore":
    from chalicelib.peers.nodes import NodeStore  # noqa: PLC0415

    return NodeStore(wiring.dynamo(), wiring.settings().table_prefix)


def _scaler() -> Scaler | None:
    s = wiring.settings()
    if not s.ecs_cluster or s.node_max < 1:
        return None
    from chalicelib.aws.services import EcsService  # noqa: PLC0415

    return EcsService(s.ecs_cluster, s.ecs_service, s.node_max, desired_tasks, s.ecs_endpoint, s.region)


@once
def service() -> Peers:
    """Which media node relays a room."""
    return Peers(_registry(), wiring.presence(), wiring.sender().post, _scaler(), now_ms=wiring.now_ms, log=log.event)


@once
def _admission() -> Admission:
    from chalicelib.aws.keys import load_nodes  # noqa: PLC0415
    from chalicelib.users.store import TicketStore  # noqa: PLC0415

    burnt = TicketStore(wiring.tables()["tickets"])  # type: ignore[arg-type]
    return Admission(load_nodes(wiring.settings()), burnt, now_s=lambda: int(time.time()))


class Nodes:
    """Media nodes, for the gateway."""

    def admit(self, token: str) -> NodeClaims:
        """See `Admission.admit`."""
        return _admission().admit(token)

    async def disconnected(self, node_id: str, connection_id: str) -> None:
        """See `Peers.node_disconnected`."""
        await service().node_disconnected(node_id, connection_id)


@once
def _relay_rate() -> Limiter:
    return Limiter(rate=limits.RELAY_REQUEST_PER_S, burst=2 * limits.RELAY_REQUEST_PER_S)


@once
def socket() -> Socket:
    """Its messages."""
    post = wiring.sender().post
    signals = Signals(wiring.presence(), _registry(), post, service().node_disconnected, now_ms=wiring.now_ms)
    return Socket(
        service(),
        signals,
        post,
        now_ms=wiring.now_ms,
        relay_wait_ms=lambda connection_id: _relay_rate().take(connection_id, wiring.now_ms()).wait_ms,
    )
