"""One UDP port for every peer of a worker: the socket, who a datagram is from, and the time.

STUN finds its link by the USERNAME; everything else by the address that it comes from, which counts only once an authentic
check came from there. No task, no future, no timer a peer: one reader, one tick, and one flush after whatever happened in a
turn of the loop, so that what goes to a peer within it shares packets.
"""

import asyncio
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from random import Random, SystemRandom
from typing import Final

from chalicelib.aws import log
from chalicelib.wire.codes import Code
from chalicelib.wire.errors import AppError
from media_node import sdp, stun
from media_node.dtls import Identity
from media_node.gather import GATHER_S, Gather
from media_node.ice import ADDRESSES_MAX, Credentials, LiteAgent
from media_node.inbox import Inbox
from media_node.kernel import Beat
from media_node.link import PeerLink
from media_node.outbox import Outbox
from media_node.ports import Link, LinkEvents, NodeStats
from media_node.stun import Address, Kind, StunError

TICK_S: Final = 0.02
"""Links are looked at so often at the most,"""
_LULL_S: Final = 0.1
"""and so rarely where nothing is due: each look is a waking of its own, unless datagrams are gathered."""
_SOCKET_BYTES: Final = 4 * 1024 * 1024
_NEVER: Final = float("inf")
_HELD_S: Final = 10.0
"""So long after a check from it, an address is its link's; browsers check each 2.5 s."""


