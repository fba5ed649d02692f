"""aioice's TURN client, one step at a time: what a browser does, with each refusal seen."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aioice import stun
from aioice.turn import TurnClientTcpProtocol, TurnClientUdpProtocol

from chalicelib.peers.turn import Ice, ice_servers, parse_secrets
from chalicelib.wire.peers import IceServer
from tests.turn.server import SECRETS, Coturn

CHANNEL: Final = 0x4000
ANA: Final = "usr_ana00000000000000000000"
BEN: Final = "usr_ben00000000000000000000"


def credentials(coturn: Coturn, user_id: str = ANA, ttl_s: int = 600, secrets: str = SECRETS) -> IceServer:
    """What GET /webrtc/ice-servers gives, by the code that gives it. A negative `ttl_s` is of the past."""
    ice = Ice((), (coturn.udp, coturn.tcp, coturn.tls), parse_secrets(secrets))
    (server,) = ice_servers(ice, user_id, now_ms=int(time.time() * 1000), ttl_s=ttl_s).ice_servers
    return server


class Inbox(asyncio.DatagramProtocol):
    """What came."""

    def __init__(self) -> None:
        self.came: asyncio.Queue[tuple[bytes, Any]] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Keeps it."""
        self.came.put_nowait((data, addr))


Protocol = TurnClientUdpProtocol | TurnClientTcpProtocol
_TRIES: Final = 3


@dataclass(slots=True)
class Client:
    """A connection to the server, without an allocation yet."""

    protocol: Protocol
    inbox: Inbox
    opened: Callable[[], Awaitable[Protocol]]

    async def allocate(self) -> tuple[str, int]:
        """The relayed address. Refused where the server says so; where it says nothing, another port is tried."""
        for left in reversed(range(_TRIES)):
            try:
                async with asyncio.timeout(8):
                    return await self.protocol.connect()
            except TimeoutError:
                if not left:
                    raise
                self.protocol.transport.abort()
                self.protocol = await self.opened()
        raise AssertionError

    async def bind(self, peer: tuple[str, int]) -> None:
        """A channel to a peer, which is a permission too; nothing is sent to the peer."""
        async with asyncio.timeout(10):
            await self.protocol.channel_bind(CHANNEL, peer)


@asynccontextmanager
async def client(coturn: Coturn, server: IceServer, by: str = "udp") -> AsyncIterator[Client]:
    """By `udp`, `tcp` or `tls`. Its allocation, if it has one, ends with the block."""
    loop, t, inbox = asyncio.get_running_loop(), coturn.turn, Inbox()
    where = (coturn.ip, t.tls_port if by == "tls" else t.stun_port)
    given = (where, server.username, server.credential, 600, 500)

    async def opened() -> Protocol:
        made: Protocol
        if by == "udp":
            _, made = await loop.create_datagram_endpoint(lambda: TurnClientUdpProtocol(*given), remote_addr=where)
        else:
            context = trusting(coturn) if by == "tls" else None
            _, made = await loop.create_connection(lambda: TurnClientTcpProtocol(*given), *where, ssl=context)
        made.receiver = inbox
        return made

    one = Client(await opened(), inbox, opened)
    try:
        yield one
    finally:
        if one.protocol.relayed_address is not None:
            await one.protocol.delete()
        one.protocol.transport.abort()  # TLS would wait for the other side's goodbye, and the loop does not
        for _ in range(3):
            await asyncio.sleep(0)


def trusting(coturn: Coturn) -> ssl.SSLContext:
    """Trusts that server's certificate, and no other."""
    return ssl.create_default_context(cafile=str(coturn.turn.certificate))


async def refusal(attempt: Any) -> int:
    """The error code that an attempt is refused with; 0 if it is not."""
    try:
        await attempt
    except stun.TransactionFailed as exc:
        return exc.response.error_code or -1
    return 0
