"""Peers and rooms of tests: who connects to a node as a page would, and what the node's rooms are told."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

from aiortc import RTCConfiguration, RTCDataChannel, RTCPeerConnection, RTCSessionDescription

from chalicelib.wire import limits
from chalicelib.wire.codes import Code
from media_node.ports import Link
from media_node.transport import Transport


def own_address() -> str:
    """This machine's own address: aioice and Chromium leave loopback out."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return socket.gethostbyname(socket.gethostname())
        return str(probe.getsockname()[0])


@dataclass
class Told:
    """Everything that a transport told, in order."""

    events: list[tuple[str, str, object]] = field(default_factory=list)
    echo: bool = False
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def _add(self, what: str, link: Link, value: object) -> None:
        self.events.append((what, link.key, value))
        self.changed.set()

    def opened(self, link: Link) -> None:
        self._add("opened", link, link.link_id)

    def presence(self, link: Link, data: str | bytes) -> None:
        self._add("presence", link, data)
        if self.echo:
            link.send_presence(data.encode() if isinstance(data, str) else data)

    def control(self, link: Link, data: str | bytes) -> None:
        self._add("control", link, data)
        if self.echo:
            link.send_control(data)

    def media(self, link: Link, packet: bytes, now: float) -> None:
        self._add("media", link, packet)

    def media_control(self, link: Link, packet: bytes, now: float) -> None:
        self._add("media_control", link, packet)

    def refused(self, link: Link, code: Code) -> None:
        self._add("refused", link, code)

    def closed(self, link: Link, reason: str) -> None:
        self._add("closed", link, reason)

    def of(self, what: str, key: str | None = None) -> list[object]:
        """What was told of one kind."""
        return [value for kind, whose, value in self.events if kind == what and key in (None, whose)]

    async def until(self, there: Callable[[], bool], timeout_s: float = 20) -> None:
        """Waits until something is so, looking whenever something was told."""
        async with asyncio.timeout(timeout_s):
            while not there():
                self.changed.clear()
                await self.changed.wait()


async def listening(told: Told, *, capacity: int = 100, address: str | None = None) -> Transport:
    """A transport on this machine's own address, on a free port."""
    address = address or own_address()
    return await Transport.listen(host=address, port=0, public_address=address, events=told, capacity=capacity)


class Page:
    """A full-ICE client with both channels, by aiortc."""

    def __init__(self, *, negotiated: bool = True) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.got: dict[str, list[str | bytes]] = {"presence": [], "control": []}
        self.changed = asyncio.Event()
        self.presence = self._channel("presence", limits.PRESENCE_CHANNEL, negotiated, ordered=False)
        self.control = self._channel("control", limits.CONTROL_CHANNEL, negotiated, ordered=True)

    def _channel(self, label: str, number: int, negotiated: bool, *, ordered: bool) -> RTCDataChannel:
        channel = self.connection.createDataChannel(
            label,
            negotiated=negotiated,
            id=number if negotiated else None,
            ordered=ordered,
            maxRetransmits=None if ordered else 0,
        )

        def message(data: str | bytes) -> None:
            self.got[label].append(data)
            self.changed.set()

        channel.on("message", message)
        channel.on("open", self.changed.set)
        return channel

    async def offer(self) -> str:
        """A complete offer."""
        await self.connection.setLocalDescription(await self.connection.createOffer())
        return self.connection.localDescription.sdp

    async def connect(self, node: Transport, key: str, link_id: str = "link0001") -> str:
        """Offers, and takes the answer; returns it."""
        answer = await node.answer(key, link_id, await self.offer())
        await self.connection.setRemoteDescription(RTCSessionDescription(sdp=answer, type="answer"))
        return answer

    async def until(self, there: Callable[[], bool], timeout_s: float = 20) -> None:
        """Waits until something is so, looking whenever something came."""
        async with asyncio.timeout(timeout_s):
            while not there():
                self.changed.clear()
                await self.changed.wait()

    async def opened(self) -> None:
        """Both channels are open on this side."""
        await self.until(lambda: self.presence.readyState == "open" and self.control.readyState == "open")

    async def close(self) -> None:
        await self.connection.close()