class Transport:
    """See `ports.Transport`, which this is."""

    def __init__(
        self,
        bound: socket.socket,
        public_address: str,
        events: LinkEvents,
        capacity: int,
        now: Callable[[], float],
        chance: Random,
    ) -> None:
        self.port: int = bound.getsockname()[1]
        self.public_address = public_address
        self.events = events
        self.counted = NodeStats()
        self.now = now
        self.clock: Callable[[], float] = time.perf_counter
        self._socket = bound
        self._capacity = capacity
        self._chance = chance
        self._identity = Identity()
        self._links: dict[str, PeerLink] = {}
        self._by_ufrag: dict[str, PeerLink] = {}
        self._at: dict[Address, PeerLink] = {}
        self._inbox = Inbox(bound)
        self.outbox = Outbox(bound, self.counted, self._flush_soon)
        self._dirty: list[PeerLink] = []
        self._due = 0.0
        """No link has to be looked at before."""
        self._look_at = self.now() + TICK_S
        self._reading = False
        self._loop = asyncio.get_running_loop()
        self._gather = Gather()
        self._beat = _beat()
        self._loop.add_reader(bound.fileno(), self._readable)
        self._timer: asyncio.TimerHandle | None = self._loop.call_later(TICK_S, self._tick)
        """Of the next look; None: a beat brings it."""

    @classmethod
    async def listen(
        cls,
        *,
        host: str,
        port: int,
        public_address: str,
        events: LinkEvents,
        capacity: int,
        now: Callable[[], float] = time.monotonic,
        chance: Random | None = None,
    ) -> "Transport":
        """Binds. `host` `::` takes both families; `public_address` may be several, by commas, the best first."""
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_DGRAM)
        try:
            if family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SOCKET_BYTES)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SOCKET_BYTES)
            bound.setblocking(False)
            bound.bind((host, port))
        except OSError:
            bound.close()
            raise
        return cls(bound, public_address, events, capacity, now, chance or SystemRandom())

    async def answer(self, key: str, link_id: str, offer_sdp: str) -> str:
        """See `ports.Transport.answer`."""
        offer = sdp.parse_offer(offer_sdp)
        link = self._links.get(key)
        if link is not None and link.link_id == link_id:
            self._again(link, offer)
        else:
            if link is not None:
                link.end("replaced")
            elif len(self._links) >= self._capacity:
                raise AppError(Code.RELAY_FULL)
            agent = LiteAgent(Credentials.fresh(), offer.credentials, self.now())
            link = PeerLink(self, key, link_id, agent, offer, self._identity, self._chance)
            self._links[key] = link
            self._due = min(self._due, link.due)
            self._by_ufrag[agent.ours.ufrag] = link
        ours = sdp.Ours(
            session=link.session,
            version=link.version,
            credentials=link.agent.ours,
            fingerprint=self._identity.fingerprint,
            addresses=tuple(each.strip() for each in self.public_address.split(",")),
            port=self.port,
            ssrcs=link.voice.ssrcs,
        )
        return sdp.write_answer(offer, ours, link.voice.sections)

    def _again(self, link: PeerLink, offer: sdp.Offer) -> None:
        if set(offer.fingerprints) != set(link.fingerprints):
            raise AppError(Code.SDP_INVALID, "another certificate needs another link")
        link.version += 1
        link.voice.offered(offer)
        before = link.agent.before
        if link.agent.restart(offer.credentials):
            if before is not None:
                self._by_ufrag.pop(before.ufrag, None)
            self._by_ufrag[link.agent.ours.ufrag] = link

    def link(self, key: str) -> Link | None:
        """See `ports.Transport.link`."""
        return self._links.get(key)

    def stats(self) -> NodeStats:
        """See `ports.Transport.stats`."""
        links = self._links.values()
        return replace(
            self.counted, links=len(links), open_links=sum(each.open for each in links), cpu_s=time.process_time()
        )

    async def close(self) -> None:
        """See `ports.Transport.close`."""
        for link in tuple(self._links.values()):
            link.end("draining")
        self._set_timer(None)
        self._loop.remove_reader(self._socket.fileno())
        if self._beat is not None:
            self._loop.remove_reader(self._beat.descriptor)
            self._beat.close()
        self.outbox.flush()
        self._socket.close()

    # -- what links use --

    def emit(self, datagram: bytes, address: Address) -> None:
        """Sends, or drops where the kernel takes no more: it is UDP, and nobody waits for a slow one."""
        try:
            self._socket.sendto(datagram, address)
        except OSError:
            self.counted.send_dropped += 1
            return
        self.counted.packets_out += 1
        self.counted.bytes_out += len(datagram)

    def touch(self, link: PeerLink) -> None:
        """Has the link flushed in the loop's next turn."""
        if not link.dirty:
            link.dirty = True
            self._flush_soon()
            self._dirty.append(link)

    def later(self, link: PeerLink, reason: str) -> None:
        """Ends the link in the loop's next turn, not below whoever is sending."""
        self._loop.call_soon(link.end, reason)

    def gone(self, link: PeerLink) -> None:
        """Takes the link out of every table."""
        if self._links.get(link.key) is link:
            del self._links[link.key]
        for each in (link.agent.ours, link.agent.before):
            if each is not None:
                self._by_ufrag.pop(each.ufrag, None)
        for address in link.claimed:
            if self._at.get(address) is link:
                del self._at[address]
        link.claimed.clear()

    # -- the loop --

    def _flush_soon(self) -> None:
        if not self._dirty and not self._reading:
            self._loop.call_soon(self._flush)

    def _readable(self) -> None:
        before = self.counted.packets_in
        self._reading = not self._dirty  # else a flush is on its way already
        try:
            self._read()
        finally:
            flushes, self._reading = self._reading, False
            was = self._gather.on
            if self._gather.came(self.counted.packets_in - before, self.now()) is not was and self._beat is not None:
                self._read_by(self._beat, gather=not was)
            if flushes:
                self._flush()

    def _read_by(self, beat: Beat, *, gather: bool) -> None:
        """From now on at each beat what came until then, or at once when something comes."""
        beat.switch(on=gather)
        if gather:
            self._set_timer(None)
            self._loop.remove_reader(self._socket.fileno())
            self._loop.add_reader(beat.descriptor, self._beaten, beat)
        else:
            self._loop.remove_reader(beat.descriptor)
            self._loop.add_reader(self._socket.fileno(), self._readable)
            self._set_timer(TICK_S)

    def _beaten(self, beat: Beat) -> None:
        beat.taken()
        try:
            self._readable()
        finally:  # whatever fails in it, whoever is due has their turn: there is no timer meanwhile
            now = self.now()
            if now >= self._look_at:
                self._look(now)

    def _read(self) -> None:
        now = self.now()
        counted = self.counted
        for data, address in self._inbox.read():
            counted.packets_in += 1
            counted.bytes_in += len(data)
            self._take(data, address, now)

    def _take(self, data: bytes, address: Address, now: float) -> None:
        kind = stun.kind_of(data)
        link = self._at.get(address)
        if kind is Kind.RTP and link is not None:
            link.media(data, now)
        elif kind is Kind.DTLS and link is not None:
            link.datagram(data, now)
        elif kind is Kind.STUN:
            self._check(data, address, now)
        else:
            self.counted.unknown_dropped += 1

    def _check(self, data: bytes, address: Address, now: float) -> None:
        try:
            request = stun.parse_request(data)
        except StunError:
            self.counted.stun_errors += 1
            return
        link = self._by_ufrag.get(request.username.partition(":")[0])
        if link is None or self._held_by_another(link, address, now):
            self.counted.stun_errors += 1
            return
        agent = link.agent
        before = agent.before
        checked = agent.check(data, request, address, now)
        if not checked.authentic:
            self.counted.stun_errors += 1
        if checked.reply is not None:
            self.emit(checked.reply, address)
        if address in agent.addresses and address not in link.claimed and checked.authentic:
            self._claim(link, address)
        if before is not None and agent.before is None:
            self._by_ufrag.pop(before.ufrag, None)
        if checked.chosen:
            link.chosen(now)

    def _held_by_another(self, link: PeerLink, address: Address, now: float) -> bool:
        """Whether datagrams from there are another link's: nobody takes a peer's address from it by naming it as his own."""
        holder = self._at.get(address)
        return (
            holder is not None
            and holder is not link
            and now - holder.agent.addresses.get(address, now - _HELD_S) < _HELD_S
        )

    def _claim(self, link: PeerLink, address: Address) -> None:
        holder = self._at.get(address)
        if holder is not None:
            holder.claimed.discard(address)
        self._at[address] = link
        link.claimed.add(address)
        if len(link.claimed) > ADDRESSES_MAX:
            for stale in link.claimed - link.agent.addresses.keys():
                link.claimed.discard(stale)
                del self._at[stale]

    def _flush(self) -> None:
        now = self.now()
        try:
            while self._dirty:
                link = self._dirty.pop()
                link.flush(now)
                self._due = min(self._due, link.due)
            self._look_sooner(now)
        finally:  # one that fails is the loop's to report; the others are flushed all the same
            self.outbox.flush()
            if self._dirty:
                self._loop.call_soon(self._flush)

    def _tick(self) -> None:
        now = self.now()
        try:
            self._look(now)
        finally:  # whatever fails in it, there is a next one
            self._set_timer(self._look_at - now)

    def _look(self, now: float) -> None:
        """At the links for which something is due."""
        self._look_at = now + TICK_S
        if now >= self._due:
            for link in tuple(self._links.values()):
                if link.due <= now:
                    try:
                        link.tick(now)
                    except Exception:  # noqa: BLE001 - else the links after it would never have their turn again
                        log.failure("link.failed", link_id=link.link_id)
                        link.end("failed")
            self._due = min((link.due for link in self._links.values()), default=_NEVER)
        self._look_at = now + min(max(self._due - now, TICK_S), _LULL_S)

    def _look_sooner(self, now: float) -> None:
        """Something may be due before the next look."""
        due = max(self._due, now + TICK_S)
        if due < self._look_at:
            self._look_at = due
            if self._timer is not None:
                self._set_timer(due - now)

    def _set_timer(self, after_s: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = None if after_s is None else self._loop.call_later(after_s, self._tick)


def _beat() -> Beat | None:
    """By which to gather; None: here there is none, and everything is read as it comes."""
    try:
        return Beat(GATHER_S)
    except OSError:
        return None
